//! One verdict over everything a node offers: CPU evidence, binding, manifest. Only this module makes `Verified<NodeClaims>`.

use crate::{
    Binding, BindingId, CpuEvidence, DeviceEvidence, Digest, ErrorClass, EvidenceBundle,
    IdentityKey, Manifest, ManifestError, Nonce, UnixTime, Verified,
    roots::SnpRoots,
    snp::{self, SnpClaims, SnpError},
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
    roots: SnpRoots,
    anchors: Anchors,
}

/// The step that failed, in the order of the steps; `code()` is stable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// A TEE or a device that this build cannot verify.
    #[error("this build cannot verify this TEE or these devices")]
    Unsupported,
    /// The CPU's evidence.
    #[error(transparent)]
    Snp(#[from] SnpError),
    /// The manifest's bytes.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The report's REPORT_DATA is not the hash of this identity, this manifest and this freshness.
    #[error("the report is not bound to this identity key, manifest and freshness")]
    ReportData,
    /// No path from the caller's nonce to the freshness in the report.
    #[error("the evidence does not answer this nonce")]
    Nonce,
}

impl VerifyError {
    /// Stable code, e.g. `snp.signature`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unsupported => "evidence.unsupported",
            Self::Snp(error) => error.code(),
            Self::Manifest(error) => error.code(),
            Self::ReportData => "binding.report_data",
            Self::Nonce => "freshness.nonce",
        }
    }

    /// What the refusal says of the input.
    #[must_use]
    pub const fn class(&self) -> ErrorClass {
        match self {
            Self::Unsupported => ErrorClass::Unsupported,
            Self::Snp(error) => error.class(),
            Self::Manifest(_) => ErrorClass::Malformed,
            Self::ReportData | Self::Nonce => ErrorClass::Rejected,
        }
    }

    /// Whether the same report may pass with fresher endorsements.
    #[must_use]
    pub const fn retryable(&self) -> bool {
        match self {
            Self::Snp(error) => error.retryable(),
            _ => false,
        }
    }
}

impl Verifier {
    /// A verifier that trusts the vendors' pinned roots and nothing else.
    #[must_use]
    pub fn vendor() -> Self {
        Self {
            roots: SnpRoots::vendor(),
            anchors: Anchors::Vendor,
        }
    }

    /// A verifier of an invented vendor. Whatever the roots are, its verdicts say `Custom`.
    pub(crate) const fn custom(roots: SnpRoots) -> Self {
        Self {
            roots,
            anchors: Anchors::Custom,
        }
    }

    /// Verifies `bundle` at `now`. With `nonce`, evidence that does not answer it is refused (`freshness.nonce`).
    ///
    /// `bundle.key_configs` is not looked at: it is for whoever holds the identity key that this proves.
    pub fn verify(
        &self,
        bundle: &EvidenceBundle,
        nonce: Option<&Nonce>,
        now: UnixTime,
    ) -> Result<Verified<NodeClaims>, VerifyError> {
        let CpuEvidence::Snp(snp) = &bundle.cpu else {
            return Err(VerifyError::Unsupported);
        };
        if !bundle.devices.is_empty() {
            return Err(VerifyError::Unsupported);
        }
        let snp = snp::verify_cpu(snp, &self.roots, now)?;
        let manifest = Manifest::from_cbor(&bundle.manifest)?;
        let binding = bundle.binding();
        let report_data = binding.report_data();
        if !snp.carries(&report_data) {
            return Err(VerifyError::ReportData);
        }
        check_nonce(bundle, nonce)?;
        let claims = NodeClaims {
            not_after: snp.not_after,
            cpu: CpuClaims::Snp(snp),
            anchors: self.anchors,
            identity: bundle.identity,
            manifest,
            manifest_digest: binding.manifest,
            binding_id: report_data.binding_id(),
            nonce: nonce.copied(),
        };
        Ok(Verified::new(claims, now))
    }
}

impl EvidenceBundle {
    /// What report_data must be the hash of.
    #[must_use]
    pub fn binding(&self) -> Binding {
        Binding {
            freshness: self.freshness,
            identity: self.identity.digest(),
            manifest: Manifest::digest(&self.manifest),
            devices: self.devices.iter().map(DeviceEvidence::digest).collect(),
        }
    }
}

/// That the freshness in report_data covers `nonce`, where one is demanded.
fn check_nonce(bundle: &EvidenceBundle, nonce: Option<&Nonce>) -> Result<(), VerifyError> {
    let Some(nonce) = nonce else {
        return Ok(());
    };
    let path = bundle.nonce_path.as_ref().ok_or(VerifyError::Nonce)?;
    let is_answered = bundle.freshness.includes(nonce, path);
    is_answered.then_some(()).ok_or(VerifyError::Nonce)
}

#[cfg(test)]
mod tests;
