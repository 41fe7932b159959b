//! Not shipped: an invented AMD, an invented Intel and an invented NVIDIA with real formats, for tests and the demonstration.
//!
//! A [`Vendor`] makes its keys when it is invented and keeps them in memory; a [`Machine`] signs byte-exact SNP reports with a
//! VCEK of that vendor. What verifies under its roots is `Anchors::Custom`, which every parsed policy denies.
//!
//! Every field of a report and of a certificate can be set before it is signed, so that a test can be wrong in one point only.

#![expect(
    clippy::expect_used,
    reason = "a vendor that cannot make a key or a signature has no use, and nothing here is shipped"
)]

pub mod bundle;
pub mod der;
mod gpu_machine;
pub mod machine;
pub mod nvidia;
mod pki;
pub mod policy_text;
pub mod publisher;
pub mod report;
pub mod signer;
pub mod snp;
pub mod tdx;
mod tdx_machine;
pub mod vendor;
pub mod x509;

pub use bundle::bundle;
pub use gpu_machine::GpuMachine;
pub use machine::Machine;
pub use pki::{Validity, VekCertificate};
pub use policy_text::PolicyText;
pub use publisher::Publisher;
pub use report::{Cpuid, FirmwareVersion, KeyInfo, Report};
pub use signer::PolicySigner;
pub use tdx_machine::TdxMachine;
pub use vendor::{AuthorityCertificates, Vendor, verifier, verifier_of_all};
