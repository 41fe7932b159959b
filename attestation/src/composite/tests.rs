use super::{Anchors, Verifier, VerifyError};
use crate::{ErrorClass, snp::SnpError};

#[test]
fn codes_of_the_parts_pass_through() {
    let snp = VerifyError::from(SnpError::ChainExpired(crate::snp::Certificate::Vek));
    assert_eq!(
        (snp.code(), snp.class()),
        ("snp.chain.expired", ErrorClass::Rejected)
    );
    assert!(snp.retryable());
    let manifest = VerifyError::from(crate::ManifestError::UnknownVersion);
    assert_eq!(
        (manifest.code(), manifest.class()),
        ("manifest.version", ErrorClass::Malformed)
    );
    assert!(!manifest.retryable());
}

#[test]
fn even_the_vendors_roots_are_custom_when_they_come_as_custom() {
    let custom = Verifier::custom(crate::roots::Roots::vendor());
    assert_eq!(custom.anchors, Anchors::Custom);
    assert_eq!(Verifier::vendor().anchors, Anchors::Vendor);
}
