//! Memory that a device has given.

use std::sync::{Arc, Mutex, PoisonError};

use cudarc::driver::{CudaContext, result, sys::CUresult};

use super::number;
use crate::{DeviceError, Memory};

/// All memory of a device, freed when it is closed. Holds the context that the memory is of.
pub(super) struct Allocations {
    context: Arc<CudaContext>,
    given: Given,
}

/// What was given.
#[derive(Default)]
struct Given(Mutex<Vec<Memory>>);

impl Allocations {
    pub(super) fn of(context: &Arc<CudaContext>) -> Self {
        Self {
            context: Arc::clone(context),
            given: Given::default(),
        }
    }

    /// Takes memory; the device's context is the thread's.
    pub(super) fn allocate(&self, bytes: usize) -> Result<Memory, DeviceError> {
        #[expect(unsafe_code, reason = "a call of the driver")]
        // SAFETY: no memory of this process is involved; what was allocated is cleared before anybody sees it.
        let address = unsafe { result::malloc_sync(bytes) };
        let address = address.map_err(|error| match error.0 {
            CUresult::CUDA_ERROR_OUT_OF_MEMORY => DeviceError::OutOfMemory { bytes },
            _ => DeviceError::Execution(number(&error)),
        })?;
        let memory = Memory::new(address, bytes);
        let mut all = self.given.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.push(memory);
        Ok(memory)
    }

    /// Whether the first `bytes` bytes of `memory` were given.
    pub(super) fn check(&self, memory: Memory, bytes: usize) -> Result<(), DeviceError> {
        self.given.check(memory, bytes)
    }
}

impl Given {
    fn check(&self, memory: Memory, bytes: usize) -> Result<(), DeviceError> {
        let asked = Memory::new(memory.address(), bytes);
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let given = bytes <= memory.bytes() && all.iter().any(|given| given.contains(asked));
        given.then_some(()).ok_or(DeviceError::ForeignMemory)
    }
}

impl Drop for Allocations {
    fn drop(&mut self) {
        // A device that failed has nobody left to tell.
        let _ = self.context.bind_to_thread();
        let all = self.given.0.get_mut();
        let all = all.unwrap_or_else(PoisonError::into_inner);
        for memory in all.drain(..) {
            #[expect(unsafe_code, reason = "a call of the driver")]
            // SAFETY: it was allocated here, is freed once, and the device waited for all that it was told to do.
            let freed = unsafe { result::free_sync(memory.address()) };
            let _ = freed;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_given_is_used() {
        let given = Memory::new(4096, 256);
        let all = Given(Mutex::new(vec![given]));
        assert_eq!(all.check(given, 256), Ok(()));
        assert_eq!(all.check(given.part(16, 240), 240), Ok(()));
        for (memory, bytes) in [
            (given, 257),
            (Memory::new(4000, 256), 8),
            (Memory::new(4352, 8), 8),
            (given.part(0, 8), 16),
        ] {
            let refused = all.check(memory, bytes);
            assert_eq!(refused, Err(DeviceError::ForeignMemory));
        }
    }
}
