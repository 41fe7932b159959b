//! `UEFI_GPT_DATA` (PFP section 10.2.5): the disk's header and every used entry.

use super::variable::utf16;
use crate::cursor::Cursor;

/// Offset of PartitionName in an entry, in bytes (UEFI 2.10 table 5-7).
const NAME: usize = 56;
const ENTRY_BYTES: usize = 128;
const HEADER_BYTES: usize = 92;

/// The partitions' names.
pub(super) fn names(event: &[u8]) -> Option<Vec<String>> {
    let mut cursor = Cursor::new(event);
    cursor
        .bytes(HEADER_BYTES)?
        .starts_with(b"EFI PART")
        .then_some(())?;
    let count = cursor.length_u64_le()?;
    let (entries, rest) = cursor.rest().as_chunks::<ENTRY_BYTES>();
    if entries.len() != count || !rest.is_empty() {
        return None;
    }
    entries
        .iter()
        .map(|entry| entry.get(NAME..).map(utf16))
        .collect()
}
