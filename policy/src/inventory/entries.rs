//! The entries by identifier, found in a few nanoseconds.

use super::Placement;
use crate::HardwareId;
use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
    sync::Arc,
};

/// Each piece of hardware with its placement, which admissions share.
pub(super) type Entries = HashMap<HardwareId, Arc<Placement>, BuildHasherDefault<IdentifierHasher>>;

/// Word by word, without a key: which identifiers there are is for those to say who sign the inventory, and no request adds one.
#[derive(Default)]
pub(super) struct IdentifierHasher(u64);

/// Odd, with its bits spread evenly: 2^64 divided by the golden ratio.
const MULTIPLIER: u64 = 0x9E37_79B9_7F4A_7C15;

impl Hasher for IdentifierHasher {
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks();
        for word in words {
            self.write_u64(u64::from_le_bytes(*word));
        }
        for byte in rest {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, word: u64) {
        let mixed = (self.0 ^ word).wrapping_mul(MULTIPLIER);
        self.0 = mixed ^ mixed >> 32;
    }

    /// The finalizer of MurmurHash3: every bit reaches every other, the low ones too, which choose the place in the map.
    fn finish(&self) -> u64 {
        let hash = (self.0 ^ self.0 >> 33).wrapping_mul(0xFF51_AFD7_ED55_8CCD);
        let hash = (hash ^ hash >> 33).wrapping_mul(0xC4CE_B9FE_1A85_EC53);
        hash ^ hash >> 33
    }
}

#[cfg(test)]
mod tests {
    use super::IdentifierHasher;
    use crate::HardwareId;
    use std::{
        collections::HashSet,
        hash::{BuildHasher, BuildHasherDefault},
    };

    fn hash(id: HardwareId) -> u64 {
        BuildHasherDefault::<IdentifierHasher>::default().hash_one(id)
    }

    #[test]
    fn identifiers_in_a_row_spread() {
        let ids = (1..=4096_u64).flat_map(|number| {
            let mut chip = [0; 64];
            chip[..8].copy_from_slice(&number.to_be_bytes());
            let mut last = [0; 64];
            last[56..].copy_from_slice(&number.to_be_bytes());
            let device = HardwareId::NvidiaDevice(number.to_be_bytes());
            [HardwareId::SnpChip(chip), HardwareId::SnpChip(last), device]
        });
        let hashes: Vec<u64> = ids.map(hash).collect();
        let distinct = |of: fn(&u64) -> u64| hashes.iter().map(of).collect::<HashSet<_>>().len();
        assert_eq!(distinct(|hash| *hash), 3 * 4096);
        // Of 12,288 balls thrown into 4,096 urns, 95 % of the urns get one.
        assert!(distinct(|hash| hash & 0xFFF) > 3700);
        assert!(distinct(|hash| hash >> 52) > 3700);
    }
}
