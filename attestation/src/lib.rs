//! Evidence bytes and a time go in, [`Verified`] claims come out.
//!
//! Pure: no clock, network, file, environment, global state, logging or `unsafe`; builds for `wasm32-unknown-unknown`.
//! Nouns are those of RFC 9334.

pub mod binding;
pub mod bundle;
pub mod cache;
pub mod cbor;
pub mod collateral;
pub mod composite;
pub mod crypto;
mod cursor;
pub mod danger;
pub mod ear;
pub mod eventlog;
pub mod evidence;
pub mod freshness;
pub mod hash;
pub mod manifest;
pub mod measure;
pub mod named_machine;
pub mod nvidia;
pub mod ocsp;
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
pub use cache::Cache;
pub use collateral::CollateralBundle;
pub use composite::{Anchors, CpuClaims, NodeClaims, Verifier, VerifyError};
pub use evidence::{
    Attestation, CpuEvidence, DeviceEvidence, EvidenceError, EvidenceProvider, ForeignReportData,
    GpuNonce, SnpEvidence, TdxEvidence, attest,
};
pub use freshness::{Freshness, Nonce, NoncePath};
pub use manifest::{Manifest, ManifestError};
pub use named_machine::NamedMachine;
pub use step::{ErrorClass, Step};
pub use time::UnixTime;
pub use verified::Verified;
pub use window::Window;

/// A SHA-256 digest.
pub type Digest = [u8; 32];
