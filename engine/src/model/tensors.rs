//! Where a model's tensors come from.

use super::ModelError;
use crate::{
    folder::ModelFolder,
    gguf::{GgufError, LooseTensors, Tensor},
};

/// Tensors by name: a decoder's by those that GGUF files give them, whatever the file is.
pub(crate) trait Tensors {
    /// Whether there is such a tensor.
    fn has(&self, name: &str) -> bool;

    /// A tensor's type, shape and bytes.
    fn tensor(&self, name: &str) -> Result<Tensor<'_>, ModelError>;

    /// All names. A tensor that has none in GGUF files goes by its own.
    fn names(&self) -> Vec<String>;
}

/// Each tensor is given once.
impl Tensors for LooseTensors {
    fn has(&self, name: &str) -> bool {
        self.has(name)
    }

    fn tensor(&self, name: &str) -> Result<Tensor<'_>, ModelError> {
        let missing = || GgufError::MissingTensor(name.to_owned());
        Ok(self.take(name).ok_or_else(missing)??)
    }

    fn names(&self) -> Vec<String> {
        self.names()
    }
}

impl Tensors for ModelFolder {
    fn has(&self, name: &str) -> bool {
        self.has(name)
    }

    fn tensor(&self, name: &str) -> Result<Tensor<'_>, ModelError> {
        Ok(self.tensor(name)?)
    }

    fn names(&self) -> Vec<String> {
        self.tensor_names()
    }
}
