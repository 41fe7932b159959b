//! An OVMF image and the table of GUIDs at its end, which both SNP and TDX start from.
//!
//! The table ends 32 bytes before the image does and is read backwards: each entry is its data, its length (u16, all of the entry) and its GUID (16
//! bytes, mixed-endian); the last one (`OVMF_TABLE_FOOTER_GUID`) has the length of the whole table. Integers are little-endian. The image ends at 4 GiB.

use super::{MeasureError, page::PAGE_BYTES};

/// A GUID as it stands in memory.
pub(super) type Guid = [u8; 16];

/// The largest image that is read; those that ship have 2 to 16 MiB.
const MAX_IMAGE_BYTES: usize = 32 * 1024 * 1024;
const FOUR_GIB: u64 = 1 << 32;
/// What stands behind the table: the reset vector.
const AFTER_TABLE_BYTES: usize = 32;
/// Length and GUID.
const ENTRY_HEADER_BYTES: usize = 18;
const TABLE_FOOTER: Guid = guid(
    0x96b5_82de,
    0x1fb2,
    0x45f7,
    [0xba, 0xea, 0xa3, 0x66, 0xc5, 0x5a, 0x08, 0x2d],
);

/// An image whose table is well-formed.
pub(super) struct Firmware<'a> {
    image: &'a [u8],
    entries: Vec<Entry<'a>>,
}

struct Entry<'a> {
    guid: Guid,
    data: &'a [u8],
}

impl<'a> Firmware<'a> {
    pub(super) fn parse(image: &'a [u8]) -> Result<Self, MeasureError> {
        let pages = image.len() / PAGE_BYTES;
        if pages == 0 || pages * PAGE_BYTES != image.len() || image.len() > MAX_IMAGE_BYTES {
            return Err(MeasureError::FirmwareSize(image.len()));
        }
        let table = table(image).ok_or(MeasureError::FirmwareFooter)?;
        let entries = entries(table).ok_or(MeasureError::FirmwareTable)?;
        Ok(Self { image, entries })
    }

    pub(super) fn image(&self) -> &'a [u8] {
        self.image
    }

    /// Where the image begins in guest memory.
    pub(super) fn gpa(&self) -> u64 {
        FOUR_GIB - self.image.len() as u64
    }

    /// The data of the table's entry `guid`.
    pub(super) fn entry(&self, guid: &Guid) -> Option<&'a [u8]> {
        let entry = self.entries.iter().find(|entry| entry.guid == *guid)?;
        Some(entry.data)
    }

    /// The image's last `length` bytes: the table's entries point into it by their distance from its end.
    pub(super) fn tail(&self, length: u32) -> Option<&'a [u8]> {
        let start = self.image.len().checked_sub(length as usize)?;
        self.image.get(start..)
    }
}

/// The bytes between the table's first entry and its footer.
fn table(image: &[u8]) -> Option<&[u8]> {
    let end = image.len().checked_sub(AFTER_TABLE_BYTES)?;
    let (before, guid, table_bytes) = last_header(image.get(..end)?)?;
    let data_bytes = table_bytes.checked_sub(ENTRY_HEADER_BYTES)?;
    let start = before.len().checked_sub(data_bytes)?;
    (guid == TABLE_FOOTER).then_some(before.get(start..)?)
}

/// Every entry; `None` if they do not fill the table exactly or one is there twice.
fn entries(mut table: &[u8]) -> Option<Vec<Entry<'_>>> {
    let mut entries: Vec<Entry<'_>> = Vec::new();
    while !table.is_empty() {
        let (before, guid, entry_bytes) = last_header(table)?;
        let data_bytes = entry_bytes.checked_sub(ENTRY_HEADER_BYTES)?;
        let start = before.len().checked_sub(data_bytes)?;
        let (rest, data) = before.split_at_checked(start)?;
        if entries.iter().any(|entry| entry.guid == guid) {
            return None;
        }
        entries.push(Entry { guid, data });
        table = rest;
    }
    Some(entries)
}

/// What stands before the last 18 bytes, and the GUID and length in them.
fn last_header(bytes: &[u8]) -> Option<(&[u8], Guid, usize)> {
    let (bytes, guid) = bytes.split_last_chunk::<16>()?;
    let (bytes, length) = bytes.split_last_chunk::<2>()?;
    Some((bytes, *guid, u16::from_le_bytes(*length).into()))
}

/// A GUID from the fields of its text form.
pub(super) const fn guid(a: u32, b: u16, c: u16, d: [u8; 8]) -> Guid {
    let [a0, a1, a2, a3] = a.to_le_bytes();
    let [b0, b1] = b.to_le_bytes();
    let [c0, c1] = c.to_le_bytes();
    let [d0, d1, d2, d3, d4, d5, d6, d7] = d;
    [
        a0, a1, a2, a3, b0, b1, c0, c1, d0, d1, d2, d3, d4, d5, d6, d7,
    ]
}

/// The little-endian u32 at the start of `bytes`, and what follows it.
pub(super) fn split_u32(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (value, rest) = bytes.split_first_chunk::<4>()?;
    Some((u32::from_le_bytes(*value), rest))
}

/// The same for a u64.
pub(super) fn split_u64(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (value, rest) = bytes.split_first_chunk::<8>()?;
    Some((u64::from_le_bytes(*value), rest))
}

/// The little-endian u32 that is all of `bytes`.
pub(super) fn u32_alone(bytes: &[u8]) -> Option<u32> {
    bytes.try_into().ok().map(u32::from_le_bytes)
}
