//! GGUF model files, versions 2 and 3 (<https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>): metadata and tensors.
//!
//! The whole file is held in memory, so that what was digested is what is used; of a file that is elsewhere, the header. Every length, count, type and offset is
//! checked when the file is opened; reading a value or a tensor later cannot leave the file.

mod cursor;
mod elsewhere;
mod error;
mod header;
mod loose;
mod tensor;
mod value;

use std::{collections::BTreeMap, mem, path::Path};

pub use elsewhere::{ModelBytes, TensorPlace, Unreadable};
pub use error::GgufError;
pub use loose::LooseTensors;
pub use tensor::{Tensor, TensorType};

use crate::file;
use header::Header;
use tensor::TensorSlot;
use value::Value;

/// Largest model file: 64 GiB.
const MAX_FILE_BYTES: u64 = 64 << 30;
/// Read first of a file that is elsewhere; twice as much whenever its header is longer.
const FIRST_BYTES: usize = 4 << 20;

/// A validated model file.
pub struct Gguf {
    bytes: Vec<u8>,
    digest: [u8; 32],
    metadata: BTreeMap<String, Value>,
    tensors: BTreeMap<String, TensorSlot>,
}

impl Gguf {
    /// Reads and validates the file at `path`, making its digest on the way.
    pub fn open(path: &Path) -> Result<Self, GgufError> {
        let (bytes, digest) = file::read(path, MAX_FILE_BYTES)?;
        Self::from_digested(bytes, digest)
    }

    /// Validates a file held in memory.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, GgufError> {
        let digest = file::digest(&bytes);
        Self::from_digested(bytes, digest)
    }

    fn from_digested(bytes: Vec<u8>, digest: [u8; 32]) -> Result<Self, GgufError> {
        let header = header::parse(&bytes, bytes.len())?;
        Ok(Self::with_header(bytes, digest, header))
    }

    /// The header of a file that `source` holds and whose SHA-256 is to be `digest`. Metadata are there, tensors in their places:
    /// asked for, they end early.
    pub fn describe(source: &dyn ModelBytes, digest: [u8; 32]) -> Result<Self, GgufError> {
        let too_large = GgufError::TooLarge(source.length());
        let length = usize::try_from(source.length()).ok();
        let length = length.filter(|length| *length as u64 <= MAX_FILE_BYTES);
        let length = length.ok_or(too_large)?;
        let mut wanted = FIRST_BYTES.min(length);
        loop {
            let mut bytes = source.read(0..wanted as u64)?;
            match header::parse(&bytes, length) {
                Err(GgufError::Truncated) if wanted < length => {
                    wanted = wanted.saturating_mul(2).min(length);
                }
                Err(error) => return Err(error),
                Ok(header) => {
                    bytes.truncate(header.data);
                    bytes.shrink_to_fit();
                    return Ok(Self::with_header(bytes, digest, header));
                }
            }
        }
    }

    fn with_header(bytes: Vec<u8>, digest: [u8; 32], header: Header) -> Self {
        Self {
            bytes,
            digest,
            metadata: header.metadata,
            tensors: header.tensors,
        }
    }

    /// SHA-256 of the whole file.
    pub fn digest(&self) -> [u8; 32] {
        self.digest
    }

    /// Whether the metadata has `key`.
    pub fn has(&self, key: &str) -> bool {
        self.metadata.contains_key(key)
    }

    /// All metadata keys, in byte order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.metadata.keys().map(String::as_str)
    }

    /// A string.
    pub fn str(&self, key: &str) -> Result<&str, GgufError> {
        self.value(key)?.str(&self.bytes).map_err(|e| e.named(key))
    }

    /// A truth value.
    pub fn bool(&self, key: &str) -> Result<bool, GgufError> {
        self.value(key)?.bool(&self.bytes).map_err(|e| e.named(key))
    }

    /// An integer of any width that is within `u32`.
    pub fn u32(&self, key: &str) -> Result<u32, GgufError> {
        let wide = self.value(key)?.integer(&self.bytes);
        let wide = wide.map_err(|e| e.named(key))?;
        u32::try_from(wide).map_err(|_| GgufError::ValueRange(key.to_owned()))
    }

    /// A 32-bit float.
    pub fn f32(&self, key: &str) -> Result<f32, GgufError> {
        self.value(key)?.f32(&self.bytes).map_err(|e| e.named(key))
    }

    /// An array of strings.
    pub fn strs(&self, key: &str) -> Result<Vec<&str>, GgufError> {
        self.value(key)?.strs(&self.bytes).map_err(|e| e.named(key))
    }

    /// An array of integers of any width that are all within `i32`.
    pub fn i32s(&self, key: &str) -> Result<Vec<i32>, GgufError> {
        self.integers(key)
    }

    /// An array of 32-bit floats.
    pub fn f32s(&self, key: &str) -> Result<Vec<f32>, GgufError> {
        self.value(key)?.f32s(&self.bytes).map_err(|e| e.named(key))
    }

    /// A tensor's type, shape and bytes.
    pub fn tensor(&self, name: &str) -> Result<Tensor<'_>, GgufError> {
        let slot = self.tensors.get(name);
        let slot = slot.ok_or_else(|| GgufError::MissingTensor(name.to_owned()))?;
        slot.tensor(&self.bytes)
    }

    /// Where a tensor lies in the file.
    pub fn place(&self, name: &str) -> Result<TensorPlace, GgufError> {
        let slot = self.tensors.get(name);
        let slot = slot.ok_or_else(|| GgufError::MissingTensor(name.to_owned()))?;
        Ok(slot.place())
    }

    /// Takes all tensors out of the file, so that the memory of each can be given back by itself; the metadata stay.
    pub fn take_tensors(&mut self) -> Result<LooseTensors, GgufError> {
        let tensors = mem::take(&mut self.tensors);
        LooseTensors::split(tensors, &mut self.bytes)
    }

    /// Names of all tensors, in byte order.
    pub fn tensor_names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    fn value(&self, key: &str) -> Result<&Value, GgufError> {
        let value = self.metadata.get(key);
        value.ok_or_else(|| GgufError::MissingKey(key.to_owned()))
    }

    fn integers<T: TryFrom<i128>>(&self, key: &str) -> Result<Vec<T>, GgufError> {
        let wide = self.value(key)?.integers(&self.bytes);
        let wide = wide.map_err(|e| e.named(key))?;
        let narrow = wide.into_iter().map(T::try_from).collect::<Result<_, _>>();
        narrow.map_err(|_| GgufError::ValueRange(key.to_owned()))
    }
}
