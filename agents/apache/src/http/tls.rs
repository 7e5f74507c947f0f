// SPDX-License-Identifier: Apache-2.0 OR MIT
//! TLS, made ready only for a URL that needs it: reading this host's authorities costs more than the whole
//! of a monitor does.

use rustls::client::Tls13ClientSessionValue;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ClientSessionStore, Resumption, Tls12ClientSessionValue};
use rustls::crypto::{self, CryptoProvider};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError as Bad, ClientConfig, DigitallySignedStruct, Error as Tls};
use rustls::{NamedGroup, RootCertStore, SignatureScheme};
use std::error::Error;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Knows whether a handshake has begun: then there is a connection. It keeps no sessions, for there is
/// never a second.
#[derive(Debug, Clone, Default)]
pub(super) struct Handshake(Arc<AtomicBool>);

impl Handshake {
    /// Whether it has.
    pub(super) fn has_begun(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// What a client needs: nothing is trusted where it isn't for https.
///
/// # Errors
/// Why there can be no TLS.
pub(super) fn configuration(
    is_https: bool,
    is_verified: bool,
    handshake: &Handshake,
) -> Result<ClientConfig, String> {
    let provider = Arc::new(crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider));
    let builder = builder.with_safe_default_protocol_versions().map_err(|e| e.to_string())?;
    let builder = if is_verified || !is_https {
        builder.with_root_certificates(authorities(is_https)?)
    } else {
        let verifier = Arc::new(Unverified(provider));
        builder.dangerous().with_custom_certificate_verifier(verifier)
    };
    let mut configuration = builder.with_no_client_auth();
    configuration.resumption = Resumption::store(Arc::new(handshake.clone()));
    Ok(configuration)
}

/// Whom this host trusts.
fn authorities(is_https: bool) -> Result<Arc<RootCertStore>, String> {
    let mut store = RootCertStore::empty();
    if is_https {
        let found = rustls_native_certs::load_native_certs();
        let (used, _) = store.add_parsable_certificates(found.certs);
        if used == 0 {
            return Err("this host trusts no authority: install ca-certificates".to_owned());
        }
    }
    Ok(Arc::new(store))
}

/// Why a handshake failed, where it did, with the remedy.
pub(super) fn find_cause(error: &(dyn Error + 'static)) -> Option<String> {
    find(error).map(explain)
}

/// Whether the server itself ended it, with an alert (RFC 8446, section 6).
pub(super) fn is_refusal(error: &(dyn Error + 'static)) -> bool {
    matches!(find(error), Some(Tls::AlertReceived(_)))
}

fn find<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a Tls> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(tls) = error.downcast_ref() {
            return Some(tls);
        }
        // What an I/O error holds isn't what it names as its source.
        next = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(held) => Some(held),
            None => error.source(),
        };
    }
    None
}

fn explain(error: &Tls) -> String {
    match error {
        Tls::InvalidCertificate(why) => match why {
            Bad::UnknownIssuer => "this host must be made to trust the certificate's issuer",
            Bad::Expired | Bad::ExpiredContext { .. } => "the certificate has expired: renew it",
            Bad::NotValidYet | Bad::NotValidYetContext { .. } => {
                "the certificate isn't valid yet: look at this host's clock"
            }
            Bad::NotValidForName | Bad::NotValidForNameContext { .. } => {
                "the certificate is for another name: use that in the URL"
            }
            Bad::Other(_) => "this host must be made to trust the certificate itself",
            other => return format!("the certificate can't be used: {other}"),
        }
        .to_owned(),
        Tls::AlertReceived(alert) => {
            let alert = format!("{alert:?}");
            format!("the server refuses with the alert {alert}")
        }
        Tls::InvalidMessage(_) => "the server speaks no TLS: use http in the URL".to_owned(),
        other => other.to_string(),
    }
}

/// Takes any certificate: of a server that is known already. The signatures are still looked at.
#[derive(Debug)]
struct Unverified(Arc<CryptoProvider>);

impl ServerCertVerifier for Unverified {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Tls> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Tls> {
        let algorithms = &self.0.signature_verification_algorithms;
        crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Tls> {
        let algorithms = &self.0.signature_verification_algorithms;
        crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

impl ClientSessionStore for Handshake {
    fn kx_hint(&self, _: &ServerName<'_>) -> Option<NamedGroup> {
        self.0.store(true, Ordering::Relaxed);
        None
    }

    fn tls12_session(&self, _: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        self.0.store(true, Ordering::Relaxed);
        None
    }

    fn take_tls13_ticket(&self, _: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        self.0.store(true, Ordering::Relaxed);
        None
    }

    fn set_kx_hint(&self, _: ServerName<'static>, _: NamedGroup) {}

    fn set_tls12_session(&self, _: ServerName<'static>, _: Tls12ClientSessionValue) {}

    fn remove_tls12_session(&self, _: &ServerName<'static>) {}

    fn insert_tls13_ticket(&self, _: ServerName<'static>, _: Tls13ClientSessionValue) {}
}
