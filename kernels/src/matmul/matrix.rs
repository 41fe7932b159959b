//! Weight matrices in panels of sixteen rows: one vector instruction works on the same column of all of them.

use std::ops::Range;

use half::f16;

use super::pack::{Format, PackError, pack_q4_0, pack_q4_1, pack_q8_0};
use crate::{lanes::LANES, quantize::BLOCK};

/// Four-bit weights of 16 rows, 32 columns: `weight = scale * quant + offset`, quants from 0 to 15.
///
/// Byte `4 * row + i` of `quants[quad]` has column `4 * quad + i` in its low nibble, `16 + 4 * quad + i` in its high one.
#[derive(Clone)]
#[repr(C, align(64))]
pub(crate) struct Q4Block {
    pub(crate) quants: [[u8; 64]; 4],
    pub(crate) scales: [u16; LANES],
    pub(crate) offsets: [u16; LANES],
}

/// Eight-bit weights of 16 rows, 32 columns: `weight = scale * (quant - 128)`.
///
/// Byte `4 * row + i` of `quants[quad]` has column `4 * quad + i`.
#[derive(Clone)]
#[repr(C, align(32))]
pub(crate) struct Q8Block {
    pub(crate) quants: [[u8; 64]; 8],
    pub(crate) scales: [u16; LANES],
}

/// Blocks of one format, `[panel][block]`.
enum Blocks {
    Q4(Vec<Q4Block>),
    Q8(Vec<Q8Block>),
}

/// A packed weight matrix.
pub struct Matrix {
    blocks: Blocks,
    blocks_per_row: usize,
}

/// Matrices that were to be joined have different formats or widths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("matrices of different formats or widths cannot be joined")]
pub struct MixedFormats;

impl Matrix {
    /// Packs `bytes`: rows of `columns` weights each, in the blocks of a GGUF file.
    pub fn pack(format: Format, columns: usize, bytes: &[u8]) -> Result<Self, PackError> {
        let blocks_per_row = columns / BLOCK;
        if columns == 0 || !columns.is_multiple_of(BLOCK) {
            return Err(PackError::Columns(columns));
        }
        let blocks = match format {
            Format::Q4_0 => Blocks::Q4(pack_q4_0(bytes, blocks_per_row)?),
            Format::Q4_1 => Blocks::Q4(pack_q4_1(bytes, blocks_per_row)?),
            Format::Q8_0 => Blocks::Q8(pack_q8_0(bytes, blocks_per_row)?),
        };
        Ok(Self {
            blocks,
            blocks_per_row,
        })
    }

    /// The rows of `self`, then those of `below`.
    pub fn stack(mut self, below: Self) -> Result<Self, MixedFormats> {
        if self.blocks_per_row != below.blocks_per_row {
            return Err(MixedFormats);
        }
        match (&mut self.blocks, below.blocks) {
            (Blocks::Q4(above), Blocks::Q4(below)) => above.extend(below),
            (Blocks::Q8(above), Blocks::Q8(below)) => above.extend(below),
            _ => return Err(MixedFormats),
        }
        Ok(self)
    }

    /// Panels of `self` and `other` in turn.
    pub fn interleave(self, other: &Self) -> Result<Self, MixedFormats> {
        let per_row = self.blocks_per_row;
        if per_row != other.blocks_per_row || self.panel_count() != other.panel_count() {
            return Err(MixedFormats);
        }
        let blocks = match (&self.blocks, &other.blocks) {
            (Blocks::Q4(even), Blocks::Q4(odd)) => Blocks::Q4(alternate(even, odd, per_row)),
            (Blocks::Q8(even), Blocks::Q8(odd)) => Blocks::Q8(alternate(even, odd, per_row)),
            _ => return Err(MixedFormats),
        };
        Ok(Self { blocks, ..self })
    }

    /// How many panels of 16 rows there are.
    pub fn panel_count(&self) -> usize {
        let blocks = match &self.blocks {
            Blocks::Q4(blocks) => blocks.len(),
            Blocks::Q8(blocks) => blocks.len(),
        };
        blocks / self.blocks_per_row
    }

    /// Width of a row in blocks of 32 columns.
    pub fn blocks_per_row(&self) -> usize {
        self.blocks_per_row
    }

