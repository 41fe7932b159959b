//! Tensors that have left their file, each in memory of its own.

use std::{cell::RefCell, collections::BTreeMap};

use super::{GgufError, Tensor, tensor::TensorSlot};

/// Tensors by name, each until it is taken.
pub struct LooseTensors(RefCell<BTreeMap<String, Tensor<'static>>>);

impl LooseTensors {
    /// Cuts the file's bytes from the end, so that never more than one tensor is there twice.
    pub(super) fn split(
        tensors: BTreeMap<String, TensorSlot>,
        bytes: &mut Vec<u8>,
    ) -> Result<Self, GgufError> {
        let mut slots: Vec<_> = tensors.into_iter().collect();
        slots.sort_unstable_by_key(|(_, slot)| slot.start());
        let tensors = slots.into_iter().rev().map(|(name, slot)| {
            let tensor = slot.split_off(&name, bytes)?;
            Ok((name, tensor))
        });
        let tensors: Result<_, GgufError> = tensors.collect();
        Ok(Self(RefCell::new(tensors?)))
    }

    /// A tensor, which is here no more afterwards.
    pub fn take(&self, name: &str) -> Result<Tensor<'static>, GgufError> {
        let tensor = self.0.borrow_mut().remove(name);
        tensor.ok_or_else(|| GgufError::MissingTensor(name.to_owned()))
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
