//! Safetensors files (<https://github.com/huggingface/safetensors#format>): a JSON header, then tensors without gaps.
//!
//! The whole file is held in memory, so that what was digested is what is used. The crate `safetensors` checks the header:
//! its length, every offset, that the tensors fill the file and none overlaps another, that sizes are those of the shapes.

mod error;
mod loose;

use std::{borrow::Cow, path::Path};

use ::safetensors::{
    Dtype, SafeTensors,
    tensor::{Metadata, TensorInfo},
};

pub use error::SafetensorsError;
pub use loose::LooseSafetensors;

use crate::{
    file,
    gguf::{Tensor, TensorType},
};

/// Largest file: 64 GiB.
const MAX_FILE_BYTES: u64 = 64 << 30;
/// Bytes before the header: its length.
const LENGTH_BYTES: usize = 8;

/// A validated safetensors file.
pub struct Safetensors {
    bytes: Vec<u8>,
    digest: [u8; 32],
    /// Where the tensors begin.
    data: usize,
    metadata: Metadata,
}

impl Safetensors {
    /// Reads and validates the file at `path`, making its digest on the way.
    pub fn open(path: &Path) -> Result<Self, SafetensorsError> {
        let (bytes, digest) = file::read(path, MAX_FILE_BYTES)?;
        Self::from_digested(bytes, digest)
    }

    /// Validates a file held in memory.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, SafetensorsError> {
        let digest = file::digest(&bytes);
        Self::from_digested(bytes, digest)
    }

    fn from_digested(bytes: Vec<u8>, digest: [u8; 32]) -> Result<Self, SafetensorsError> {
        let (header_bytes, metadata) = SafeTensors::read_metadata(&bytes)?;
        Ok(Self {
            data: LENGTH_BYTES + header_bytes,
            bytes,
            digest,
            metadata,
        })
    }

    /// SHA-256 of the whole file.
    pub fn digest(&self) -> [u8; 32] {
        self.digest
    }

    /// Names of all tensors.
    pub fn names(&self) -> Vec<String> {
        self.metadata.offset_keys()
    }

    /// Whether there is such a tensor.
    pub fn has(&self, name: &str) -> bool {
        self.metadata.info(name).is_some()
    }

    /// A tensor of one or two dimensions, in F32, F16 or BF16.
    pub fn tensor(&self, name: &str) -> Result<Tensor<'_>, SafetensorsError> {
        let info = self.metadata.info(name);
        let info = info.ok_or_else(|| SafetensorsError::MissingTensor(name.to_owned()))?;
        let layout = layout(name, info)?;
        let (start, end) = info.data_offsets;
        let bytes = self.bytes.get(self.data + start..self.data + end);
        Ok(layout.tensor(bytes.ok_or(SafetensorsError::Length)?.into()))
    }
}

/// How a tensor is stored, and its shape.
struct Layout {
    kind: TensorType,
    columns: usize,
    rows: usize,
}

impl Layout {
    fn tensor(self, bytes: Cow<'_, [u8]>) -> Tensor<'_> {
        Tensor {
            kind: self.kind,
            columns: self.columns,
            rows: self.rows,
            bytes,
        }
    }
}

/// What the header says of a tensor, if it can be run.
fn layout(name: &str, info: &TensorInfo) -> Result<Layout, SafetensorsError> {
    let kind = match info.dtype {
        Dtype::F32 => TensorType::F32,
        Dtype::F16 => TensorType::F16,
        Dtype::BF16 => TensorType::BF16,
        _ => return Err(SafetensorsError::TensorType(name.to_owned())),
    };
    let (rows, columns) = match *info.shape.as_slice() {
        [columns] if columns > 0 => (1, columns),
        [rows, columns] if rows > 0 && columns > 0 => (rows, columns),
        _ => return Err(SafetensorsError::Shape(name.to_owned())),
    };
    Ok(Layout {
        kind,
        columns,
        rows,
    })
}
