//! A bounded little-endian reader; it allocates nothing.

use std::{ops::Range, str};

use super::GgufError;

/// Reads from `at` on; nothing is ever read beyond `bytes`.
#[derive(Clone)]
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at }
    }

    /// Offset of the next byte.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    /// How many bytes are left.
    pub(super) fn remaining(&self) -> usize {
        self.bytes.len().saturating_sub(self.at)
    }

    /// The next `N` bytes.
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], GgufError> {
        let (head, _) = self
            .bytes
            .get(self.at..)
            .and_then(<[u8]>::split_first_chunk::<N>)
            .ok_or(GgufError::Truncated)?;
        self.at += N;
        Ok(*head)
    }

    pub(super) fn u8(&mut self) -> Result<u8, GgufError> {
        self.array().map(u8::from_le_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32, GgufError> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, GgufError> {
        self.array().map(u64::from_le_bytes)
    }

    /// The range of the next `length` bytes, which are skipped.
    pub(super) fn skip(&mut self, length: u64) -> Result<Range<usize>, GgufError> {
        let length = usize::try_from(length).map_err(|_| GgufError::Truncated)?;
        if length > self.remaining() {
            return Err(GgufError::Truncated);
        }
        let start = self.at;
        self.at += length;
        Ok(start..self.at)
    }

    /// A string: u64 length, then UTF-8.
    pub(super) fn str(&mut self) -> Result<&'a str, GgufError> {
        let length = self.u64()?;
        let bytes = self.bytes.get(self.skip(length)?);
        str::from_utf8(bytes.unwrap_or_default()).map_err(|_| GgufError::Text)
    }

    /// A non-empty string of at most `max_bytes`.
    pub(super) fn name(&mut self, max_bytes: u64) -> Result<&'a str, GgufError> {
        let length = Cursor::new(self.bytes, self.at).u64()?;
        if length == 0 || length > max_bytes {
            return Err(GgufError::Name(length));
        }
        self.str()
    }
}
