//! One verdict over everything a node offers: CPU evidence, binding, manifest. Only this module makes `Verified<NodeClaims>`.

use crate::{
    BindingId, Digest, EvidenceBundle, IdentityKey, Manifest, ManifestError, Nonce, UnixTime,
    Verified, snp::SnpClaims,
};

/// Whose root certificates anchored the verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchors {
    /// The vendors' pinned roots.
    Vendor,
    /// Roots given through [`crate::danger`]; every parsed policy denies them.
    Custom,
}

/// Claims of the CPU's TEE.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CpuClaims {
    /// AMD SEV-SNP.
    Snp(SnpClaims),
}

/// Claims of one node: nonce- and hash-linked through a measured guest, not "hardware-bound".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeClaims {
    /// The CPU's.
    pub cpu: CpuClaims,
    /// Whose roots.
    pub anchors: Anchors,
    /// The attested identity key.
    pub identity: IdentityKey,
    /// The attested manifest.
    pub manifest: Manifest,
    /// H(manifest).
    pub manifest_digest: Digest,
    /// Names this attestation.
    pub binding_id: BindingId,
    /// The nonce proven to be in report_data; `None` when the caller demanded none (an archived bundle).
    pub nonce: Option<Nonce>,
    /// Least end of any window that the verdict rests on.
    pub not_after: UnixTime,
}

/// The composite verifier with its anchors.
#[derive(Clone, Debug)]
pub struct Verifier {
    _private: (),
}

/// The step that failed, in the order of the steps; `code()` is stable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The manifest's bytes.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
}

impl VerifyError {
    /// Stable code, e.g. `snp.signature`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        unimplemented!()
    }
}

impl Verifier {
    /// A verifier that trusts the vendors' pinned roots and nothing else.
    #[must_use]
    pub fn vendor() -> Self {
        Self { _private: () }
    }

    /// Verifies `bundle` at `now`. With `nonce`, evidence that does not answer it is refused (`freshness.nonce`).
    pub fn verify(
        &self,
        bundle: &EvidenceBundle,
        nonce: Option<&Nonce>,
        now: UnixTime,
    ) -> Result<Verified<NodeClaims>, VerifyError> {
        let _ = (bundle, nonce, now);
        unimplemented!()
    }
}
