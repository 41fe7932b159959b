//! The formats, one file each: the packed block (16 rows, one or more times 32 columns), how it is made of the file's
//! blocks (ggml `block_q4_0` and so on, little-endian), what its weights are, how it is unpacked on each path.
//!
//! A new format is a file here, a line in `formats!` and an arm in each path.

pub(super) mod affine;
pub(super) mod q4_0;
pub(super) mod q4_1;
pub(super) mod q8_0;

use super::{
    Activations, Mode,
    pack::{PackError, pack},
    scalar,
};
use crate::quantize::{ActivationBlock, BLOCK};
use q4_0::Q4_0Block;
use q4_1::Q4_1Block;
use q8_0::Q8_0Block;

/// Weights of sixteen rows, 32 columns once or several times.
pub(super) trait PackedBlock {
    /// How many times.
    const PARTS: usize;

    /// Weights of one row in one part.
    fn row(&self, part: usize, lane: usize) -> [f32; BLOCK];

    /// Adds the products of one row and part to `sum`, in the order of the contract.
    fn accumulate(&self, part: usize, lane: usize, activations: &ActivationBlock, sum: f32) -> f32;
}

macro_rules! formats {
    ($($name:ident: $block:ident, $bytes:literal;)*) => {
        /// How weights are stored in a model file.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[expect(missing_docs, reason = "names of the specification")]
        pub enum Format {
            $($name,)*
        }

        impl Format {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Columns of a block: those of a matrix are a multiple.
            pub fn block_columns(self) -> usize {
                match self {
                    $(Self::$name => BLOCK * <$block as PackedBlock>::PARTS,)*
                }
            }

            /// Bytes of a row in the file.
            pub fn row_bytes(self, columns: usize) -> usize {
                let block_bytes = match self {
                    $(Self::$name => $bytes,)*
                };
                columns / self.block_columns() * block_bytes
            }
        }

        /// Blocks of one format, `[panel][block]`.
        pub(super) enum Blocks {
            $($name(Vec<$block>),)*
        }

        impl Blocks {
            pub(super) fn pack(format: Format, columns: usize, bytes: &[u8]) -> Result<Self, PackError> {
                let per_row = columns / format.block_columns();
                Ok(match format {
                    $(Format::$name => Self::$name(pack::<_, $bytes>(bytes, per_row, $block::pack)?),)*
                })
            }

            /// The `index`-th panel of a matrix with so many blocks of 32 columns in a row.
            pub(super) fn panel(&self, index: usize, blocks_per_row: usize) -> Panel<'_> {
                match self {
                    $(Self::$name(blocks) => Panel::$name(nth(blocks, index, blocks_per_row)),)*
                }
            }
        }

        /// The blocks of one panel.
        #[derive(Clone, Copy)]
        pub(super) enum Panel<'a> {
            $($name(&'a [$block]),)*
        }

        impl Panel<'_> {
            /// Writes the weights of one of the sixteen rows.
            pub(super) fn row(self, lane: usize, out: &mut [f32]) {
                match self {
                    $(Self::$name(blocks) => row(blocks, lane, out),)*
                }
            }

            /// Multiplies on the scalar path.
            pub(super) fn multiply(self, activations: Activations<'_>, mode: Mode, out: &mut [f32]) {
                match self {
                    $(Self::$name(blocks) => scalar::panel(blocks, activations, mode, out),)*
                }
            }
        }
    };
}

// With the bytes of a block in the file.
formats! {
    Q4_0: Q4_0Block, 18;
    Q4_1: Q4_1Block, 20;
    Q8_0: Q8_0Block, 34;
}

#[expect(
    clippy::indexing_slicing,
    reason = "a wrong panel is the caller's mistake"
)]
fn nth<B: PackedBlock>(blocks: &[B], index: usize, blocks_per_row: usize) -> &[B] {
    let length = blocks_per_row / B::PARTS;
    &blocks[index * length..(index + 1) * length]
}

fn row<B: PackedBlock>(blocks: &[B], lane: usize, out: &mut [f32]) {
    let parts = blocks
        .iter()
        .flat_map(|block| (0..B::PARTS).map(move |part| block.row(part, lane)));
    for (out, weights) in out.as_chunks_mut().0.iter_mut().zip(parts) {
        *out = weights;
    }
}
