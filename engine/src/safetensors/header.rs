//! The header: which tensors there are, and where. It is checked whole before any tensor is read.

use std::{collections::BTreeMap, fmt, io::Read};

use ::safetensors::tensor::{Metadata, TensorInfo};
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};

use super::SafetensorsError;
use crate::{file::Pieces, strict_json};

/// Bytes before the header: its length.
const LENGTH_BYTES: usize = 8;
/// Longest header: 16 MiB, room for some hundred thousand tensors.
const MAX_HEADER_BYTES: usize = 16 << 20;

/// Texts about the file, which change nothing.
const TEXTS: &str = "__metadata__";

/// Reads and checks the header at the beginning of `file`: names and descriptions of the tensors that fill the rest of it, in their order.
pub(super) fn read<R: Read>(
    file: &mut Pieces<R>,
) -> Result<Vec<(String, TensorInfo)>, SafetensorsError> {
    let length = length(file)?;
    let bytes = file.take(length)?;
    let entries = strict_json::parse(&bytes);
    let Entries(mut tensors) = entries.map_err(|_| SafetensorsError::Header)?;
    tensors.sort_by_key(|(_, info)| info.data_offsets);
    let end = tensors.last().map_or(0, |(_, info)| info.data_offsets.1);
    // The crate checks that no tensor leaves a gap or overlaps another, and that sizes are those of the shapes.
    Metadata::new(None, tensors.clone()).map_err(|_| SafetensorsError::Offsets)?;
    match end == file.left() {
        true => Ok(tensors),
        false => Err(SafetensorsError::Length),
    }
}

/// The header's length, which stands before it.
fn length<R: Read>(file: &mut Pieces<R>) -> Result<usize, SafetensorsError> {
    if file.left() < LENGTH_BYTES {
        return Err(SafetensorsError::HeaderLength);
    }
    let mut length = [0; LENGTH_BYTES];
    length.copy_from_slice(&file.take(LENGTH_BYTES)?);
    let length = usize::try_from(u64::from_le_bytes(length)).ok();
    let most = file.left().min(MAX_HEADER_BYTES);
    let length = length.filter(|length| *length <= most);
    length.ok_or(SafetensorsError::HeaderLength)
}

/// The header's tensors, by name.
struct Entries(Vec<(String, TensorInfo)>);

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EntriesVisitor)
    }
}

struct EntriesVisitor;

impl<'de> Visitor<'de> for EntriesVisitor {
    type Value = Entries;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("tensors by name")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Entries, A::Error> {
        let mut tensors = Vec::new();
        while let Some(name) = entries.next_key::<String>()? {
            if name == TEXTS {
                entries.next_value::<BTreeMap<String, String>>()?;
            } else {
                tensors.push((name, entries.next_value()?));
            }
        }
        Ok(Entries(tensors))
    }
}
