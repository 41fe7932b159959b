//! Tensors that have left their files, each in memory of its own.

use std::{cell::RefCell, collections::BTreeMap};

use crate::gguf::Tensor;

/// Tensors by name, each until it is taken. Of one that cannot be run there is the reason.
pub struct Loose<E>(RefCell<BTreeMap<String, Result<Tensor<'static>, E>>>);

impl<E> Loose<E> {
    pub(crate) fn new(tensors: BTreeMap<String, Result<Tensor<'static>, E>>) -> Self {
        Self(RefCell::new(tensors))
    }

    /// A tensor, which is here no more afterwards; none where it is not here.
    pub fn take(&self, name: &str) -> Option<Result<Tensor<'static>, E>> {
        self.0.borrow_mut().remove(name)
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
