//! The inference core on CUDA devices: kernels that were built ahead, attested by digest.

mod arena;
mod backend;
mod buffers;
mod decipher;
mod decoder;
mod device;
pub mod driver;
mod error;
mod fast;
mod input;
mod layout;
pub mod operations;
mod pages;
mod plan;
mod self_test;
mod steps;
mod uuid;
mod weights;

pub use backend::{Arithmetic, GpuBackend};
pub use decipher::{DecipherError, DecipheringBackend, SealedSource, VerifiedSegment};
pub use decoder::GpuDecoder;
pub use device::{Argument, Device, HeadShape, Launch, Memory, Slot};
pub use error::DeviceError;
pub use pages::DevicePages;
pub use self_test::{SelfTestError, SelfTestReport};
pub use uuid::DeviceUuid;
