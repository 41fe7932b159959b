//! Where each segment of a file lies: as plaintext, and sealed.

use crate::{frame::FRAME_BYTES, header::HEADER_BYTES};

/// Most segments of a file: what one key encrypts under random nonces.
pub(crate) const MAX_SEGMENTS: u64 = 1 << 20;

/// Plaintext bytes of a segment: a power of two from 4 KiB to 16 MiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentSize(u32);

impl SegmentSize {
    /// 1 MiB: what stays in a core's cache while it is read, hashed and encrypted.
    pub const DEFAULT: Self = Self(1 << 20);
    const MIN_BYTES: u32 = 4 << 10;
    const MAX_BYTES: u32 = 16 << 20;

    /// `bytes`, if segments may be that long.
    #[must_use]
    pub const fn new(bytes: u32) -> Option<Self> {
        if bytes.is_power_of_two() && bytes >= Self::MIN_BYTES && bytes <= Self::MAX_BYTES {
            return Some(Self(bytes));
        }
        None
    }

    /// In bytes.
    #[must_use]
    pub const fn bytes(self) -> u32 {
        self.0
    }

    /// In bytes, for buffers.
    pub(crate) const fn len(self) -> usize {
        self.0 as usize
    }
}

impl Default for SegmentSize {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// The segments of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    segment: SegmentSize,
    /// Plaintext bytes of the file.
    length: u64,
}

/// A segment's number, from 0, and whether it is its file's last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) index: u64,
    pub(crate) is_last: bool,
}

impl Layout {
    /// None where the file would have more segments than its key may encrypt.
    pub(crate) fn new(segment: SegmentSize, length: u64) -> Option<Self> {
        let layout = Self { segment, length };
        (layout.segments() <= MAX_SEGMENTS).then_some(layout)
    }

    /// An empty file has one empty segment.
    pub(crate) fn segments(self) -> u64 {
        self.length.div_ceil(u64::from(self.segment.0)).max(1)
    }

    pub(crate) const fn segment_size(self) -> SegmentSize {
        self.segment
    }

    pub(crate) const fn length(self) -> u64 {
        self.length
    }

    pub(crate) fn place(self, index: u64) -> Place {
        let is_last = index + 1 == self.segments();
        Place { index, is_last }
    }

    /// The number of the segment that holds the plaintext byte at `offset`.
    pub(crate) fn index_of(self, offset: u64) -> u64 {
        offset / u64::from(self.segment.0)
    }

    /// Where the plaintext of a segment begins.
    pub(crate) fn start(self, index: u64) -> u64 {
        index * u64::from(self.segment.0)
    }

    /// Plaintext bytes of a segment.
    pub(crate) fn plaintext_bytes(self, index: u64) -> usize {
        let rest = self.length.saturating_sub(self.start(index));
        usize::try_from(rest).map_or(self.segment.len(), |rest| rest.min(self.segment.len()))
    }

    /// Where a segment begins in the sealed file.
    pub(crate) fn offset(self, index: u64) -> u64 {
        let stride = u64::from(self.segment.0) + FRAME_BYTES as u64;
        HEADER_BYTES as u64 + index * stride
    }

    /// Bytes of the sealed file.
    pub(crate) fn stored_bytes(self) -> u64 {
        HEADER_BYTES as u64 + self.length + self.segments() * FRAME_BYTES as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_cover_the_file() {
        let segment = SegmentSize::new(4096).unwrap();
        for (length, sizes) in [
            (0, vec![0]),
            (1, vec![1]),
            (4096, vec![4096]),
            (4097, vec![4096, 1]),
            (8192, vec![4096, 4096]),
        ] {
            let layout = Layout::new(segment, length).unwrap();
            let found: Vec<_> = (0..layout.segments())
                .map(|index| layout.plaintext_bytes(index))
                .collect();
            assert_eq!(found, sizes);
            let last = layout.segments() - 1;
            let end = layout.offset(last) + sizes[last as usize] as u64 + 32;
            assert_eq!(end, layout.stored_bytes());
            assert!(layout.place(last).is_last);
        }
    }

    #[test]
    fn limits() {
        for bytes in [0, 2048, 4097, 32 << 20, u32::MAX] {
            assert_eq!(SegmentSize::new(bytes), None);
        }
        let segment = SegmentSize::new(4096).unwrap();
        assert!(Layout::new(segment, 4096 << 20).is_some());
        assert!(Layout::new(segment, (4096 << 20) + 1).is_none());
        assert!(Layout::new(segment, u64::MAX).is_none());
    }
}