    /// Some panels.
    ///
    /// # Panics
    /// If there are not so many.
    #[expect(
        clippy::indexing_slicing,
        reason = "a wrong range is the caller's mistake"
    )]
    pub fn panels(&self, range: Range<usize>) -> Panels<'_> {
        let range = range.start * self.blocks_per_row..range.end * self.blocks_per_row;
        Panels {
            blocks: match &self.blocks {
                Blocks::Q4(blocks) => BlockSlice::Q4(&blocks[range]),
                Blocks::Q8(blocks) => BlockSlice::Q8(&blocks[range]),
            },
            blocks_per_row: self.blocks_per_row,
        }
    }

    /// Writes the weights of one row; each is `scale * quant`, rounded, then `+ offset`, rounded.
    pub fn row(&self, row: usize, out: &mut [f32]) {
        let lane = row % LANES;
        let panel = self.panels(row / LANES..row / LANES + 1);
        let out = out.as_chunks_mut::<BLOCK>().0.iter_mut();
        match panel.blocks {
            BlockSlice::Q4(blocks) => out.zip(blocks).for_each(|(out, b)| *out = b.row(lane)),
            BlockSlice::Q8(blocks) => out.zip(blocks).for_each(|(out, b)| *out = b.row(lane)),
        }
    }
}

fn alternate<B: Clone>(even: &[B], odd: &[B], blocks_per_row: usize) -> Vec<B> {
    let panels = even.chunks(blocks_per_row).zip(odd.chunks(blocks_per_row));
    panels
        .flat_map(|(even, odd)| even.iter().chain(odd))
        .cloned()
        .collect()
}

/// Some panels of a matrix.
#[derive(Clone, Copy)]
pub struct Panels<'a> {
    pub(super) blocks: BlockSlice<'a>,
    blocks_per_row: usize,
}

/// Blocks of one format.
#[derive(Clone, Copy)]
pub(super) enum BlockSlice<'a> {
    Q4(&'a [Q4Block]),
    Q8(&'a [Q8Block]),
}

impl Panels<'_> {
    /// How many there are.
    pub fn count(&self) -> usize {
        let blocks = match self.blocks {
            BlockSlice::Q4(blocks) => blocks.len(),
            BlockSlice::Q8(blocks) => blocks.len(),
        };
        blocks / self.blocks_per_row
    }

    /// Width of a row in blocks of 32 columns.
    pub(super) fn blocks_per_row(&self) -> usize {
        self.blocks_per_row
    }
}

#[expect(
    clippy::indexing_slicing,
    reason = "constant lengths; lanes come from `% LANES`"
)]
impl Q4Block {
    /// Quants of one row, column by column.
    pub(crate) fn quants(&self, lane: usize) -> [i32; BLOCK] {
        std::array::from_fn(|column| {
            let byte = self.quants[column % 16 / 4][4 * lane + column % 4];
            i32::from(if column < 16 { byte & 15 } else { byte >> 4 })
        })
    }

    pub(crate) fn scale(&self, lane: usize) -> f32 {
        f16::from_bits(self.scales[lane]).to_f32()
    }

    pub(crate) fn offset(&self, lane: usize) -> f32 {
        f16::from_bits(self.offsets[lane]).to_f32()
    }

    fn row(&self, lane: usize) -> [f32; BLOCK] {
        let (scale, offset) = (self.scale(lane), self.offset(lane));
        self.quants(lane).map(|quant| scale * quant as f32 + offset)
    }
}

#[expect(
    clippy::indexing_slicing,
    reason = "constant lengths; lanes come from `% LANES`"
)]
impl Q8Block {
    /// Quants of one row as the file has them, column by column.
    pub(crate) fn quants(&self, lane: usize) -> [i32; BLOCK] {
        std::array::from_fn(|column| {
            i32::from(self.quants[column / 4][4 * lane + column % 4]) - 128
        })
    }

    pub(crate) fn scale(&self, lane: usize) -> f32 {
        f16::from_bits(self.scales[lane]).to_f32()
    }

    fn row(&self, lane: usize) -> [f32; BLOCK] {
        self.quants(lane)
            .map(|quant| self.scale(lane) * quant as f32)
    }
}
