//! The two things that binary HTTP is made of, read from input that is cut anywhere: integers, and strings with their length before them.

use super::BhttpError;
use crate::varint::VarintReader;
use zeroize::Zeroizing;

/// Reads one item at a time.
#[derive(Default)]
pub(super) struct ItemReader {
    varint: VarintReader,
    string: Option<PartialString>,
}

struct PartialString {
    bytes: Zeroizing<Vec<u8>>,
    length: usize,
    prefix: usize,
}

/// A string, and the bytes that it took with its length.
pub(super) struct Item {
    pub(super) bytes: Zeroizing<Vec<u8>>,
    pub(super) size: usize,
}

impl ItemReader {
    /// An integer and its width.
    pub(super) fn integer(&mut self, input: &mut &[u8]) -> Option<(u64, usize)> {
        self.varint.take(input)
    }

    /// A string of at most `limit` bytes; nothing is allocated for a longer one.
    pub(super) fn string(
        &mut self,
        limit: usize,
        input: &mut &[u8],
    ) -> Result<Option<Item>, BhttpError> {
        if self.string.is_none() {
            let Some((length, prefix)) = self.varint.take(input) else {
                return Ok(None);
            };
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            if length > limit {
                return Err(BhttpError::TooLarge);
            }
            self.string = Some(PartialString {
                bytes: Zeroizing::new(Vec::with_capacity(length)),
                length,
                prefix,
            });
        }
        Ok(self.fill(input))
    }

    fn fill(&mut self, input: &mut &[u8]) -> Option<Item> {
        let mut string = self.string.take()?;
        let missing = string.length.saturating_sub(string.bytes.len());
        let (taken, rest) = input
            .split_at_checked(missing.min(input.len()))
            .unwrap_or((input, &[]));
        string.bytes.extend_from_slice(taken);
        *input = rest;
        if string.bytes.len() < string.length {
            self.string = Some(string);
            return None;
        }
        Some(Item {
            size: string.prefix.saturating_add(string.length),
            bytes: string.bytes,
        })
    }

    /// Whether no byte of the next item was taken.
    pub(super) const fn is_empty(&self) -> bool {
        self.varint.is_empty() && self.string.is_none()
    }
}
