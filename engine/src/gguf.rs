//! GGUF model files, versions 2 and 3 (<https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>): metadata and tensors.
//!
//! The header is read first, then each tensor into memory of its own, all of it once: what was digested is what is used. Of a file that is
//! elsewhere there is the header. Every length, count, type and offset is checked before any tensor is read; reading a value later cannot
//! leave the header.

mod cursor;
mod elsewhere;
mod error;
mod header;
mod tensor;
mod value;

use std::{collections::BTreeMap, io::Read, mem, path::Path};

pub use elsewhere::{ModelBytes, TensorPlace, Unreadable};
pub use error::GgufError;
pub use tensor::{Tensor, TensorType};

use crate::{
    file::{FileError, Pieces},
    loose::Loose,
};
use header::Header;
use tensor::TensorSlot;
use value::Value;

/// Largest model file: 64 GiB.
const MAX_FILE_BYTES: u64 = 64 << 30;
/// Read first of a file; twice as much whenever its header is longer.
const FIRST_BYTES: usize = 4 << 20;

/// Tensors that were taken out of their file.
pub type LooseTensors = Loose<GgufError>;

/// A validated model file.
pub struct Gguf {
    /// The header.
    bytes: Vec<u8>,
    digest: [u8; 32],
    metadata: BTreeMap<String, Value>,
    tensors: BTreeMap<String, TensorSlot>,
}

impl Gguf {
    /// Reads and validates the file at `path`, making its digest on the way.
    pub fn open(path: &Path) -> Result<Self, GgufError> {
        Self::read(Pieces::open(path, MAX_FILE_BYTES)?)
    }

    /// Validates a file held in memory, of which the tensors are copied.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, GgufError> {
        Self::read(Pieces::of(bytes))
    }

    fn read<R: Read>(mut file: Pieces<R>) -> Result<Self, GgufError> {
        let (bytes, mut header) = head(&mut file)?;
        fill(&mut header.tensors, &mut file)?;
        Ok(Self::with_header(bytes, file.finish()?, header))
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
        self.slot(name)?.tensor()
    }

    /// Where a tensor lies in the file.
    pub fn place(&self, name: &str) -> Result<TensorPlace, GgufError> {
        Ok(self.slot(name)?.place())
    }

    /// Takes all tensors out of the file, so that the memory of each can be given back by itself; the metadata stay.
    pub fn take_tensors(&mut self) -> LooseTensors {
        let slots = mem::take(&mut self.tensors).into_iter();
        let tensors = slots.map(|(name, slot)| (name, slot.into_tensor()));
        LooseTensors::new(tensors.collect())
    }

    /// Names of all tensors, in byte order.
    pub fn tensor_names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    fn slot(&self, name: &str) -> Result<&TensorSlot, GgufError> {
        let slot = self.tensors.get(name);
        slot.ok_or_else(|| GgufError::MissingTensor(name.to_owned()))
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

/// The header and its bytes; what was read beyond them is given back.
fn head<R: Read>(file: &mut Pieces<R>) -> Result<(Vec<u8>, Header), GgufError> {
    let mut bytes = Vec::new();
    loop {
        let more = bytes.len().max(FIRST_BYTES).min(file.left());
        file.append(&mut bytes, more)?;
        match header::parse(&bytes, file.length()) {
            Err(GgufError::Truncated) if file.left() > 0 => {}
            Err(error) => return Err(error),
            Ok(header) => {
                file.give_back(bytes.split_off(header.data.min(bytes.len())));
                bytes.shrink_to_fit();
                return Ok((bytes, header));
            }
        }
    }
}

/// Reads each tensor into its own memory, in the order of the file.
fn fill<R: Read>(
    tensors: &mut BTreeMap<String, TensorSlot>,
    file: &mut Pieces<R>,
) -> Result<(), FileError> {
    let mut slots: Vec<_> = tensors.values_mut().collect();
    slots.sort_unstable_by_key(|slot| slot.start());
    slots.into_iter().try_for_each(|slot| slot.fill(file))
}
