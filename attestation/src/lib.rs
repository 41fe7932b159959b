//! Evidence bytes and a time go in, [`Verified`] claims come out.
//!
//! Pure: no clock, network, file, environment, global state, logging or `unsafe`; builds for `wasm32-unknown-unknown`.
//! Nouns are those of RFC 9334.

pub mod binding;
pub mod bundle;
pub mod cbor;
pub mod collateral;
pub mod composite;
pub mod crypto;
pub mod danger;
pub mod ear;
pub mod eventlog;
pub mod freshness;
pub mod hash;
pub mod manifest;
pub mod measure;
pub mod nvidia;
mod ocsp;
pub mod roots;
pub mod snp;
mod step;
pub mod tdx;
pub mod time;
pub mod verified;
pub mod vtpm;
mod window;
mod x509;

pub use binding::{Binding, BindingId, IdentityKey, ReportData};
pub use bundle::{BundleError, EvidenceBundle};
pub use collateral::CollateralBundle;
pub use composite::{Anchors, CpuClaims, NodeClaims, Verifier, VerifyError};
pub use freshness::{Freshness, Nonce, NoncePath};
pub use manifest::{Manifest, ManifestError};
pub use step::{ErrorClass, Step};
pub use time::UnixTime;
pub use verified::Verified;
pub use window::Window;

/// A SHA-256 digest.
pub type Digest = [u8; 32];

/// Appends to evidence (at the runtime) whatever ties `binding` to this machine's hardware.
pub trait EvidenceProvider: Send + Sync {
    /// Evidence over `binding.report_data()`, as a bundle with the CPU entries and endorsements filled in.
    fn evidence(&self, binding: &Binding) -> Result<CpuEvidence, EvidenceError>;
}

/// What the CPU's firmware hands out: vendor bytes, untouched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CpuEvidence {
    /// The SNP attestation report (1184 bytes), AMD 56860 table 23.
    pub report: Vec<u8>,
    /// The VCEK or VLEK certificate, DER.
    pub vek: Vec<u8>,
    /// Intermediates (ASK or ASVK), DER; empty: the built-in ones.
    pub chain: Vec<Vec<u8>>,
}

/// Why a platform gave no evidence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvidenceError {
    /// The platform's interface is absent or answered with an error; the text is safe to log.
    #[error("evidence unavailable: {0}")]
    Unavailable(String),
    /// The firmware answered with a report for another request.
    #[error("the firmware's report does not carry the requested report_data")]
    Mismatch,
}
