//! The first 80 bytes of a sealed file.

use crate::SegmentSize;

pub(crate) const HEADER_BYTES: usize = 80;
/// All but the tag.
pub(crate) const FIELDS_BYTES: usize = 48;
pub(crate) const IV_BYTES: usize = 32;

const MAGIC: &[u8; 8] = b"NXSEAL01";
/// AES-256-GCM under keys of HKDF-SHA-256.
const SUITE: u32 = 1;

/// A header, whose tag commits to the key, to these fields and to whose file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) fields: HeaderFields,
    pub(crate) tag: [u8; 32],
}

/// What a header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HeaderFields {
    pub(crate) segment: SegmentSize,
    pub(crate) iv: [u8; IV_BYTES],
}

impl HeaderFields {
    /// Offsets: 0 magic, 8 suite, 12 segment bytes, 16 iv.
    pub(crate) fn to_bytes(self) -> [u8; FIELDS_BYTES] {
        let mut bytes = [0; FIELDS_BYTES];
        let parts: [&[u8]; 4] = [
            MAGIC,
            &SUITE.to_be_bytes(),
            &self.segment.bytes().to_be_bytes(),
            &self.iv,
        ];
        bytes.copy_from_slice(&parts.concat());
        bytes
    }
}

impl Header {
    pub(crate) fn to_bytes(self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        let (fields, tag) = bytes.split_at_mut(FIELDS_BYTES);
        fields.copy_from_slice(&self.fields.to_bytes());
        tag.copy_from_slice(&self.tag);
        bytes
    }

    /// A header of a suite that this build knows.
    pub(crate) fn parse(bytes: &[u8; HEADER_BYTES]) -> Option<Self> {
        let rest = bytes.strip_prefix(MAGIC)?;
        let rest = rest.strip_prefix(&SUITE.to_be_bytes())?;
        let (segment, rest) = rest.split_first_chunk()?;
        let (iv, tag) = rest.split_first_chunk()?;
        Some(Self {
            fields: HeaderFields {
                segment: SegmentSize::new(u32::from_be_bytes(*segment))?,
                iv: *iv,
            },
            tag: tag.try_into().ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_has_one_form() {
        let fields = HeaderFields {
            segment: SegmentSize::DEFAULT,
            iv: [7; 32],
        };
        let header = Header {
            fields,
            tag: [8; 32],
        };
        let bytes = header.to_bytes();
        assert_eq!(Header::parse(&bytes), Some(header));
        for at in 0..12 {
            let mut other = bytes;
            other[at] ^= 1;
            assert_eq!(Header::parse(&other), None, "byte {at}");
        }
    }
}
