//! The header: magic, version, counts, metadata, tensor entries; then where each tensor is.

use std::collections::{BTreeMap, btree_map::Entry};

use super::{
    GgufError,
    cursor::Cursor,
    tensor::{TensorEntry, TensorSlot},
    value::Value,
};

const MAGIC: &[u8; 4] = b"GGUF";
/// Longest metadata key, in bytes (gguf.md).
const MAX_KEY_BYTES: u64 = 65_535;
/// Most metadata entries, and most tensors.
const MAX_ENTRIES: u64 = 65_536;
/// Alignment of tensors where the metadata names none (gguf.md).
const DEFAULT_ALIGNMENT: u64 = 32;

/// All that the header says.
pub(super) struct Header {
    pub(super) metadata: BTreeMap<String, Value>,
    pub(super) tensors: BTreeMap<String, TensorSlot>,
    /// Where tensors begin.
    pub(super) data: usize,
}

/// `bytes`: the first ones of a file of `file_bytes`, or all of it. [`GgufError::Truncated`] where they end within the header.
pub(super) fn parse(bytes: &[u8], file_bytes: usize) -> Result<Header, GgufError> {
    let mut cursor = Cursor::new(bytes, 0);
    let (tensor_count, metadata_count) = preamble(&mut cursor)?;
    let metadata = metadata(metadata_count, &mut cursor)?;
    let alignment = alignment(&metadata, bytes)?;
    let entries = (0..tensor_count)
        .map(|_| TensorEntry::parse(&mut cursor))
        .collect::<Result<Vec<_>, _>>()?;
    let data = cursor.position().next_multiple_of(alignment as usize);
    let tensors = tensors(&entries, |entry| entry.place(data, alignment, file_bytes))?;
    check_apart(&tensors)?;
    check_end(data, alignment as usize, &tensors, file_bytes)?;
    Ok(Header {
        metadata,
        tensors,
        data,
    })
}

fn preamble(cursor: &mut Cursor<'_>) -> Result<(u64, u64), GgufError> {
    if &cursor.array::<4>()? != MAGIC {
        return Err(GgufError::Magic);
    }
    let version = cursor.u32()?;
    if !matches!(version, 2 | 3) {
        return Err(GgufError::Version(version));
    }
    Ok((count(cursor)?, count(cursor)?))
}

fn count(cursor: &mut Cursor<'_>) -> Result<u64, GgufError> {
    let count = cursor.u64()?;
    (count <= MAX_ENTRIES)
        .then_some(count)
        .ok_or(GgufError::Count(count))
}

fn metadata(count: u64, cursor: &mut Cursor<'_>) -> Result<BTreeMap<String, Value>, GgufError> {
    let mut metadata = BTreeMap::new();
    for _ in 0..count {
        let key = cursor.name(MAX_KEY_BYTES)?;
        match metadata.entry(key.to_owned()) {
            Entry::Occupied(_) => return Err(GgufError::DuplicateKey(key.to_owned())),
            Entry::Vacant(vacant) => drop(vacant.insert(Value::parse(cursor)?)),
        }
    }
    Ok(metadata)
}

fn alignment(metadata: &BTreeMap<String, Value>, bytes: &[u8]) -> Result<u64, GgufError> {
    let Some(value) = metadata.get("general.alignment") else {
        return Ok(DEFAULT_ALIGNMENT);
    };
    let alignment = value.integer(bytes).ok();
    alignment
        .and_then(|alignment| u64::try_from(alignment).ok())
        .filter(|alignment| alignment.is_power_of_two() && (8..=65_536).contains(alignment))
        .ok_or(GgufError::Alignment)
}

fn tensors(
    entries: &[TensorEntry],
    place: impl Fn(&TensorEntry) -> Result<TensorSlot, GgufError>,
) -> Result<BTreeMap<String, TensorSlot>, GgufError> {
    let mut tensors = BTreeMap::new();
    for entry in entries {
        if tensors.insert(entry.name.clone(), place(entry)?).is_some() {
            return Err(GgufError::DuplicateTensor(entry.name.clone()));
        }
    }
    Ok(tensors)
}

/// No byte is in two tensors: each is read once, into the memory of one.
fn check_apart(tensors: &BTreeMap<String, TensorSlot>) -> Result<(), GgufError> {
    let mut tensors: Vec<_> = tensors.iter().collect();
    tensors.sort_unstable_by_key(|(_, slot)| slot.start());
    let mut end = 0;
    for (name, slot) in tensors {
        if slot.start() < end {
            return Err(GgufError::TensorBounds(name.clone()));
        }
        end = slot.end();
    }
    Ok(())
}

/// The file ends with the last tensor, or with its padding.
fn check_end(
    data: usize,
    alignment: usize,
    tensors: &BTreeMap<String, TensorSlot>,
    file_bytes: usize,
) -> Result<(), GgufError> {
    let end = tensors.values().map(TensorSlot::end).max().unwrap_or(data);
    match file_bytes.checked_sub(end.next_multiple_of(alignment)) {
        Some(extra) if extra > 0 => Err(GgufError::TrailingBytes(extra as u64)),
        _ => Ok(()),
    }
}
