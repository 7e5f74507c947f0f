// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Who a server is. The library's judgement counts; beyond it, what every other client of this host takes: a
//! certificate that this host trusts itself, one of version 1, and a name that stands in the subject only.

use super::certificate::{Certificate, Key, is_for};
use rustls::SignatureScheme;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_name;
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls13_signature_with_raw_key,
};
use rustls::pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError as Bad, DigitallySignedStruct, Error as Tls, RootCertStore};
use std::sync::Arc;

/// Knows whom this host trusts.
#[derive(Debug)]
pub(super) struct Verifier {
    webpki: Arc<WebPkiServerVerifier>,
    roots: Arc<RootCertStore>,
    trusted: Vec<CertificateDer<'static>>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Verifier {
    /// One that trusts these.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) fn new(
        trusted: Vec<CertificateDer<'static>>,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Self, String> {
        let mut roots = RootCertStore::empty();
        let all = trusted.iter().map(|one| CertificateDer::from(one.as_ref()));
        let (used, _) = roots.add_parsable_certificates(all);
        if used == 0 {
            return Err("this host trusts no authority: install ca-certificates".to_owned());
        }
        let roots = Arc::new(roots);
        let webpki =
            WebPkiServerVerifier::builder_with_provider(Arc::clone(&roots), Arc::clone(provider));
        let webpki = webpki.build().map_err(|error| error.to_string())?;
        Ok(Self { webpki, roots, trusted, algorithms: provider.signature_verification_algorithms })
    }

    /// Whether an authority that this host trusts issued it, with no other between them.
    fn has_issuer(&self, certificate: &Certificate<'_>) -> bool {
        // What an authority is restricted to stands in names that such certificates haven't got.
        let is_issuer = |subject: &[u8], is_free: bool| is_free && subject == certificate.issuer;
        let mut issuers = self
            .roots
            .roots
            .iter()
            .filter(|root| is_issuer(root.subject.as_ref(), root.name_constraints.is_none()));
        issuers.any(|root| {
            let key = Key::find(root.subject_public_key_info.as_ref());
            let is_right = |key: Key<'_>| {
                self.algorithms.all.iter().any(|algorithm| {
                    algorithm.signature_alg_id().as_ref() == certificate.algorithm
                        && algorithm.public_key_alg_id().as_ref() == key.algorithm
                        && algorithm
                            .verify_signature(key.bits, certificate.signed, certificate.signature)
                            .is_ok()
                })
            };
            key.is_some_and(is_right)
        })
    }

    /// Judges what the library refused.
    fn judge(
        &self,
        bytes: &CertificateDer<'_>,
        host: &ServerName<'_>,
        now: UnixTime,
        refused: Bad,
    ) -> Result<ServerCertVerified, Bad> {
        let Some(certificate) = Certificate::find(bytes) else { return Err(refused) };
        let is_trusted = match &refused {
            // Its issuer is known, and perhaps there are others between them.
            Bad::NotValidForNameContext { presented, .. } if presented.is_empty() => {
                self.has_issuer(&certificate)
            }
            Bad::UnknownIssuer | Bad::Other(_) => {
                self.trusted.contains(bytes)
                    || certificate.is_first_version && self.has_issuer(&certificate)
            }
            _ => false,
        };
        if !is_trusted {
            return Err(refused);
        }
        match certificate.validity(now) {
            Some((true, false)) => {}
            Some((false, _)) => return Err(Bad::NotValidYet),
            Some((true, true)) => return Err(Bad::Expired),
            None => return Err(refused),
        }
        let named = ParsedCertificate::try_from(bytes);
        let named = named.and_then(|certificate| verify_server_name(&certificate, host));
        let has_no_other = match named {
            Ok(()) => return Ok(ServerCertVerified::assertion()),
            Err(Tls::InvalidCertificate(Bad::NotValidForNameContext { presented, .. })) => {
                presented.is_empty()
            }
            Err(_) => certificate.is_first_version,
        };
        let name = certificate.common_name().filter(|_| has_no_other);
        match name.is_some_and(|name| is_for(name, &host.to_str())) {
            true => Ok(ServerCertVerified::assertion()),
            false => Err(Bad::NotValidForName),
        }
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        host: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Tls> {
        match self.webpki.verify_server_cert(certificate, others, host, ocsp, now) {
            Err(Tls::InvalidCertificate(refused)) => {
                Ok(self.judge(certificate, host, now, refused)?)
            }
            judged => judged,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Tls> {
        let Some(key) = first_version(certificate).and_then(|one| Key::of(&one)) else {
            return self.webpki.verify_tls12_signature(message, certificate, signed);
        };
        let mut algorithms =
            self.algorithms.mapping.iter().filter(|(scheme, _)| *scheme == signed.scheme);
        let is_right = algorithms.any(|(_, algorithms)| {
            algorithms.iter().any(|algorithm| {
                algorithm.public_key_alg_id().as_ref() == key.algorithm
                    && algorithm.verify_signature(key.bits, message, signed.signature()).is_ok()
            })
        });
        if is_right {
            Ok(HandshakeSignatureValid::assertion())
        } else {
            Err(Bad::BadSignature.into())
        }
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Tls> {
        let Some(one) = first_version(certificate) else {
            return self.webpki.verify_tls13_signature(message, certificate, signed);
        };
        let key = SubjectPublicKeyInfoDer::from(one.key);
        verify_tls13_signature_with_raw_key(message, &key, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// A certificate that the library can't read.
fn first_version<'a>(bytes: &'a CertificateDer<'_>) -> Option<Certificate<'a>> {
    Certificate::find(bytes).filter(|certificate| certificate.is_first_version)
}

/// Takes any certificate: of a server that is known already. What anybody may present proves nothing by being
/// signed, so signatures aren't looked at either, and a key may be of a kind that the library hasn't got.
#[derive(Debug)]
pub(super) struct Unverified;

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
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Tls> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Tls> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![
            SignatureScheme::ECDSA_NISTP256_SHA256,
            SignatureScheme::ECDSA_NISTP384_SHA384,
            SignatureScheme::ECDSA_NISTP521_SHA512,
            SignatureScheme::ED25519,
            SignatureScheme::ED448,
            SignatureScheme::RSA_PSS_SHA256,
            SignatureScheme::RSA_PSS_SHA384,
            SignatureScheme::RSA_PSS_SHA512,
            SignatureScheme::RSA_PKCS1_SHA256,
            SignatureScheme::RSA_PKCS1_SHA384,
            SignatureScheme::RSA_PKCS1_SHA512,
            SignatureScheme::ECDSA_SHA1_Legacy,
            SignatureScheme::RSA_PKCS1_SHA1,
        ]
    }
}
