//! Bytes on a device.

/// Some bytes of a device's memory. It owns nothing: a device refuses those that it did not give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    address: u64,
    bytes: usize,
}

impl Memory {
    /// For devices: what they have given.
    pub const fn new(address: u64, bytes: usize) -> Self {
        Self { address, bytes }
    }

    /// Where it begins, as kernels know it.
    pub const fn address(self) -> u64 {
        self.address
    }

    /// How much it is.
    pub const fn bytes(self) -> usize {
        self.bytes
    }

    /// A part of it.
    ///
    /// # Panics
    /// If it ends before the part does.
    #[must_use]
    pub fn part(self, offset: usize, bytes: usize) -> Self {
        let end = offset.checked_add(bytes);
        assert!(end.is_some_and(|end| end <= self.bytes), "within memory");
        Self {
            address: self.address + offset as u64,
            bytes,
        }
    }

    /// Whether `other` is a part of it.
    pub const fn contains(self, other: Self) -> bool {
        let Some(offset) = other.address.checked_sub(self.address) else {
            return false;
        };
        let (offset, bytes) = (offset as u128, self.bytes as u128);
        offset + other.bytes as u128 <= bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEMORY: Memory = Memory::new(4096, 100);

    #[test]
    fn a_part_is_contained_and_nothing_beyond_is() {
        assert!(MEMORY.contains(MEMORY.part(90, 10)));
        assert!(MEMORY.contains(MEMORY));
        for other in [(4095, 1), (4096, 101), (4190, 11), (0, 0), (u64::MAX, 9)] {
            assert!(!MEMORY.contains(Memory::new(other.0, other.1)), "{other:?}");
        }
    }

    #[test]
    #[should_panic(expected = "within memory")]
    fn a_part_beyond_the_end_is_refused() {
        let _ = MEMORY.part(90, 11);
    }
}
