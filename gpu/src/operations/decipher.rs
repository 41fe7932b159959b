//! AES-256 in counter mode (SP 800-38A), twelve bytes of nonce and 32 bits of counter: the encryption of AES-256-GCM. Nothing here checks
//! integrity: who uploads has.

use super::{count, launch};
use crate::{Argument, Launch, Memory};

/// Bytes of an AES-256 key.
pub const KEY_BYTES: usize = 32;
/// Bytes of an expanded key, as bit planes.
pub const PLANES_BYTES: usize = 480;
/// Bytes of a [`CipherSegment`] in a device's memory.
pub const SEGMENT_BYTES: usize = 40;

/// What a block of threads deciphers.
const BYTES: usize = 8192;

/// Expands a key (FIPS 197, section 5.2).
#[derive(Clone, Copy, Debug)]
pub struct ExpandKey {
    /// Its bytes.
    pub key: Memory,
    /// What [`Decipher`] takes.
    pub planes: Memory,
}

impl ExpandKey {
    /// The launch.
    pub fn launch(self) -> Launch {
        assert!(self.key.bytes() >= KEY_BYTES, "memory for the key");
        assert!(self.planes.bytes() >= PLANES_BYTES, "memory for the planes");
        let arguments = [self.key, self.planes].map(Argument::Memory);
        launch("aes256_expand_key", [1, 1], 1, arguments.to_vec())
    }
}

/// Deciphers segments where they are.
#[derive(Clone, Copy, Debug)]
pub struct Decipher {
    /// Ciphertext, then plaintext.
    pub text: Memory,
    /// A [`CipherSegment`] for each.
    pub segments: Memory,
    /// What [`ExpandKey`] made.
    pub planes: Memory,
    /// How many segments there are.
    pub count: usize,
    /// Bytes of the longest.
    pub longest: usize,
}

impl Decipher {
    /// The launch.
    pub fn launch(self) -> Launch {
        assert!(self.planes.bytes() >= PLANES_BYTES, "an expanded key");
        assert!(
            self.segments.bytes() >= self.count * SEGMENT_BYTES,
            "a table of all segments"
        );
        assert!(self.text.bytes() >= self.longest, "memory for all bytes");
        let memory = [self.text, self.text, self.segments, self.planes];
        let grid = [self.longest.div_ceil(BYTES), self.count];
        let arguments = memory.map(Argument::Memory);
        launch("aes256_ctr", grid, 256, arguments.to_vec())
    }
}

/// One segment: `struct Segment` of `kernels/cuda`, with the same place before and after.
#[derive(Clone, Copy, Debug)]
pub struct CipherSegment {
    /// Where it begins, a multiple of 16.
    pub offset: usize,
    /// How long it is.
    pub bytes: usize,
    /// Of its first sixteen bytes.
    pub counter: u32,
    /// The same for all of it.
    pub nonce: [u8; 12],
}

impl CipherSegment {
    /// As it lies in a device's memory.
    pub fn to_bytes(self) -> [u8; SEGMENT_BYTES] {
        assert_eq!(self.offset % 16, 0, "a segment begins with a block");
        let offset = (self.offset as u64).to_le_bytes();
        let (bytes, counter) = (count(self.bytes).to_le_bytes(), self.counter.to_le_bytes());
        let fields: [&[u8]; 6] = [&offset, &offset, &bytes, &counter, &self.nonce, &[0; 4]];
        let mut all = [0; SEGMENT_BYTES];
        let bytes = fields.into_iter().flatten();
        all.iter_mut()
            .zip(bytes)
            .for_each(|(out, byte)| *out = *byte);
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_lies_as_the_device_reads_it() {
        let segment = CipherSegment {
            offset: 0x0102_0300,
            bytes: 0x0405,
            counter: 0x0607_0809,
            nonce: std::array::from_fn(|i| 0xa0 + i as u8),
        };
        let bytes = segment.to_bytes();
        assert_eq!(bytes[..8], [0, 3, 2, 1, 0, 0, 0, 0]);
        assert_eq!(bytes[8..16], bytes[..8]);
        assert_eq!(bytes[16..24], [5, 4, 0, 0, 9, 8, 7, 6]);
        assert_eq!(bytes[24..36], segment.nonce);
        assert_eq!(bytes[36..], [0; 4]);
    }
}
