//! Variable-length integers of QUIC (RFC 9000 section 16): the two high bits of the first byte give the width, 1, 2, 4 or 8 bytes.

/// The largest value, 2^62 - 1.
pub(crate) const MAX: u64 = (1 << 62) - 1;

/// An integer in its shortest form.
pub(crate) struct Encoded {
    bytes: [u8; 8],
    width: usize,
}

impl Encoded {
    pub(crate) fn as_slice(&self) -> &[u8] {
        self.bytes.get(..self.width).unwrap_or_default()
    }
}

/// `value` in its shortest form; values above [`MAX`] have none and are written as [`MAX`], which no length reaches.
pub(crate) fn encode(value: u64) -> Encoded {
    let value = value.min(MAX);
    let (tag, width): (u64, usize) = match value {
        0..=0x3f => (0, 1),
        0x40..=0x3fff => (1, 2),
        0x4000..=0x3fff_ffff => (2, 4),
        _ => (3, 8),
    };
    let bits = value << (64 - 8 * width) | tag << 62;
    Encoded {
        bytes: bits.to_be_bytes(),
        width,
    }
}

/// Appends `value`.
pub(crate) fn write(value: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(encode(value).as_slice());
}

/// Appends a length.
pub(crate) fn write_len(length: usize, out: &mut Vec<u8>) {
    write(length as u64, out);
}

/// Reads one integer that may arrive cut anywhere. Longer forms than needed are accepted, as RFC 9000 demands.
#[derive(Default)]
pub(crate) struct VarintReader {
    value: u64,
    width: usize,
    read: usize,
}

impl VarintReader {
    /// Takes bytes from the front of `input`; gives the value and its width once complete, and is then ready for the next.
    pub(crate) fn take(&mut self, input: &mut &[u8]) -> Option<(u64, usize)> {
        while let Some((&byte, rest)) = input.split_first() {
            *input = rest;
            self.push(byte);
            if self.read == self.width {
                let done = std::mem::take(self);
                return Some((done.value, done.width));
            }
        }
        None
    }

    fn push(&mut self, byte: u8) {
        if self.read == 0 {
            self.width = 1 << (byte >> 6);
            self.value = u64::from(byte & 0x3f);
        } else {
            self.value = self.value << 8 | u64::from(byte);
        }
        self.read += 1;
    }

    /// Whether no byte of the next integer was taken.
    pub(crate) const fn is_empty(&self) -> bool {
        self.read == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_9000_appendix_a_1() {
        let examples: [(&[u8], u64); 5] = [
            (
                &[0xc2, 0x19, 0x7c, 0x5e, 0xff, 0x14, 0xe8, 0x8c],
                151_288_809_941_952_652,
            ),
            (&[0x9d, 0x7f, 0x3e, 0x7d], 494_878_333),
            (&[0x7b, 0xbd], 15_293),
            (&[0x25], 37),
            (&[0x40, 0x25], 37),
        ];
        for (bytes, value) in examples {
            let mut reader = VarintReader::default();
            let (last, head) = bytes.split_last().unwrap();
            assert_eq!(reader.take(&mut &head[..]), None);
            assert_eq!(reader.take(&mut &[*last][..]), Some((value, bytes.len())));
            assert!(reader.is_empty());
        }
    }

    #[test]
    fn the_shortest_form_is_written_and_read_back() {
        for shift in 0..62 {
            for value in [(1_u64 << shift) - 1, 1 << shift, (1 << shift) + 1] {
                let mut bytes = Vec::new();
                write(value, &mut bytes);
                let width = [(0x3f, 1), (0x3fff, 2), (0x3fff_ffff, 4), (MAX, 8)];
                let width = width.iter().find(|(max, _)| value <= *max).unwrap().1;
                assert_eq!(bytes.len(), width);
                assert_eq!(
                    VarintReader::default().take(&mut &bytes[..]),
                    Some((value, width))
                );
            }
        }
    }
}
