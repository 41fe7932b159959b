//! An invented NVIDIA: byte-exact SPDM reports of Hopper GPUs and their switches, the chains of their attestation keys, signed manifests and OCSP responses.
//!
//! [`Nvidia::invent`] makes every key; [`Nvidia::with`] changes any field of what is then signed, so that a test can be wrong in one
//! point only. [`FAULTS`] are such points, each with the code that must tell it.

mod certificates;
mod chip;
mod draft;
mod fault;
mod ocsp;
mod report;
mod rim;
mod vendor;

pub use certificates::{DEVICE_ID, EXTENDED_KEY_USAGE, device_id};
pub use draft::{Draft, Signer};
pub use fault::{FAULTS, Fault};
pub use ocsp::{About, Answer, OcspResponse};
pub use report::{Block, Report, opaque};
pub use rim::{Edit, Golden, Part, Rim};
pub use vendor::{Issued, Nvidia};

use chip::Chip;
