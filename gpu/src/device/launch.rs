//! One launch of an entry point, and how its arguments are handed over.

use super::Memory;

/// One launch.
#[derive(Clone, Debug)]
pub struct Launch {
    /// The entry point's name.
    pub entry: String,
    /// Blocks, in three dimensions.
    pub grid: [u32; 3],
    /// Threads of a block, in three dimensions.
    pub block: [u32; 3],
    /// Dynamic shared memory of a block.
    pub shared_bytes: u32,
    /// In the entry point's order.
    pub arguments: Vec<Argument>,
}

/// An argument of an entry point.
#[derive(Clone, Copy, Debug)]
pub enum Argument {
    /// A pointer.
    Memory(Memory),
    /// The null pointer.
    Null,
    /// `u32`.
    U32(u32),
    /// `f32`.
    F32(f32),
    /// By value.
    HeadShape(HeadShape),
}

/// How heads lie in their buffers: `struct HeadShape` of `kernels/cuda`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HeadShape {
    /// Query heads.
    pub heads: u32,
    /// Key-value heads.
    pub kv_heads: u32,
    /// Columns of a head.
    pub width: u32,
    /// Columns of a head in caches and attention.
    pub padded_width: u32,
    /// From one sequence's pages to the next one's.
    pub pages_per_sequence: u32,
    /// 0: columns `2i` and `2i + 1` turn together; 1: `i` and `width / 2 + i`.
    pub halves: u32,
    /// What turned queries are multiplied with.
    pub query_scale: f32,
    /// Of the heads' normalisation.
    pub epsilon: f32,
}

/// Bytes of the largest argument.
const SLOT_BYTES: usize = 32;

/// An argument's bytes, as a kernel reads them.
#[derive(Clone, Copy)]
#[repr(C, align(16))]
pub struct Slot([u8; SLOT_BYTES]);

impl Launch {
    /// The arguments' bytes, one slot each.
    pub fn slots(&self) -> Vec<Slot> {
        self.arguments.iter().map(Argument::slot).collect()
    }

    /// The memory that it is given.
    pub fn memory(&self) -> impl Iterator<Item = Memory> {
        self.arguments.iter().filter_map(|argument| match argument {
            Argument::Memory(memory) => Some(*memory),
            _ => None,
        })
    }
}

impl Argument {
    /// How many bytes the entry point reads of it.
    pub const fn bytes(&self) -> usize {
        match self {
            Self::Memory(_) | Self::Null => 8,
            Self::U32(_) | Self::F32(_) => 4,
            Self::HeadShape(_) => 32,
        }
    }

    fn slot(&self) -> Slot {
        match self {
            Self::Memory(memory) => Slot::of(&memory.address().to_le_bytes()),
            Self::Null => Slot::of(&[]),
            Self::U32(value) => Slot::of(&value.to_le_bytes()),
            Self::F32(value) => Slot::of(&value.to_le_bytes()),
            Self::HeadShape(shape) => Slot::of(shape.bytes().as_flattened()),
        }
    }
}

impl From<Option<Memory>> for Argument {
    fn from(memory: Option<Memory>) -> Self {
        memory.map_or(Self::Null, Self::Memory)
    }
}

impl Slot {
    /// The bytes, then zeros.
    fn of(bytes: &[u8]) -> Self {
        let mut slot = [0; SLOT_BYTES];
        slot.split_at_mut(bytes.len()).0.copy_from_slice(bytes);
        Self(slot)
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8; SLOT_BYTES] {
        &self.0
    }
}

impl HeadShape {
    fn bytes(self) -> [[u8; 4]; 8] {
        [
            self.heads,
            self.kv_heads,
            self.width,
            self.padded_width,
            self.pages_per_sequence,
            self.halves,
            self.query_scale.to_bits(),
            self.epsilon.to_bits(),
        ]
        .map(u32::to_le_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_lie_as_the_device_reads_them() {
        let shape = HeadShape {
            heads: 9,
            kv_heads: 3,
            width: 48,
            padded_width: 64,
            pages_per_sequence: 512,
            halves: 1,
            query_scale: 1.5,
            epsilon: 1e-5,
        };
        let launch = Launch {
            entry: "exact_turn".to_owned(),
            grid: [1; 3],
            block: [64, 1, 1],
            shared_bytes: 0,
            arguments: vec![
                Argument::Memory(Memory::new(0x0102_0304_0506, 1)),
                None.into(),
                Argument::U32(7),
                Argument::F32(-2.0),
                Argument::HeadShape(shape),
            ],
        };
        let slots = launch.slots();
        let word = |slot: usize, at: usize| {
            u32::from_le_bytes(slots[slot].bytes()[4 * at..][..4].try_into().unwrap())
        };
        assert_eq!(slots[0].bytes()[..8], [6, 5, 4, 3, 2, 1, 0, 0]);
        assert_eq!((word(1, 0), word(1, 1)), (0, 0));
        assert_eq!((word(2, 0), word(3, 0)), (7, 0xc000_0000));
        assert_eq!(
            [0, 1, 2, 3, 4, 5].map(|at| word(4, at)),
            [9, 3, 48, 64, 512, 1]
        );
        assert_eq!(f32::from_bits(word(4, 6)), 1.5);
        assert_eq!(f32::from_bits(word(4, 7)), 1e-5);
        assert_eq!(launch.memory().count(), 1);
    }
}
