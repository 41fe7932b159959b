//! A CUDA device, through the driver that the machine has: `libcuda` is loaded at run time, so the same program runs without.
//!
//! Kernels were built ahead for each architecture and are part of this program ([`kernels::cubin`]): nothing is compiled here,
//! neither from source nor from PTX. No managed memory, no registered or pinned host memory, no peer access.

mod allocation;
mod functions;
mod library;
mod open;
mod recording;

use std::sync::Arc;

use cudarc::driver::{CudaStream, result};

pub use library::FUNCTIONS;
pub use recording::Recording;

use crate::{Device, DeviceError, DeviceUuid, Launch, Memory};
use allocation::Allocations;
use functions::Functions;

/// A CUDA device with its kernels. All it does happens on one stream.
pub struct CudaDevice {
    // Dropped in this order: memory goes while the context is there.
    allocations: Allocations,
    functions: Functions,
    stream: Arc<CudaStream>,
    architecture: &'static str,
    driver_version: u32,
    uuid: DeviceUuid,
}

impl CudaDevice {
    /// The version of the driver, as `13000` for 13.0.
    pub fn driver_version(&self) -> u32 {
        self.driver_version
    }

    /// Which GPU it is; where the GPU is divided (MIG), the part's own, which is no GPU's.
    pub fn uuid(&self) -> DeviceUuid {
        self.uuid
    }

    /// Until all is done that was asked for.
    fn wait(&self) -> Result<(), DeviceError> {
        let done = self.stream.synchronize();
        done.map_err(|error| DeviceError::Execution(number(&error)))
    }

    fn bind(&self) -> Result<(), DeviceError> {
        let bound = self.stream.context().bind_to_thread();
        bound.map_err(|error| DeviceError::Execution(number(&error)))
    }
}

impl Device for CudaDevice {
    type Recording = Recording;

    fn architecture(&self) -> &'static str {
        self.architecture
    }

    fn allocate(&self, bytes: usize) -> Result<Memory, DeviceError> {
        self.bind()?;
        let memory = self.allocations.allocate(bytes)?;
        self.clear(memory)?;
        Ok(memory)
    }

    fn upload(&self, to: Memory, bytes: &[u8]) -> Result<(), DeviceError> {
        self.allocations.check(to, bytes.len())?;
        self.bind()?;
        #[expect(unsafe_code, reason = "a call of the driver")]
        // SAFETY: the device gave as much memory from `to` on, and does so until it is closed. `bytes` is pageable memory: the
        // driver has copied all of it when the call returns.
        let copied =
            unsafe { result::memcpy_htod_async(to.address(), bytes, self.stream.cu_stream()) };
        copied.map_err(|error| DeviceError::Copy(number(&error)))
    }

    fn download(&self, from: Memory, bytes: &mut [u8]) -> Result<(), DeviceError> {
        self.allocations.check(from, bytes.len())?;
        self.bind()?;
        if bytes.is_empty() {
            return self.wait();
        }
        #[expect(unsafe_code, reason = "a call of the driver")]
        // SAFETY: the device gave as much memory from `from` on, and does so until it is closed. `bytes` stays borrowed until the
        // stream has done all that it was told.
        let copied =
            unsafe { result::memcpy_dtoh_async(bytes, from.address(), self.stream.cu_stream()) };
        let done = self.wait();
        copied.map_err(|error| DeviceError::Copy(number(&error)))?;
        done
    }

    fn clear(&self, memory: Memory) -> Result<(), DeviceError> {
        self.allocations.check(memory, memory.bytes())?;
        self.bind()?;
        let (address, bytes) = (memory.address(), memory.bytes());
        #[expect(unsafe_code, reason = "a call of the driver")]
        // SAFETY: the device gave this memory, and does so until it is closed; it holds numbers, for which zero is a value.
        let cleared =
            unsafe { result::memset_d8_async(address, 0, bytes, self.stream.cu_stream()) };
        cleared.map_err(|error| DeviceError::Copy(number(&error)))
    }

    fn launch(&self, launch: &Launch) -> Result<(), DeviceError> {
        for memory in launch.memory() {
            self.allocations.check(memory, memory.bytes())?;
        }
        self.bind()?;
        self.functions.launch(launch, &self.stream)
    }

    fn record(&self, launches: &[Launch]) -> Result<Recording, DeviceError> {
        self.bind()?;
        Recording::of(&self.stream, || {
            launches.iter().try_for_each(|launch| self.launch(launch))
        })
    }

    fn replay(&self, recording: &Recording) -> Result<(), DeviceError> {
        recording.replay_on(&self.stream)
    }
}

impl Drop for CudaDevice {
    fn drop(&mut self) {
        // The stream may still use the memory that is freed next; a device that failed has nobody left to tell.
        let _ = self.stream.synchronize();
    }
}

/// The driver's number of an error.
fn number(error: &cudarc::driver::DriverError) -> u32 {
    error.0 as u32
}
