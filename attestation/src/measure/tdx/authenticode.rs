//! The Authenticode digest of a PE image (Microsoft, "Windows Authenticode Portable Executable Signature Format", section "Calculating the PE image
//! hash"): everything but the checksum, the certificate table and the pointer to it. Integers are little-endian.

use super::super::MeasureError;
use crate::crypto::Sha384;

/// Where the offset of the PE signature stands.
const E_LFANEW: usize = 0x3c;
const PE_SIGNATURE: [u8; 4] = *b"PE\0\0";
const PE32: u16 = 0x10b;
const PE32_PLUS: u16 = 0x20b;
/// Offsets in the optional header.
const SIZE_OF_HEADERS: usize = 60;
const CHECK_SUM: usize = 64;
/// Index of the certificate table among the data directories of 8 bytes each.
const SECURITY: usize = 4;
const SECTION_HEADER_BYTES: usize = 40;
/// Sections of a kernel's EFI stub are a handful.
const MAX_SECTIONS: u16 = 96;

/// SHA-384 of `image` as UEFI firmware measures it.
pub fn authenticode_sha384(image: &[u8]) -> Result<[u8; 48], MeasureError> {
    let headers = Headers::parse(image)?;
    let mut hash = Sha384::new();
    let mut hashed_bytes = headers.size;
    for range in headers.hashed() {
        hash.update(slice(image, range)?);
    }
    for (offset, size) in &headers.sections {
        hash.update(slice(image, (*offset, offset.saturating_add(*size)))?);
        hashed_bytes = hashed_bytes.saturating_add(*size);
    }
    let end = image.len().checked_sub(headers.certificates_bytes);
    if hashed_bytes < image.len() {
        let end = end.ok_or(MeasureError::Kernel("certificate table"))?;
        hash.update(slice(image, (hashed_bytes, end))?);
    }
    Ok(hash.value())
}

/// What the headers tell.
struct Headers {
    size: usize,
    check_sum_offset: usize,
    /// Offset of the pointer to the certificate table, if there is one.
    security_offset: Option<usize>,
    certificates_bytes: usize,
    /// Offset and size of each section with data, by offset.
    sections: Vec<(usize, usize)>,
}

impl Headers {
    fn parse(image: &[u8]) -> Result<Self, MeasureError> {
        let pe = u32_at(image, E_LFANEW)?;
        let coff = pe.saturating_add(PE_SIGNATURE.len());
        if !image.starts_with(b"MZ") || slice(image, (pe, coff))? != PE_SIGNATURE {
            return Err(MeasureError::Kernel("signature"));
        }
        let optional = coff.saturating_add(20);
        let directories = optional.saturating_add(match u16_at(image, optional)? {
            PE32 => 96,
            PE32_PLUS => 112,
            _ => return Err(MeasureError::Kernel("optional header")),
        });
        let count = u32_at(image, directories.saturating_sub(4))?;
        let security_offset = (count > SECURITY).then(|| directories.saturating_add(SECURITY * 8));
        let table = optional.saturating_add(u16_at(image, coff.saturating_add(16))?.into());
        Ok(Self {
            size: u32_at(image, optional.saturating_add(SIZE_OF_HEADERS))?,
            check_sum_offset: optional.saturating_add(CHECK_SUM),
            security_offset,
            certificates_bytes: match security_offset {
                Some(offset) => u32_at(image, offset.saturating_add(4))?,
                None => 0,
            },
            sections: sections(image, table, u16_at(image, coff.saturating_add(2))?)?,
        })
    }

    /// The ranges of the headers that count.
    fn hashed(&self) -> Vec<(usize, usize)> {
        let after_check_sum = self.check_sum_offset.saturating_add(4);
        let mut ranges = vec![(0, self.check_sum_offset)];
        match self.security_offset {
            Some(security) => ranges.extend([
                (after_check_sum, security),
                (security.saturating_add(8), self.size),
            ]),
            None => ranges.push((after_check_sum, self.size)),
        }
        ranges
    }
}

fn sections(image: &[u8], table: usize, count: u16) -> Result<Vec<(usize, usize)>, MeasureError> {
    if count > MAX_SECTIONS {
        return Err(MeasureError::Kernel("number of sections"));
    }
    let mut sections = Vec::new();
    for index in 0..usize::from(count) {
        let header = table.saturating_add(index * SECTION_HEADER_BYTES);
        let size = u32_at(image, header.saturating_add(16))?;
        let offset = u32_at(image, header.saturating_add(20))?;
        if size > 0 {
            sections.push((offset, size));
        }
    }
    sections.sort_by_key(|(offset, _)| *offset);
    Ok(sections)
}

fn slice(image: &[u8], (start, end): (usize, usize)) -> Result<&[u8], MeasureError> {
    image
        .get(start..end)
        .ok_or(MeasureError::Kernel("range outside the file"))
}

fn u16_at(image: &[u8], offset: usize) -> Result<u16, MeasureError> {
    let bytes = slice(image, (offset, offset.saturating_add(2)))?;
    let bytes = bytes
        .try_into()
        .map_err(|_| MeasureError::Kernel("field"))?;
    Ok(u16::from_le_bytes(bytes))
}

fn u32_at(image: &[u8], offset: usize) -> Result<usize, MeasureError> {
    let bytes = slice(image, (offset, offset.saturating_add(4)))?;
    let bytes = bytes
        .try_into()
        .map_err(|_| MeasureError::Kernel("field"))?;
    Ok(u32::from_le_bytes(bytes) as usize)
}
