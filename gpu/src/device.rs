//! What a decoder asks of a device: memory, copies and launches, all in one order.

mod launch;
mod memory;

pub use launch::{Argument, HeadShape, Launch, Slot};
pub use memory::Memory;

use crate::DeviceError;

/// A device that runs the entry points of `kernels/cuda`.
///
/// All that is asked of it happens in the order of asking. Kernels reach the device's own memory only: none of it is mapped into
/// this process, and none of this process's memory is mapped into the device.
pub trait Device: Send + Sync + 'static {
    /// A sequence of launches, ready to be run again and again as one.
    type Recording: Send;

    /// For what its kernels were built, as `sm_90a`.
    fn architecture(&self) -> &'static str;

    /// Memory, all zeros, for as long as the device is open. It begins at a multiple of 16 bytes.
    fn allocate(&self, bytes: usize) -> Result<Memory, DeviceError>;

    /// Copies to the beginning of `to`; `bytes` may be reused at once.
    fn upload(&self, to: Memory, bytes: &[u8]) -> Result<(), DeviceError>;

    /// Copies from the beginning of `from`, and waits for it.
    fn download(&self, from: Memory, bytes: &mut [u8]) -> Result<(), DeviceError>;

    /// Overwrites with zeros.
    fn clear(&self, memory: Memory) -> Result<(), DeviceError>;

    /// Launches once.
    fn launch(&self, launch: &Launch) -> Result<(), DeviceError>;

    /// Prepares launches to be run as one; runs nothing.
    fn record(&self, launches: &[Launch]) -> Result<Self::Recording, DeviceError>;

    /// Runs what was recorded.
    fn replay(&self, recording: &Self::Recording) -> Result<(), DeviceError>;
}
