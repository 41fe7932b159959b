//! Safetensors files (<https://github.com/huggingface/safetensors#format>): a JSON header, then tensors without gaps.
//!
//! The header is read and checked first, then each tensor is read into memory of its own, all of it once: what was digested is what is used.

mod error;
mod header;
mod stored;

use std::{collections::BTreeMap, io::Read, path::Path};

pub use error::SafetensorsError;

use crate::{file::Pieces, gguf::Tensor};
use stored::Stored;

/// Largest file: 64 GiB.
const MAX_FILE_BYTES: u64 = 64 << 30;

/// Tensors that were taken out of their files, by name. Of one that cannot be run there is the reason.
pub(crate) type LooseSafetensors = BTreeMap<String, Result<Tensor<'static>, SafetensorsError>>;

/// A validated safetensors file.
pub struct Safetensors {
    digest: [u8; 32],
    tensors: BTreeMap<String, Stored>,
}

impl Safetensors {
    /// Reads and validates the file at `path`, making its digest on the way.
    pub fn open(path: &Path) -> Result<Self, SafetensorsError> {
        Self::read(Pieces::open(path, MAX_FILE_BYTES)?)
    }

    /// Validates a file held in memory, of which the tensors are copied.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, SafetensorsError> {
        Self::read(Pieces::of(bytes))
    }

    fn read<R: Read>(mut file: Pieces<R>) -> Result<Self, SafetensorsError> {
        let mut tensors = BTreeMap::new();
        for (name, info) in header::read(&mut file)? {
            let (start, end) = info.data_offsets;
            let bytes = file.take(end - start)?;
            tensors.insert(name, Stored::new(info, bytes));
        }
        Ok(Self {
            digest: file.finish()?,
            tensors,
        })
    }

    /// SHA-256 of the whole file.
    pub fn digest(&self) -> [u8; 32] {
        self.digest
    }

    /// Names of all tensors, in byte order.
    pub fn names(&self) -> Vec<String> {
        self.tensors.keys().cloned().collect()
    }

    /// Whether there is such a tensor.
    pub fn has(&self, name: &str) -> bool {
        self.tensors.contains_key(name)
    }

    /// A tensor of one or two dimensions, in F32, F16 or BF16.
    pub fn tensor(&self, name: &str) -> Result<Tensor<'_>, SafetensorsError> {
        let stored = self.tensors.get(name);
        let stored = stored.ok_or_else(|| SafetensorsError::MissingTensor(name.to_owned()))?;
        stored.tensor(name)
    }

    /// All tensors, each as [`Self::tensor`] gives it.
    pub(crate) fn into_tensors(self) -> LooseSafetensors {
        let tensors = self.tensors.into_iter();
        let tensors = tensors.map(|(name, stored)| {
            let tensor = stored.into_tensor(&name);
            (name, tensor)
        });
        tensors.collect()
    }
}
