//! Pages of keys and values on a device.

use std::sync::Arc;

use engine::{
    decoder::{NotWiped, PageMemory},
    model::ModelConfig,
};
use kernels::attention::page_len;

use crate::{Device, DeviceError, Memory, arena::Arena};

/// All pages, `[layer][page][key-value head]`.
pub struct DevicePages<D: Device> {
    device: Arc<D>,
    layers: Vec<Memory>,
    page_bytes: usize,
    pages: usize,
}

impl<D: Device> DevicePages<D> {
    /// `value_bytes`: those of each key's and each value's columns.
    pub(crate) fn new(
        arena: &mut Arena<D>,
        config: &ModelConfig,
        pages: usize,
        value_bytes: usize,
    ) -> Result<Self, DeviceError> {
        let page_bytes = value_bytes * config.kv_heads * page_len(config.padded_head_width());
        let layers = (0..config.layers).map(|_| arena.bytes(pages * page_bytes));
        Ok(Self {
            layers: layers.collect::<Result<_, _>>()?,
            device: Arc::clone(arena.device()),
            page_bytes,
            pages,
        })
    }

    /// All pages of each layer.
    pub(crate) fn layers(&self) -> &[Memory] {
        &self.layers
    }

    /// The parts of a page, layer by layer.
    fn parts_of(&self, page: u32) -> impl Iterator<Item = Memory> {
        let page = page as usize;
        let layers = self.layers.iter().filter(move |_| page < self.pages);
        layers.map(move |layer| layer.part(page * self.page_bytes, self.page_bytes))
    }

    /// What lies in these pages, one after the other.
    pub(crate) fn read(&self, pages: &[u32]) -> Result<Vec<u8>, DeviceError> {
        let mut all = Vec::new();
        for part in pages.iter().flat_map(|page| self.parts_of(*page)) {
            let mut bytes = vec![0; part.bytes()];
            self.device.download(part, &mut bytes)?;
            all.extend(bytes);
        }
        Ok(all)
    }

    /// Whether no trace of any sequence is left.
    pub fn is_blank(&self) -> Result<bool, DeviceError> {
        let mut bytes = vec![0; self.pages * self.page_bytes];
        for layer in &self.layers {
            self.device.download(*layer, &mut bytes)?;
            if bytes.iter().any(|byte| *byte != 0) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl<D: Device> PageMemory for DevicePages<D> {
    fn wipe(&mut self, page: u32) -> Result<(), NotWiped> {
        let mut parts = self.parts_of(page);
        let wiped = parts.try_for_each(|part| self.device.clear(part));
        wiped.map_err(|_| NotWiped)
    }
}
