//! The root (ARK) and the intermediate (ASK).

use super::Validity;
use crate::x509::{Certificate, Extension, Key, KeyUsage, Name};

/// The self-signed root.
pub(crate) fn ark(product_name: &str, validity: Validity, key: &Key) -> Certificate {
    let name = Name::amd(&format!("ARK-{product_name}"));
    let certificate = Certificate {
        serial: vec![1, 0, 0],
        ..Certificate::new([name.clone(), name], 1, validity, key)
    };
    certificate.extended([
        Extension::key_usage(KeyUsage::CERTIFICATES_AND_LISTS),
        Extension::subject_key_identifier(&key.identifier()),
        Extension::authority(None),
    ])
}

/// The intermediate, to be signed by `ark`.
pub(crate) fn ask(product_name: &str, validity: Validity, key: &Key, ark: &Key) -> Certificate {
    let issuer = Name::amd(&format!("ARK-{product_name}"));
    let subject = Name::amd(&format!("SEV-{product_name}"));
    let certificate = Certificate {
        serial: vec![1, 0, 1],
        ..Certificate::new([issuer, subject], 1, validity, key)
    };
    certificate.extended([
        Extension::subject_key_identifier(&key.identifier()),
        Extension::authority_key_identifier(&ark.identifier()),
        Extension::authority(Some(0)),
        Extension::key_usage(KeyUsage::CERTIFICATES),
    ])
}
