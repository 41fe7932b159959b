//! NVIDIA GPUs (Hopper, Blackwell) and switches (LS10) in confidential-compute mode: SPDM 1.1 measurements judged against reference integrity manifests.

mod references;
pub mod rim;

pub use references::References;
