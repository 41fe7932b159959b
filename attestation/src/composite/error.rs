//! Why a node's evidence was refused.

use crate::{
    ErrorClass, ManifestError, collateral::CollateralError, nvidia::MachineRefusal, snp::SnpError,
    tdx::TdxError,
};

/// The step that failed, in the order of the steps; `code()` is stable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The collateral that came with the evidence.
    #[error(transparent)]
    Collateral(#[from] CollateralError),
    /// The CPU's evidence: SNP.
    #[error(transparent)]
    Snp(#[from] SnpError),
    /// The CPU's evidence: TDX.
    #[error(transparent)]
    Tdx(#[from] TdxError),
    /// The manifest's bytes.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The report's REPORT_DATA is not the hash of this identity, this manifest, this freshness and these devices.
    #[error("the report is not bound to this identity key, manifest, freshness and these devices")]
    ReportData,
    /// No path from the caller's nonce to the freshness in the report.
    #[error("the evidence does not answer this nonce")]
    Nonce,
    /// The devices' evidence.
    #[error(transparent)]
    Devices(#[from] Box<MachineRefusal>),
}

impl VerifyError {
    /// Stable code, e.g. `snp.signature`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Collateral(error) => error.code(),
            Self::Snp(error) => error.code(),
            Self::Tdx(error) => error.code(),
            Self::Manifest(error) => error.code(),
            Self::ReportData => "binding.report_data",
            Self::Nonce => "freshness.nonce",
            Self::Devices(refusal) => refusal.error.code(),
        }
    }

    /// What the refusal says of the input.
    #[must_use]
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Snp(error) => error.class(),
            Self::Tdx(error) => error.class(),
            Self::Collateral(_) | Self::Manifest(_) => ErrorClass::Malformed,
            Self::ReportData | Self::Nonce => ErrorClass::Rejected,
            Self::Devices(refusal) => refusal.error.class(),
        }
    }

    /// Whether the same evidence may pass with fresher endorsements.
    #[must_use]
    pub fn retryable(&self) -> bool {
        match self {
            Self::Snp(error) => error.retryable(),
            Self::Tdx(error) => error.retryable(),
            Self::Devices(refusal) => refusal.error.retryable(),
            _ => false,
        }
    }
}
