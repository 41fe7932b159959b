//! TLS of a public listener: 1.3 only, X25519MLKEM768 first, HTTP/2 before HTTP/1.1.

use arc_swap::ArcSwap;
use rustls::{
    ServerConfig,
    crypto::{
        CryptoProvider,
        aws_lc_rs::{self, kx_group},
    },
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
    version::TLS13,
};
use std::sync::Arc;

/// Why certificate and key do not make a server.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The certificate file.
    #[error("the certificate file is not a list of PEM certificates")]
    Certificate,
    /// The key file.
    #[error("the key file holds no PEM private key")]
    Key,
    /// The two do not belong together, or the key is of a kind that is not supported.
    #[error("certificate and key are refused: {0}")]
    Mismatch(rustls::Error),
}

/// A chain, leaf first, and its key.
#[derive(Clone, Debug)]
pub struct Certificate(Arc<CertifiedKey>);

/// The certificate that the listener shows, until it is exchanged for another.
#[derive(Debug)]
pub struct ShownCertificate(ArcSwap<CertifiedKey>);

impl Certificate {
    /// Both in PEM.
    pub fn from_pem(chain_pem: &[u8], key_pem: &[u8]) -> Result<Self, TlsError> {
        let chain: Vec<_> = CertificateDer::pem_slice_iter(chain_pem)
            .collect::<Result<_, _>>()
            .map_err(|_| TlsError::Certificate)?;
        if chain.is_empty() {
            return Err(TlsError::Certificate);
        }
        // The parser's error is dropped: it may quote the file.
        let key = PrivateKeyDer::from_pem_slice(key_pem).map_err(|_| TlsError::Key)?;
        let certified = CertifiedKey::from_der(chain, key, &provider());
        Ok(Self(Arc::new(certified.map_err(TlsError::Mismatch)?)))
    }
}

impl ShownCertificate {
    /// Shows `certificate` first.
    #[must_use]
    pub fn new(certificate: Certificate) -> Self {
        Self(ArcSwap::new(certificate.0))
    }

    /// For handshakes from now on; connections that are there stay.
    pub fn exchange(&self, certificate: Certificate) {
        self.0.store(certificate.0);
    }
}

impl ResolvesServerCert for ShownCertificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}

/// A server that shows `certificate`.
pub fn server_config(certificate: Arc<ShownCertificate>) -> Result<ServerConfig, TlsError> {
    let mut config = ServerConfig::builder_with_provider(Arc::new(provider()))
        .with_protocol_versions(&[&TLS13])
        .map_err(TlsError::Mismatch)?
        .with_no_client_auth()
        .with_cert_resolver(certificate);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

fn provider() -> CryptoProvider {
    CryptoProvider {
        kx_groups: vec![
            kx_group::X25519MLKEM768,
            kx_group::X25519,
            kx_group::SECP256R1,
        ],
        ..aws_lc_rs::default_provider()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pem() -> (String, String) {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        (made.cert.pem(), made.signing_key.serialize_pem())
    }

    #[test]
    fn a_certificate_and_its_key_make_a_server() {
        let (certificate, key) = pem();
        let certificate = Certificate::from_pem(certificate.as_bytes(), key.as_bytes());
        let shown = ShownCertificate::new(certificate.unwrap());
        let config = server_config(Arc::new(shown)).unwrap();
        assert_eq!(
            config.alpn_protocols,
            [b"h2".to_vec(), b"http/1.1".to_vec()]
        );
        let first = config.crypto_provider().kx_groups[0].name();
        assert_eq!(first, rustls::NamedGroup::X25519MLKEM768);
    }

    #[test]
    fn every_mistake_has_its_error() {
        let ((certificate, key), (_, other_key)) = (pem(), pem());
        let try_pair = |chain: &str, key: &str| {
            Certificate::from_pem(chain.as_bytes(), key.as_bytes()).unwrap_err()
        };
        assert!(matches!(try_pair("", &key), TlsError::Certificate));
        assert!(matches!(try_pair(&key, &key), TlsError::Certificate));
        assert!(matches!(
            try_pair(&certificate, &certificate),
            TlsError::Key
        ));
        assert!(matches!(
            try_pair(&certificate, &other_key),
            TlsError::Mismatch(_)
        ));
    }
}
