//! Launch measurements computed from the artefacts that a guest was started from.
//!
//! What a platform measures at launch follows from the firmware image, the virtual machine monitor and, where the firmware passes them on, kernel,
//! initrd and command line. [`snp`] computes SNP's launch digest, so that a policy can name a measurement that somebody has derived and not
//! merely seen in a report. [`tdx`] does the same for MRTD and for the registers that TDVF extends when a kernel is started directly.

mod error;
mod firmware;
mod measurement;
mod page;
pub mod snp;
pub mod tdx;

pub use error::MeasureError;
pub use measurement::{Measurement, Region};
