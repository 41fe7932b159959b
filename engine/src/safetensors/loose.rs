//! Tensors that have left their files, each in memory of its own.

use std::{cell::RefCell, collections::BTreeMap};

use ::safetensors::tensor::TensorInfo;

use super::{Safetensors, SafetensorsError, layout};
use crate::gguf::Tensor;

/// Tensors by name, each until it is taken.
pub struct LooseSafetensors(RefCell<BTreeMap<String, Loose>>);

/// A tensor as the header describes it; whether it can be run is asked when it is taken.
struct Loose {
    info: TensorInfo,
    bytes: Vec<u8>,
}

impl LooseSafetensors {
    /// Cuts each file from its end, so that never more than one tensor is there twice.
    pub(crate) fn split(files: Vec<Safetensors>) -> Result<Self, SafetensorsError> {
        let mut tensors = BTreeMap::new();
        for mut file in files {
            for name in file.metadata.offset_keys().into_iter().rev() {
                let loose = file.split_off(&name)?;
                tensors.insert(name, loose);
            }
        }
        Ok(Self(RefCell::new(tensors)))
    }

    /// A tensor, as [`Safetensors::tensor`] gives it, which is here no more afterwards.
    pub fn take(&self, name: &str) -> Result<Tensor<'static>, SafetensorsError> {
        let loose = self.0.borrow_mut().remove(name);
        let loose = loose.ok_or_else(|| SafetensorsError::MissingTensor(name.to_owned()))?;
        let layout = layout(name, &loose.info)?;
        Ok(layout.tensor(loose.bytes.into()))
    }

    /// Whether there is such a tensor, not taken yet.
    pub fn has(&self, name: &str) -> bool {
        self.0.borrow().contains_key(name)
    }

    /// Names of those that were not taken, in byte order.
    pub fn names(&self) -> Vec<String> {
        self.0.borrow().keys().cloned().collect()
    }
}

impl Safetensors {
    /// Takes the tensor off the end of the file; what follows it there is lost.
    fn split_off(&mut self, name: &str) -> Result<Loose, SafetensorsError> {
        let info = self.metadata.info(name).cloned();
        let info = info.ok_or_else(|| SafetensorsError::MissingTensor(name.to_owned()))?;
        let (start, end) = info.data_offsets;
        let (start, end) = (self.data + start, self.data + end);
        if start > end || end > self.bytes.len() {
            return Err(SafetensorsError::Length);
        }
        self.bytes.truncate(end);
        let bytes = self.bytes.split_off(start);
        self.bytes.shrink_to_fit();
        Ok(Loose { info, bytes })
    }
}
