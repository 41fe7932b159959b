//! The invented vendor: an ARK and an ASK whose keys live in this process only.

use crate::{
    pki::{self, Validity, VekCertificate, product_name},
    x509::Key,
};
use attestation::{UnixTime, Verifier, roots::Roots, snp::Product};
use aws_lc_rs::{
    encoding::{AsDer as _, PublicKeyX509Der},
    signature::{EcdsaKeyPair, KeyPair as _},
};
use std::sync::Arc;

/// 2020-01-01T00:00:00Z.
pub(crate) const NOT_BEFORE: UnixTime = UnixTime(1_577_836_800);

/// 2045-01-01T00:00:00Z, as long as AMD's own.
pub(crate) const NOT_AFTER: UnixTime = UnixTime(2_366_841_600);

/// A root and an intermediate of one product line.
///
/// Inventing one takes seconds (two RSA-4096 keys): tests share one and vary it with [`Vendor::reissued`].
#[derive(Clone)]
pub struct Vendor {
    keys: Arc<Keys>,
    certificates: AuthorityCertificates,
    ark_der: Vec<u8>,
    ask_der: Vec<u8>,
}

struct Keys {
    ark: Key,
    ask: Key,
}

/// What the root and the intermediate say, before they are signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuthorityCertificates {
    /// Names the authorities: `ARK-Milan`, `SEV-Milan`.
    pub product: Product,
    /// Dates of the root.
    pub ark_validity: Validity,
    /// Dates of the intermediate.
    pub ask_validity: Validity,
}

/// A verifier that trusts an invented vendor of another process. What it verifies is `Anchors::Custom`.
#[must_use]
pub fn verifier(ark_der: &[u8], ask_der: &[u8]) -> Verifier {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the crate for invented vendors"
    )]
    attestation::danger::verifier_with_roots(ark_der, ask_der)
}

/// A verifier that trusts the invented vendors of another process: ARK and ASK, Intel's root, NVIDIA's device and RIM roots. What it
/// verifies is `Anchors::Custom`.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "this is the crate for invented vendors"
)]
pub fn verifier_of_all(amd: (&[u8], &[u8]), intel: &[u8], nvidia: (&[u8], &[u8])) -> Verifier {
    attestation::danger::verifier(Roots {
        snp: attestation::danger::snp_roots(amd.0, amd.1),
        tdx: attestation::danger::tdx_roots(intel),
        nvidia: attestation::danger::nvidia_roots(nvidia.0, nvidia.1),
    })
}

impl Vendor {
    /// A new vendor with new keys, for `product`.
    #[must_use]
    pub fn invent(product: Product) -> Self {
        let keys = Keys {
            ark: Key::rsa_4096(),
            ask: Key::rsa_4096(),
        };
        let validity = Validity {
            not_before: NOT_BEFORE,
            not_after: NOT_AFTER,
        };
        let certificates = AuthorityCertificates {
            product,
            ark_validity: validity,
            ask_validity: validity,
        };
        Self::certified(Arc::new(keys), certificates)
    }

    /// The same keys under other certificates.
    #[must_use]
    pub fn reissued(&self, edit: impl FnOnce(&mut AuthorityCertificates)) -> Self {
        let mut certificates = self.certificates;
        edit(&mut certificates);
        Self::certified(Arc::clone(&self.keys), certificates)
    }

    /// The same keys for another product line.
    #[must_use]
    pub fn for_product(&self, product: Product) -> Self {
        self.reissued(|certificates| certificates.product = product)
    }

    fn certified(keys: Arc<Keys>, certificates: AuthorityCertificates) -> Self {
        let name = product_name(certificates.product);
        Self {
            ark_der: pki::ark(name, certificates.ark_validity, &keys.ark).sign(&keys.ark),
            ask_der: pki::ask(name, certificates.ask_validity, &keys.ask, &keys.ark)
                .sign(&keys.ark),
            certificates,
            keys,
        }
    }

    /// The product line that the certificates name.
    #[must_use]
    pub const fn product(&self) -> Product {
        self.certificates.product
    }

    /// The root certificate, DER.
    #[must_use]
    pub fn ark_der(&self) -> &[u8] {
        &self.ark_der
    }

    /// The intermediate certificate, DER.
    #[must_use]
    pub fn ask_der(&self) -> &[u8] {
        &self.ask_der
    }

    /// A verifier that trusts this vendor. What it verifies is `Anchors::Custom`.
    #[must_use]
    pub fn verifier(&self) -> Verifier {
        verifier(&self.ark_der, &self.ask_der)
    }

    /// Certifies a chip's key.
    pub(crate) fn certify(&self, certificate: &VekCertificate, key: &EcdsaKeyPair) -> Vec<u8> {
        let public_key: PublicKeyX509Der<'_> =
            key.public_key().as_der().expect("a P-384 key has a form");
        certificate
            .to_certificate(public_key.as_ref().to_vec())
            .sign(&self.keys.ask)
    }
}

impl std::fmt::Debug for Vendor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vendor")
            .field("certificates", &self.certificates)
            .finish_non_exhaustive()
    }
}
