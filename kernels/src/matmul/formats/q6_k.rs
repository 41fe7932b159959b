//! Q6_K, `u8 ql[128], u8 qh[64], i8 scales[16], f16 d`: `weight = (d * scale) * (quant - 32)`, a scale for 16 columns.
//!
//! The product with `d` is exact in `f32`. Products: each half of 32 columns has an exact integer sum and one fused
//! multiply-add with `(d * scale) * activation_scale`, the first half first.

use super::PackedBlock;
use crate::{
    lanes::LANES,
    matmul::pack::{Nibbles, PackError, TopPairs, array, half, halves, join, nth_part},
    quantize::{ActivationBlock, BLOCK},
};

/// Parts of a super-block.
const PARTS: usize = 8;

/// 16 rows, 256 columns.
#[repr(C, align(32))]
pub(in crate::matmul) struct Q6KBlock {
    quants: [Nibbles; PARTS],
    tops: [TopPairs; PARTS],
    /// Of each half.
    scales: [[i8; LANES]; 2 * PARTS],
    d: [u16; LANES],
}

impl Q6KBlock {
    pub(super) fn pack(rows: [&[u8; 210]; LANES]) -> Result<Self, PackError> {
        let quants = |part| rows.map(|row| join(&quants(row, part)));
        let tops = |part| rows.map(|row| tops(row, part));
        let scale = |half| rows.map(|row| i8::from_le_bytes(array(row, 192 + half)));
        Ok(Self {
            quants: std::array::from_fn(|part| Nibbles::pack(&quants(part))),
            tops: std::array::from_fn(|part| TopPairs::pack(&tops(part))),
            scales: std::array::from_fn(scale),
            d: halves(rows, 208)?,
        })
    }

    /// Integers of one row, column by column.
    fn quants(&self, part: usize, lane: usize) -> [i32; BLOCK] {
        let low = nth_part(&self.quants, part).row(lane);
        let quants = nth_part(&self.tops, part).add_to(low, lane);
        quants.map(|quant| i32::from(quant) - 32)
    }

    fn scale(&self, half_index: usize, lane: usize) -> f32 {
        let scales = self.scales.get(half_index);
        let scale = scales.and_then(|scales| scales.get(lane)).copied();
        half(&self.d, lane) * f32::from(scale.unwrap_or(0))
    }
}

/// Low bits of one row and part. Each half of the super-block, four parts, has 64 bytes of `ql`: low nibbles of the first two
/// parts, then high ones of the others.
fn quants(row: &[u8; 210], part: usize) -> [u8; BLOCK] {
    let (half, part) = (part / 4, part % 4);
    let bytes: [u8; BLOCK] = array(row, 64 * half + part % 2 * BLOCK);
    bytes.map(|byte| byte >> (part / 2 * 4) & 15)
}

/// Top bits of one row and part: each half of the super-block has 32 bytes of `qh`, two bits for each part.
fn tops(row: &[u8; 210], part: usize) -> [u8; BLOCK] {
    let bytes: [u8; BLOCK] = array(row, 128 + part / 4 * BLOCK);
    bytes.map(|byte| byte >> (part % 4 * 2) & 3)
}

impl PackedBlock for Q6KBlock {
    const PARTS: usize = PARTS;

    fn row(&self, part: usize, lane: usize) -> [f32; BLOCK] {
        let scales = [0, 1].map(|half| self.scale(2 * part + half, lane));
        let scales = scales.map(|scale| [scale; BLOCK / 2]);
        let mut scales = scales.as_flattened().iter();
        let mut scale = || scales.next().copied().unwrap_or(0.0);
        self.quants(part, lane).map(|quant| scale() * quant as f32)
    }

    fn accumulate(&self, part: usize, lane: usize, activations: &ActivationBlock, sum: f32) -> f32 {
        let (quants, integers) = (self.quants(part, lane), activations.integers());
        let halves = quants
            .as_chunks::<16>()
            .0
            .iter()
            .zip(integers.as_chunks::<16>().0);
        halves
            .enumerate()
            .fold(sum, |sum, (half, (quants, integers))| {
                let exact: i32 = quants.iter().zip(integers).map(|(w, a)| w * a).sum();
                let scale = self.scale(2 * part + half, lane) * activations.scale;
                (exact as f32).mul_add(scale, sum)
            })
    }
}

#[cfg(target_arch = "x86_64")]
pub(in crate::matmul) mod avx512 {
    use std::arch::x86_64::*;

    use super::Q6KBlock;
    use crate::{
        lanes::avx512::{load_i8x16, load_u16x16},
        matmul::avx512::{add_tops, halves::Unpacked, nibbles},
    };

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    #[expect(clippy::indexing_slicing, reason = "a part is one of eight")]
    pub(in crate::matmul) fn unpack(block: &Q6KBlock, part: usize) -> Unpacked {
        let d = _mm512_cvtph_ps(load_u16x16(&block.d));
        let floats = |scales| _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(scales));
        Unpacked {
            quads: add_tops(nibbles(&block.quants[part]), &block.tops[part]),
            excess: 32,
            scales: [
                _mm512_mul_ps(d, floats(load_i8x16(&block.scales[2 * part]))),
                _mm512_mul_ps(d, floats(load_i8x16(&block.scales[2 * part + 1]))),
            ],
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[expect(
    clippy::indexing_slicing,
    reason = "a part is one of eight, a half of two"
)]
pub(in crate::matmul) mod avx2 {
    use std::arch::x86_64::*;

    use super::Q6KBlock;
    use crate::{
        lanes::avx2::load_i8x8,
        matmul::avx2::{add_tops, floats_of, nibbles},
    };

    /// Quants of eight rows, too large by 32.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(in crate::matmul) fn quads(block: &Q6KBlock, part: usize, half: usize) -> [__m256i; 8] {
        add_tops(nibbles(&block.quants[part], half), &block.tops[part], half)
    }

    /// Scales of eight rows, of the first and of the last sixteen columns.
    #[inline]
    #[target_feature(enable = "avx2,f16c")]
    pub(in crate::matmul) fn scales(block: &Q6KBlock, part: usize, half: usize) -> [__m256; 2] {
        let d = floats_of(&block.d, half);
        let scale = |scales: &[i8; 16]| {
            let scales = _mm256_cvtepi8_epi32(load_i8x8(&scales.as_chunks().0[half]));
            _mm256_mul_ps(d, _mm256_cvtepi32_ps(scales))
        };
        [
            scale(&block.scales[2 * part]),
            scale(&block.scales[2 * part + 1]),
        ]
    }
}
