//! F32, F16 and BF16: the weights themselves, column after column.
//!
//! Products, for 32 columns: from zero, one fused multiply-add of weight and activation integer for each column in turn; then
//! one with the activations' scale.

use half::{bf16, f16};

use super::PackedBlock;
use crate::{
    lanes::LANES,
    matmul::pack::PackError,
    quantize::{ActivationBlock, BLOCK},
};

/// 16 rows, 32 columns: `[column][row]`.
#[repr(C, align(64))]
pub(in crate::matmul) struct F32Block([[f32; LANES]; BLOCK]);

/// As [`F32Block`], the bits of [`f16`].
#[repr(C, align(64))]
pub(in crate::matmul) struct F16Block([[u16; LANES]; BLOCK]);

/// As [`F32Block`], the bits of [`bf16`].
#[repr(C, align(64))]
pub(in crate::matmul) struct BF16Block([[u16; LANES]; BLOCK]);

impl F32Block {
    pub(super) fn pack(rows: [&[u8; 4 * BLOCK]; LANES]) -> Result<Self, PackError> {
        let columns = columns(rows.map(|row| row.as_chunks::<4>().0))
            .map(|column| column.map(f32::from_le_bytes));
        let finite = columns
            .as_flattened()
            .iter()
            .all(|weight| weight.is_finite());
        finite.then_some(Self(columns)).ok_or(PackError::NotFinite)
    }
}

impl F16Block {
    pub(super) fn pack(rows: [&[u8; 2 * BLOCK]; LANES]) -> Result<Self, PackError> {
        let columns = columns(rows.map(|row| row.as_chunks::<2>().0))
            .map(|column| column.map(u16::from_le_bytes));
        let mut weights = columns.as_flattened().iter();
        let finite = weights.all(|weight| f16::from_bits(*weight).is_finite());
        finite.then_some(Self(columns)).ok_or(PackError::NotFinite)
    }
}

impl BF16Block {
    pub(super) fn pack(rows: [&[u8; 2 * BLOCK]; LANES]) -> Result<Self, PackError> {
        let columns = columns(rows.map(|row| row.as_chunks::<2>().0))
            .map(|column| column.map(u16::from_le_bytes));
        let mut weights = columns.as_flattened().iter();
        let finite = weights.all(|weight| bf16::from_bits(*weight).is_finite());
        finite.then_some(Self(columns)).ok_or(PackError::NotFinite)
    }
}

/// Rows to columns.
fn columns<const BYTES: usize>(rows: [&[[u8; BYTES]]; LANES]) -> [[[u8; BYTES]; LANES]; BLOCK] {
    let weight = |row: &[[u8; BYTES]], column| row.get(column).copied().unwrap_or([0; BYTES]);
    std::array::from_fn(|column| rows.map(|row| weight(row, column)))
}

/// A block of such a format.
pub(in crate::matmul) trait Float {
    fn weights(&self, lane: usize) -> [f32; BLOCK];
}

impl Float for F32Block {
    fn weights(&self, lane: usize) -> [f32; BLOCK] {
        self.0
            .map(|column| column.get(lane).copied().unwrap_or(0.0))
    }
}

impl Float for F16Block {
    fn weights(&self, lane: usize) -> [f32; BLOCK] {
        let bits = self.0.map(|column| column.get(lane).copied().unwrap_or(0));
        bits.map(|bits| f16::from_bits(bits).to_f32())
    }
}

impl Float for BF16Block {
    fn weights(&self, lane: usize) -> [f32; BLOCK] {
        let bits = self.0.map(|column| column.get(lane).copied().unwrap_or(0));
        bits.map(|bits| bf16::from_bits(bits).to_f32())
    }
}

macro_rules! packed {
    ($($block:ident)*) => {
        $(impl PackedBlock for $block {
            const PARTS: usize = 1;

            fn row(&self, _part: usize, lane: usize) -> [f32; BLOCK] {
                self.weights(lane)
            }

            fn accumulate(&self, _part: usize, lane: usize, activations: &ActivationBlock, sum: f32) -> f32 {
                let pairs = self.weights(lane).into_iter().zip(activations.integers());
                let block = pairs.fold(0.0_f32, |sum, (w, a)| w.mul_add(a as f32, sum));
                block.mul_add(activations.scale, sum)
            }
        })*
    };
}

packed!(F32Block F16Block BF16Block);

/// One column of 16 rows.
#[cfg(target_arch = "x86_64")]
#[expect(clippy::indexing_slicing, reason = "a column is one of 32")]
pub(in crate::matmul) mod avx512 {
    use std::arch::x86_64::*;

    use super::{BF16Block, F16Block, F32Block};
    use crate::lanes::avx512::{load, load_u16x16};

    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(in crate::matmul) fn f32(block: &F32Block, column: usize) -> __m512 {
        load(&block.0[column])
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(in crate::matmul) fn f16(block: &F16Block, column: usize) -> __m512 {
        _mm512_cvtph_ps(load_u16x16(&block.0[column]))
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(in crate::matmul) fn bf16(block: &BF16Block, column: usize) -> __m512 {
        let bits = _mm512_cvtepu16_epi32(load_u16x16(&block.0[column]));
        _mm512_castsi512_ps(_mm512_slli_epi32::<16>(bits))
    }
}

/// One column of 8 rows.
#[cfg(target_arch = "x86_64")]
#[expect(
    clippy::indexing_slicing,
    reason = "a column is one of 32, a half of two"
)]
pub(in crate::matmul) mod avx2 {
    use std::arch::x86_64::*;

    use super::{BF16Block, F16Block, F32Block};
    use crate::{
        lanes::avx2::{halves, load, load_u16x8},
        matmul::avx2::floats_of,
    };

    #[inline]
    #[target_feature(enable = "avx2")]
    pub(in crate::matmul) fn f32(block: &F32Block, column: usize, half: usize) -> __m256 {
        load(&halves(&block.0[column])[half])
    }

    #[inline]
    #[target_feature(enable = "avx2,f16c")]
    pub(in crate::matmul) fn f16(block: &F16Block, column: usize, half: usize) -> __m256 {
        floats_of(&block.0[column], half)
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    pub(in crate::matmul) fn bf16(block: &BF16Block, column: usize, half: usize) -> __m256 {
        let bits = load_u16x8(&block.0[column].as_chunks().0[half]);
        _mm256_castsi256_ps(_mm256_slli_epi32::<16>(_mm256_cvtepu16_epi32(bits)))
    }
}
