//! What is left of a binary structure; every read says whether there was enough.

/// Bytes not read yet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The next `N` bytes.
    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*array)
    }

    /// The next `length` bytes.
    pub(crate) fn bytes(&mut self, length: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.array().map(u8::from_le_bytes)
    }

    pub(crate) fn u16_le(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub(crate) fn u32_le(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(crate) fn u64_le(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    pub(crate) fn u16_be(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    pub(crate) fn u32_be(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    pub(crate) fn u64_be(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    /// A u32 that is a length or a count, little-endian.
    pub(crate) fn length_u32_le(&mut self) -> Option<usize> {
        usize::try_from(self.u32_le()?).ok()
    }

    /// A u64 that is a length or a count, little-endian.
    pub(crate) fn length_u64_le(&mut self) -> Option<usize> {
        usize::try_from(self.u64_le()?).ok()
    }

    /// Everything that was not read.
    pub(crate) const fn rest(self) -> &'a [u8] {
        self.0
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::Cursor;

    #[test]
    fn a_read_beyond_the_end_reads_nothing() {
        let mut cursor = Cursor::new(&[1, 0, 2, 0, 0, 0, 9]);
        assert_eq!(cursor.u16_le(), Some(1));
        assert_eq!(cursor.u64_le(), None);
        assert_eq!(cursor.length_u32_le(), Some(2));
        assert_eq!(cursor.bytes(2), None);
        assert_eq!((cursor.u8(), cursor.is_empty()), (Some(9), true));
        assert_eq!(cursor.array(), Some([]));
        assert!(cursor.rest().is_empty());
    }
}
