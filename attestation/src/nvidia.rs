//! NVIDIA GPUs (Hopper, Blackwell) and switches (LS10) in confidential-compute mode: SPDM 1.1 measurements judged against reference integrity manifests.
//!
//! [`verify`] judges one device, [`verify_all`] all devices of a machine with their links. Without a manifest or an OCSP response that the verdict needs,
//! everything given is checked all the same and the answer is [`NvidiaError::Incomplete`].

mod appraise;
mod authentic;
mod chain;
mod claims;
mod device;
mod error;
mod evidence_list;
mod fwid;
mod machine;
mod manifests;
mod measurements;
mod opaque;
mod references;
mod revocation;
pub mod rim;
mod spdm;
mod steps;
pub mod topology;
mod verify;
mod warm;

pub use authentic::{Authentic, VerifiedDeviceChain, authenticate};
pub(crate) use chain::named_device;
pub use claims::{DeviceClaims, NOT_PROVED};
pub use device::{Architecture, Device, Feature, Kind, Nvdec0, Pdi};
pub use error::{Missing, NvidiaError, OcspSubject};
pub use evidence_list::{EvidenceList, EvidenceListError};
pub use machine::{MachineClaims, MachineRefusal, verify_all};
pub use manifests::VerifiedReferences;
pub use measurements::{Firmware, RimClaims};
pub use references::References;
pub use steps::{MACHINE_STEPS, STEPS};
pub use verify::{Evidence, verify};
pub use warm::{VerifiedDevice, appraise_all};
