//! Where a device is tested.

use std::sync::Arc;

use kernels::Isa;

use crate::{Device, DeviceError, Launch, Memory, arena::Arena};

/// A device, memory for its tests, and the CPU's path to hold it against.
pub(super) struct Bench<D: Device> {
    pub(super) arena: Arena<D>,
    pub(super) isa: Isa,
}

impl<D: Device> Bench<D> {
    pub(super) fn new(device: &Arc<D>) -> Self {
        Self {
            arena: Arena::new(device),
            isa: Isa::detect(),
        }
    }

    pub(super) fn run(&self, launches: &[Launch]) -> Result<(), DeviceError> {
        let device = self.arena.device();
        launches.iter().try_for_each(|launch| device.launch(launch))
    }

    pub(super) fn floats(&self, memory: Memory, count: usize) -> Result<Vec<f32>, DeviceError> {
        let mut bytes = vec![0; 4 * count];
        self.arena.device().download(memory, &mut bytes)?;
        let values = bytes.as_chunks::<4>().0.iter();
        Ok(values.map(|bytes| f32::from_le_bytes(*bytes)).collect())
    }

    /// Values in bf16, an even number of them.
    pub(super) fn halves(&self, memory: Memory, count: usize) -> Result<Vec<f32>, DeviceError> {
        let pairs = self.floats(memory, count / 2)?;
        let both = |pair: f32| {
            let bits = pair.to_bits();
            [bits << 16, bits & 0xffff_0000].map(f32::from_bits)
        };
        Ok(pairs.into_iter().flat_map(both).collect())
    }
}
