//! The formats, one file each: the packed block (16 rows, one or more times 32 columns), how it is made of the file's
//! blocks (ggml `block_q4_0` and so on, little-endian), what its weights are, how it is unpacked on each path.
//!
//! A new format is a file here, a line in `formats!` and an arm in each path.

mod affine;
pub(super) mod float;
mod k_scales;
pub(super) mod q4_0;
pub(super) mod q4_1;
pub(super) mod q4_k;
pub(super) mod q5_0;
pub(super) mod q5_1;
pub(super) mod q5_k;
pub(super) mod q6_k;
pub(super) mod q8_0;

use super::{
    Activations, Mode,
    matrix::PackedPanel,
    pack::{PackError, pack},
    scalar,
};
use crate::{
    huge_pages,
    lanes::LANES,
    quantize::{ActivationBlock, BLOCK},
};
use float::{BF16Block, F16Block, F32Block};
use q4_0::Q4_0Block;
use q4_1::Q4_1Block;
use q4_k::Q4KBlock;
use q5_0::Q5_0Block;
use q5_1::Q5_1Block;
use q5_k::Q5KBlock;
use q6_k::Q6KBlock;
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
    ($($name:ident: $block:ident, $text:literal, $bytes:literal, $packed:literal;)*) => {
        /// How weights are stored in a model file.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[expect(missing_docs, reason = "names of the specification")]
        pub enum Format {
            $($name,)*
        }

        impl Format {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its name in entry points of CUDA operations.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }

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

            /// Bytes of sixteen packed rows.
            pub fn panel_bytes(self, columns: usize) -> usize {
                let block_bytes = match self {
                    $(Self::$name => $packed,)*
                };
                columns / self.block_columns() * block_bytes
            }
        }

        // What is packed takes at most a twentieth more than in the file.
        $(const _: () = assert!(size_of::<$block>() * 20 <= 21 * LANES * $bytes);)*

        // There is no padding: the CUDA operations have the same structs.
        $(const _: () = assert!(size_of::<$block>() == $packed);)*

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

            /// Moves them into huge pages.
            pub(super) fn gather(&self) {
                match self {
                    $(Self::$name(blocks) => huge_pages::gather(blocks),)*
                }
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

        impl<'a> Panel<'a> {
            /// Format and bytes.
            pub(super) fn packed(self) -> PackedPanel<'a> {
                match self {
                    $(Self::$name(blocks) => PackedPanel {
                        format: Format::$name,
                        bytes: bytes_of(blocks),
                    },)*
                }
            }

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

// With the bytes of a block in the file, and of sixteen rows' packed.
formats! {
    Q4_0: Q4_0Block, "q4_0", 18, 288;
    Q4_1: Q4_1Block, "q4_1", 20, 320;
    Q5_0: Q5_0Block, "q5_0", 22, 352;
    Q5_1: Q5_1Block, "q5_1", 24, 384;
    Q8_0: Q8_0Block, "q8_0", 34, 544;
    Q4K: Q4KBlock, "q4_k", 144, 2368;
    Q5K: Q5KBlock, "q5_k", 176, 2880;
    Q6K: Q6KBlock, "q6_k", 210, 3360;
    F16: F16Block, "f16", 64, 1024;
    BF16: BF16Block, "bf16", 64, 1024;
    F32: F32Block, "f32", 128, 2048;
}

#[expect(
    clippy::indexing_slicing,
    reason = "a wrong panel is the caller's mistake"
)]
fn nth<B: PackedBlock>(blocks: &[B], index: usize, blocks_per_row: usize) -> &[B] {
    let length = blocks_per_row / B::PARTS;
    &blocks[index * length..(index + 1) * length]
}

/// Blocks as they lie in memory.
#[expect(
    unsafe_code,
    reason = "packed blocks are bytes to those who upload them"
)]
fn bytes_of<B: PackedBlock>(blocks: &[B]) -> &[u8] {
    // SAFETY: the slice covers so many bytes, all initialised: packed blocks are arrays of integers and floats behind each other,
    // without padding (the sizes are asserted above).
    unsafe { std::slice::from_raw_parts(blocks.as_ptr().cast(), size_of_val(blocks)) }
}

fn row<B: PackedBlock>(blocks: &[B], lane: usize, out: &mut [f32]) {
    let parts = blocks
        .iter()
        .flat_map(|block| (0..B::PARTS).map(move |part| block.row(part, lane)));
    for (out, weights) in out.as_chunks_mut().0.iter_mut().zip(parts) {
        *out = weights;
    }
}
