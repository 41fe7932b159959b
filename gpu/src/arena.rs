//! Memory of one owner on a device.

use std::{mem, sync::Arc};

use crate::{Device, DeviceError, Memory};

/// Allocates for one owner, at the start; what was given is wiped when it is dropped.
pub(crate) struct Arena<D: Device> {
    device: Arc<D>,
    given: Vec<Memory>,
}

impl<D: Device> Arena<D> {
    pub(crate) fn new(device: &Arc<D>) -> Self {
        Self {
            device: Arc::clone(device),
            given: Vec::new(),
        }
    }

    pub(crate) fn device(&self) -> &Arc<D> {
        &self.device
    }

    /// Room for so many values of four bytes, all zeros.
    pub(crate) fn words(&mut self, count: usize) -> Result<Memory, DeviceError> {
        self.bytes(4 * count)
    }

    /// Room for so many bytes, all zeros.
    pub(crate) fn bytes(&mut self, bytes: usize) -> Result<Memory, DeviceError> {
        let memory = self.device.allocate(bytes)?;
        self.given.push(memory);
        Ok(memory)
    }

    /// Memory with these floats.
    pub(crate) fn floats(&mut self, values: &[f32]) -> Result<Memory, DeviceError> {
        self.upload(values, f32::to_le_bytes)
    }

    /// Memory with these numbers.
    pub(crate) fn numbers(&mut self, values: &[u32]) -> Result<Memory, DeviceError> {
        self.upload(values, u32::to_le_bytes)
    }

    /// Memory with these bytes.
    pub(crate) fn copied(&mut self, bytes: &[u8]) -> Result<Memory, DeviceError> {
        let memory = self.bytes(bytes.len())?;
        self.device.upload(memory, bytes)?;
        Ok(memory)
    }

    fn upload<T: Copy>(
        &mut self,
        values: &[T],
        bytes: impl Fn(T) -> [u8; 4],
    ) -> Result<Memory, DeviceError> {
        let bytes: Vec<u8> = values.iter().flat_map(|value| bytes(*value)).collect();
        self.copied(&bytes)
    }
}

impl<D: Device> Drop for Arena<D> {
    fn drop(&mut self) {
        for memory in mem::take(&mut self.given) {
            // A device that failed has nobody left to tell.
            let _ = self.device.clear(memory);
        }
    }
}
