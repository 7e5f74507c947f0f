// SPDX-License-Identifier: Apache-2.0 OR MIT
//! TLS, made ready only for a URL that needs it: reading this host's authorities costs more than the whole
//! of a monitor does.

mod certificate;
mod verifier;

use rustls::client::danger::ServerCertVerifier;
use rustls::client::{ClientSessionStore, Resumption};
use rustls::client::{Tls12ClientSessionValue, Tls13ClientSessionValue};
use rustls::crypto;
use rustls::pki_types::ServerName;
use rustls::{AlertDescription as Alert, CertificateError as Bad, ClientConfig, Error as Tls};
use rustls::{NamedGroup, RootCertStore};
use std::error::Error;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use verifier::{Unverified, Verifier};

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
    let builder = if is_https {
        let verifier: Arc<dyn ServerCertVerifier> = match is_verified {
            true => {
                Arc::new(Verifier::new(rustls_native_certs::load_native_certs().certs, &provider)?)
            }
            false => Arc::new(Unverified),
        };
        builder.dangerous().with_custom_certificate_verifier(verifier)
    } else {
        builder.with_root_certificates(RootCertStore::empty())
    };
    let mut configuration = builder.with_no_client_auth();
    configuration.resumption = Resumption::store(Arc::new(handshake.clone()));
    Ok(configuration)
}

/// Why a handshake failed, where it did, with the remedy.
pub(super) fn find_cause(error: &(dyn Error + 'static)) -> Option<String> {
    find(error).map(explain)
}

/// Whether the server itself ended it, with an alert (RFC 8446, section 6), or speaks TLS as this client
/// doesn't.
pub(super) fn is_refusal(error: &(dyn Error + 'static)) -> bool {
    let found = find(error);
    matches!(
        found,
        Some(Tls::AlertReceived(_) | Tls::PeerIncompatible(_) | Tls::InvalidCertificate(_))
    )
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
            Bad::BadSignature => "renew the certificate, with RSA of 2048 bits or ECDSA",
            Bad::Other(_) => "this host must be made to trust the certificate itself",
            other => return format!("the certificate can't be used: {other}"),
        }
        .to_owned(),
        Tls::AlertReceived(alert) => {
            let remedy = match alert {
                Alert::ProtocolVersion => ": let SSLProtocol have TLSv1.2",
                // Before TLS 1.3 it says that for want of a certificate, too.
                Alert::HandshakeFailure => ": see SSLCipherSuite, SSLVerifyClient",
                Alert::CertificateRequired | Alert::BadCertificate => ": see SSLVerifyClient",
                _ => "",
            };
            format!("the server's alert is {alert:?}{remedy}")
        }
        Tls::PeerIncompatible(_) => {
            "the server's TLS is too old: see SSLProtocol, SSLCipherSuite".to_owned()
        }
        Tls::InvalidMessage(_) => "the server speaks no TLS: use http in the URL".to_owned(),
        other => other.to_string(),
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
