//! What an OVMF image tells of SNP: the sections of its SEV metadata, the address at which application processors start, the place for a kernel's hashes.
//!
//! All of it is found by the image's table of GUIDs. Integers are little-endian.

use super::super::{
    MeasureError,
    firmware::{Firmware, Guid, guid, split_u32, u32_alone},
    page::PAGE_BYTES,
};
use super::boot::HASH_TABLE_BYTES;

/// Points to the SEV metadata: offset from the image's end.
const SEV_METADATA: Guid = guid(
    0xdc88_6566,
    0x984a,
    0x4798,
    [0xa7, 0x5e, 0x55, 0x85, 0xa7, 0xbf, 0x67, 0xcc],
);
/// Has the address at which application processors start.
const SEV_ES_RESET_BLOCK: Guid = guid(
    0x00f7_71de,
    0x1a7e,
    0x4fcb,
    [0x89, 0x0e, 0x68, 0xc7, 0x7e, 0x2f, 0xb4, 0x4e],
);
/// Has address and length of the table of a kernel's hashes.
const SEV_HASH_TABLE: Guid = guid(
    0x7255_371f,
    0x3a3b,
    0x4b04,
    [0x92, 0x7b, 0x1d, 0xa6, 0xef, 0xa8, 0xd4, 0x54],
);

const SIGNATURE: [u8; 4] = *b"ASEV";
const VERSION: u32 = 1;
/// Signature, length, version, number of sections.
const HEADER_BYTES: u32 = 16;
/// Address, length, type.
const SECTION_BYTES: u32 = 12;
const MAX_SECTIONS: u32 = 64;
/// 256 MiB; images that ship ask for less than one.
const MAX_PAGES: usize = 65536;

/// A range of memory that is to be measured before the guest starts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Section {
    pub(super) gpa: u32,
    pub(super) size_bytes: u32,
    pub(super) section_type: SectionType,
}

/// What a section is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SectionType {
    SecMemory,
    Secrets,
    Cpuid,
    SvsmCaa,
    KernelHashes,
}

impl SectionType {
    fn from_u32(value: u32) -> Result<Self, MeasureError> {
        Ok(match value {
            1 => Self::SecMemory,
            2 => Self::Secrets,
            3 => Self::Cpuid,
            4 => Self::SvsmCaa,
            0x10 => Self::KernelHashes,
            other => return Err(MeasureError::SnpSectionType(other)),
        })
    }

    /// OVMF's name.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::SecMemory => "SNP_SEC_MEM",
            Self::Secrets => "SNP_SECRETS",
            Self::Cpuid => "CPUID",
            Self::SvsmCaa => "SVSM_CAA",
            Self::KernelHashes => "KERNEL_HASHES",
        }
    }

    /// Whether the hypervisor fills it as one page.
    const fn is_one_page(self) -> bool {
        matches!(self, Self::Secrets | Self::Cpuid | Self::KernelHashes)
    }
}

/// The sections in their order.
pub(super) fn sections(firmware: &Firmware<'_>) -> Result<Vec<Section>, MeasureError> {
    let mut rest = descriptors(firmware)?;
    let mut sections = Vec::new();
    let mut pages = 0;
    while let Some((section, after)) = next_section(rest)? {
        pages += super::page_count(section.size_bytes);
        if !is_measurable(&section) || pages > MAX_PAGES {
            return Err(MeasureError::SnpSection {
                gpa: section.gpa,
                size_bytes: section.size_bytes,
            });
        }
        sections.push(section);
        rest = after;
    }
    Ok(sections)
}

/// The bytes of all section descriptors, after the header in front of them.
fn descriptors<'a>(firmware: &Firmware<'a>) -> Result<&'a [u8], MeasureError> {
    let entry = firmware
        .entry(&SEV_METADATA)
        .ok_or(MeasureError::SnpMetadataAbsent)?;
    let offset = u32_alone(entry).ok_or(MeasureError::SnpMetadata("offset"))?;
    let header = firmware
        .tail(offset)
        .ok_or(MeasureError::SnpMetadata("offset"))?;
    let rest = header
        .strip_prefix(&SIGNATURE)
        .ok_or(MeasureError::SnpMetadata("signature"))?;
    let cut_short = MeasureError::SnpMetadata("length");
    let (length, rest) = split_u32(rest).ok_or(cut_short.clone())?;
    let (version, rest) = split_u32(rest).ok_or(cut_short.clone())?;
    let (count, rest) = split_u32(rest).ok_or(cut_short.clone())?;
    if version != VERSION {
        return Err(MeasureError::SnpMetadata("version"));
    }
    if count == 0 || count > MAX_SECTIONS {
        return Err(MeasureError::SnpMetadata("number of sections"));
    }
    if length != HEADER_BYTES + count * SECTION_BYTES {
        return Err(cut_short);
    }
    rest.get(..(count * SECTION_BYTES) as usize)
        .ok_or(cut_short)
}

fn next_section(bytes: &[u8]) -> Result<Option<(Section, &[u8])>, MeasureError> {
    let Some((gpa, rest)) = split_u32(bytes) else {
        return Ok(None);
    };
    let cut_short = || MeasureError::SnpMetadata("length");
    let (size_bytes, rest) = split_u32(rest).ok_or_else(cut_short)?;
    let (section_type, rest) = split_u32(rest).ok_or_else(cut_short)?;
    let section = Section {
        gpa,
        size_bytes,
        section_type: SectionType::from_u32(section_type)?,
    };
    Ok(Some((section, rest)))
}

fn is_measurable(section: &Section) -> bool {
    let pages = super::page_count(section.size_bytes);
    let is_whole = |value: u32| (value as usize).is_multiple_of(PAGE_BYTES);
    is_whole(section.gpa)
        && is_whole(section.size_bytes)
        && pages > 0
        && (pages == 1 || !section.section_type.is_one_page())
        && section.gpa.checked_add(section.size_bytes).is_some()
}

/// Where application processors start; 0 if there are none and the image does not say.
pub(super) fn ap_reset_address(firmware: &Firmware<'_>, vcpus: u32) -> Result<u32, MeasureError> {
    let address = firmware.entry(&SEV_ES_RESET_BLOCK).and_then(u32_alone);
    match address.unwrap_or_default() {
        0 if vcpus > 1 => Err(MeasureError::SnpResetBlock),
        address => Ok(address),
    }
}

/// Where in its page the table of a kernel's hashes begins.
pub(super) fn hash_table_offset(
    firmware: &Firmware<'_>,
    sections: &[Section],
) -> Result<usize, MeasureError> {
    let page = sections
        .iter()
        .find(|section| section.section_type == SectionType::KernelHashes)
        .ok_or(MeasureError::SnpKernelHashes("it has no section for them"))?;
    let (address, size_bytes) = firmware
        .entry(&SEV_HASH_TABLE)
        .and_then(split_u32)
        .and_then(|(address, rest)| Some((address, u32_alone(rest)?)))
        .ok_or(MeasureError::SnpKernelHashes("it has no table for them"))?;
    let offset = address.checked_sub(page.gpa).map(|offset| offset as usize);
    offset
        .filter(|offset| fits(*offset, size_bytes as usize))
        .ok_or(MeasureError::SnpKernelHashes(
            "its table does not fit, or is in another place than its section",
        ))
}

/// Whether the table at `offset` has room in its page and in the `size_bytes` set aside for it.
fn fits(offset: usize, size_bytes: usize) -> bool {
    size_bytes >= HASH_TABLE_BYTES
        && offset
            .checked_add(HASH_TABLE_BYTES)
            .is_some_and(|end| end <= PAGE_BYTES)
}
