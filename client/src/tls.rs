//! TLS to the gateway: 1.3 only, X25519MLKEM768 first. It hides metadata from the network; the seal hides the prompt from the gateway.

use crate::{ClientError, Gateway, Roots};
use rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs, version::TLS13};
use rustls_pki_types::CertificateDer;
use std::sync::Arc;

pub(crate) fn config(gateway: &Gateway) -> Result<ClientConfig, ClientError> {
    let store = match &gateway.roots {
        _ if !gateway.url.is_tls() => RootCertStore::empty(),
        Roots::System => system_store()?,
        Roots::Given(certificates) => given_store(certificates)?,
    };
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&TLS13])
        .map_err(|error| ClientError::Roots(error.to_string()))?;
    Ok(builder.with_root_certificates(store).with_no_client_auth())
}

/// The system's certificates; single ones that do not parse are passed over, as every TLS client does.
fn system_store() -> Result<RootCertStore, ClientError> {
    let loaded = rustls_native_certs::load_native_certs();
    let mut store = RootCertStore::empty();
    let (added, _ignored) = store.add_parsable_certificates(loaded.certs);
    if added == 0 {
        return Err(ClientError::Roots(
            "the operating system has none".to_owned(),
        ));
    }
    Ok(store)
}

fn given_store(certificates: &[Vec<u8>]) -> Result<RootCertStore, ClientError> {
    let mut store = RootCertStore::empty();
    for certificate in certificates {
        store
            .add(CertificateDer::from(certificate.clone()))
            .map_err(|error| ClientError::Roots(error.to_string()))?;
    }
    if store.is_empty() {
        return Err(ClientError::Roots("the file names none".to_owned()));
    }
    Ok(store)
}
