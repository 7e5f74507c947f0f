// SPDX-License-Identifier: Apache-2.0 OR MIT
//! TLS to an Engine, with the `docker` command's rules: `ca.pem` alone decides whom we trust (bollard's
//! own client would trust the host's authorities besides), a client's certificate counts where both of
//! its files are there, and who isn't verified still gets an encrypted connection.

use super::Material;
use crate::configuration::read;
use bollard::errors::Error as Bollard;
use bollard::{BollardRequest, ClientVersion, Docker};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ResolvesClientCert, WebPkiServerVerifier};
use rustls::crypto::{self, CryptoProvider};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{AlertDescription, CertificateError, ClientConfig, DigitallySignedStruct};
use rustls::{RootCertStore, SignatureScheme};
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

/// A client of the Engine at `https://host:port`.
///
/// # Errors
/// The sentence about the file that can't be used.
pub(super) fn connect(
    url: &str,
    material: &Material,
    seconds: u64,
    version: &ClientVersion,
) -> Result<Docker, String> {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    let connector = HttpsConnector::from((tcp, configuration(material)?));
    let mut builder = Client::builder(TokioExecutor::new());
    let client = builder.pool_max_idle_per_host(0).build(connector);
    let transport = move |request: BollardRequest| {
        let answer = client.request(request);
        async move { answer.await.map_err(Bollard::from) }
    };
    let client = Docker::connect_with_custom_transport(transport, Some(url), seconds, version);
    client.map_err(|error| error.to_string())
}

fn configuration(material: &Material) -> Result<ClientConfig, String> {
    let provider = Arc::new(crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider));
    let builder = builder.with_safe_default_protocol_versions().map_err(|e| e.to_string())?;
    let authorities = authorities(material)?;
    let verifier: Arc<dyn ServerCertVerifier> = if material.is_verified {
        let builder =
            WebPkiServerVerifier::builder_with_provider(authorities, Arc::clone(&provider));
        builder.build().map_err(|_| {
            let directory = material.directory.display();
            format!("no authority for its certificate: put ca.pem into {directory}")
        })?
    } else {
        Arc::new(Unverified(Arc::clone(&provider)))
    };
    let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
    Ok(match identity(&material.directory, &provider)? {
        Some(identity) => builder.with_client_cert_resolver(identity),
        None => builder.with_no_client_auth(),
    })
}

/// Whom to trust.
fn authorities(material: &Material) -> Result<Arc<RootCertStore>, String> {
    let mut store = RootCertStore::empty();
    let file = material.directory.join("ca.pem");
    match find(&file)? {
        Some(bytes) => {
            let found: Vec<_> = CertificateDer::pem_slice_iter(&bytes).flatten().collect();
            let (used, _) = store.add_parsable_certificates(found);
            if used == 0 {
                return Err(format!("{} holds no certificate", file.display()));
            }
        }
        None if material.needs_authority => {
            return Err(format!("{} is missing", file.display()));
        }
        None if material.is_verified => {
            store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
        None => {}
    }
    Ok(Arc::new(store))
}

/// Who we are, where that is said.
fn identity(
    directory: &Path,
    provider: &CryptoProvider,
) -> Result<Option<Arc<dyn ResolvesClientCert>>, String> {
    let (cert, key) = (directory.join("cert.pem"), directory.join("key.pem"));
    let (Some(chain), Some(secret)) = (find(&cert)?, find(&key)?) else { return Ok(None) };
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&chain).flatten().collect();
    if chain.is_empty() {
        return Err(format!("{} holds no certificate", cert.display()));
    }
    let unusable = || format!("{} holds no key that can be used", key.display());
    let secret = PrivateKeyDer::from_pem_slice(&secret).map_err(|_| unusable())?;
    let secret = provider.key_provider.load_private_key(secret).map_err(|_| unusable())?;
    let identity = CertifiedKey::new(chain, secret);
    if matches!(identity.keys_match(), Err(rustls::Error::InconsistentKeys(why))
        if why == rustls::InconsistentKeys::KeyMismatch)
    {
        return Err(format!("{} is not the key of {}", key.display(), cert.display()));
    }
    Ok(Some(Arc::new(SingleCertAndKey::from(identity))))
}

/// A file's bytes; none where there is no such file.
fn find(path: &Path) -> Result<Option<Vec<u8>>, String> {
    match read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => {
            Err(format!("{} can't be read: {}", path.display(), ocf::error::describe(&error)))
        }
    }
}

/// What a failure of TLS means for the operator.
pub(in crate::engine) fn explain(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InvalidCertificate(
            CertificateError::UnknownIssuer | CertificateError::BadSignature,
        ) => "its certificate isn't signed by our ca.pem".to_owned(),
        rustls::Error::AlertReceived(
            AlertDescription::BadCertificate
            | AlertDescription::CertificateRequired
            | AlertDescription::UnknownCA
            | AlertDescription::CertificateUnknown
            | AlertDescription::AccessDenied,
        ) => "it wants another cert.pem and key.pem of us".to_owned(),
        rustls::Error::InvalidMessage(_) => "it doesn't speak TLS".to_owned(),
        other => other.to_string(),
    }
}

/// `DOCKER_TLS` without `DOCKER_TLS_VERIFY`, or a context's `SkipTLSVerify`.
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
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.0.signature_verification_algorithms;
        crypto::verify_tls12_signature(message, cert, signed, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.0.signature_verification_algorithms;
        crypto::verify_tls13_signature(message, cert, signed, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
