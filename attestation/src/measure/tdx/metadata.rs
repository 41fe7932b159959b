//! TDVF metadata: which ranges of memory a TD starts with (Intel TDX Virtual Firmware Design Guide, section 11.1). Integers are little-endian.

use super::super::{
    MeasureError,
    firmware::{Firmware, Guid, guid, split_u32, split_u64, u32_alone},
    page::PAGE_BYTES,
};

/// Points to the metadata: offset from the image's end.
const TDX_METADATA_OFFSET: Guid = guid(
    0xe47a_6535,
    0x984a,
    0x4798,
    [0x86, 0x5e, 0x46, 0x85, 0xa7, 0xbf, 0x8e, 0xc2],
);

const SIGNATURE: [u8; 4] = *b"TDVF";
const VERSION: u32 = 1;
/// Signature, length, version, number of sections.
const HEADER_BYTES: u32 = 16;
const SECTION_BYTES: u32 = 32;
const MAX_SECTIONS: u32 = 64;
/// 256 MiB; images that ship have a few.
const MAX_PAGES: u64 = 65536;

/// The section's content is measured.
const MR_EXTEND: u32 = 1;
/// The section's pages are not part of the TD when it starts.
const PAGE_AUG: u32 = 2;

/// One range of memory.
pub(super) struct Section<'a> {
    pub(super) kind: &'static str,
    pub(super) gpa: u64,
    pub(super) size_bytes: u64,
    /// Its pages are there from the start.
    pub(super) is_added: bool,
    /// Its content counts.
    pub(super) is_measured: bool,
    /// Its content; zeros follow it.
    data: &'a [u8],
}

impl Section<'_> {
    pub(super) const fn operation(&self) -> &'static str {
        match (self.is_added, self.is_measured) {
            (true, true) => "MEM.PAGE.ADD, MR.EXTEND",
            (true, false) => "MEM.PAGE.ADD",
            (false, true) => "MR.EXTEND",
            (false, false) => "none",
        }
    }

    /// How many pages it has: at most [`MAX_PAGES`].
    pub(super) fn pages(&self) -> usize {
        usize::try_from(self.size_bytes / PAGE_BYTES as u64).unwrap_or_default()
    }

    /// The content of page `index`.
    pub(super) fn page(&self, index: usize) -> Vec<u8> {
        let rest = self.data.get(index * PAGE_BYTES..).unwrap_or_default();
        let mut page = rest.get(..PAGE_BYTES).unwrap_or(rest).to_vec();
        page.resize(PAGE_BYTES, 0);
        page
    }
}

/// The sections in their order.
pub(super) fn sections<'a>(firmware: &Firmware<'a>) -> Result<Vec<Section<'a>>, MeasureError> {
    let mut sections = Vec::new();
    let mut pages = 0;
    for descriptor in descriptors(firmware)?.chunks(SECTION_BYTES as usize) {
        let raw = RawSection::parse(descriptor).ok_or(MeasureError::TdxMetadata("length"))?;
        pages += raw.memory_bytes / PAGE_BYTES as u64;
        let section = raw.section(firmware.image())?;
        if pages > MAX_PAGES {
            return Err(raw.refused());
        }
        sections.push(section);
    }
    Ok(sections)
}

/// The bytes of all section descriptors, after the header in front of them.
fn descriptors<'a>(firmware: &Firmware<'a>) -> Result<&'a [u8], MeasureError> {
    let entry = firmware
        .entry(&TDX_METADATA_OFFSET)
        .ok_or(MeasureError::TdxMetadataAbsent)?;
    let header = u32_alone(entry)
        .and_then(|offset| firmware.tail(offset))
        .ok_or(MeasureError::TdxMetadata("offset"))?;
    let rest = header
        .strip_prefix(&SIGNATURE)
        .ok_or(MeasureError::TdxMetadata("signature"))?;
    let cut_short = MeasureError::TdxMetadata("length");
    let (length, rest) = split_u32(rest).ok_or(cut_short.clone())?;
    let (version, rest) = split_u32(rest).ok_or(cut_short.clone())?;
    let (count, rest) = split_u32(rest).ok_or(cut_short.clone())?;
    if version != VERSION {
        return Err(MeasureError::TdxMetadata("version"));
    }
    if count == 0 || count > MAX_SECTIONS {
        return Err(MeasureError::TdxMetadata("number of sections"));
    }
    if length != HEADER_BYTES + count * SECTION_BYTES {
        return Err(cut_short);
    }
    rest.get(..(count * SECTION_BYTES) as usize)
        .ok_or(cut_short)
}

/// A descriptor as it stands in the image.
struct RawSection {
    data_offset: u32,
    data_bytes: u32,
    memory_address: u64,
    memory_bytes: u64,
    section_type: u32,
    attributes: u32,
}

impl RawSection {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let (data_offset, rest) = split_u32(bytes)?;
        let (data_bytes, rest) = split_u32(rest)?;
        let (memory_address, rest) = split_u64(rest)?;
        let (memory_bytes, rest) = split_u64(rest)?;
        let (section_type, rest) = split_u32(rest)?;
        Some(Self {
            data_offset,
            data_bytes,
            memory_address,
            memory_bytes,
            section_type,
            attributes: u32_alone(rest)?,
        })
    }

    fn section<'a>(&self, image: &'a [u8]) -> Result<Section<'a>, MeasureError> {
        let kind = self.kind().ok_or(MeasureError::TdxSectionType {
            section_type: self.section_type,
            attributes: self.attributes,
        })?;
        let data = self.data(image).ok_or_else(|| self.refused())?;
        Ok(Section {
            kind,
            gpa: self.memory_address,
            size_bytes: self.memory_bytes,
            is_added: self.attributes & PAGE_AUG == 0,
            is_measured: self.attributes & MR_EXTEND != 0,
            data,
        })
    }

    /// The design guide's name of its type; `None` if type or attributes are not known.
    const fn kind(&self) -> Option<&'static str> {
        if self.attributes & !(MR_EXTEND | PAGE_AUG) != 0 {
            return None;
        }
        Some(match self.section_type {
            0 => "BFV",
            1 => "CFV",
            2 => "TD_HOB",
            3 => "TempMem",
            4 => "PermMem",
            5 => "Payload",
            6 => "PayloadParam",
            7 => "TdInfo",
            _ => return None,
        })
    }

    /// Its content, if it is whole pages in the address space with room for all of its data, and has data if that is measured.
    fn data<'a>(&self, image: &'a [u8]) -> Option<&'a [u8]> {
        let is_whole = |value: u64| value.is_multiple_of(PAGE_BYTES as u64);
        let is_range = is_whole(self.memory_address)
            && is_whole(self.memory_bytes)
            && self.memory_bytes / PAGE_BYTES as u64 <= MAX_PAGES
            && self.memory_address.checked_add(self.memory_bytes).is_some();
        let fits = u64::from(self.data_bytes) <= self.memory_bytes;
        let is_there = self.attributes & MR_EXTEND == 0 || self.data_bytes > 0;
        let start = self.data_offset as usize;
        let end = start.checked_add(self.data_bytes as usize)?;
        image
            .get(start..end)
            .filter(|_| is_range && fits && is_there)
    }

    const fn refused(&self) -> MeasureError {
        MeasureError::TdxSection {
            gpa: self.memory_address,
            size_bytes: self.memory_bytes,
        }
    }
}
