//! Q5_K, `f16 d, f16 dmin, u8 scales[12], u8 qh[32], u8 qs[128]`: see [`super::k_scales`].

use super::{
    affine::Affine,
    k_scales::{KScales, PARTS},
};
use crate::{
    lanes::LANES,
    matmul::pack::{FifthBits, Nibbles, PackError, array, join, lowest_bits, nth_part},
    quantize::BLOCK,
};

/// 16 rows, 256 columns.
#[repr(C, align(64))]
pub(in crate::matmul) struct Q5KBlock {
    quants: [Nibbles; PARTS],
    fifths: [FifthBits; PARTS],
    scales: KScales,
}

impl Q5KBlock {
    pub(super) fn pack(rows: [&[u8; 176]; LANES]) -> Result<Self, PackError> {
        let quants = |part| rows.map(|row| join(&quants(row, part)));
        let fifths = |part| rows.map(|row| fifths(row, part));
        Ok(Self {
            quants: std::array::from_fn(|part| Nibbles::pack(&quants(part))),
            fifths: std::array::from_fn(|part| FifthBits::pack(&fifths(part))),
            scales: KScales::pack(rows)?,
        })
    }
}

/// Low bits of one row and part: 32 bytes have those of two parts, the first in low nibbles.
fn quants(row: &[u8; 176], part: usize) -> [u8; BLOCK] {
    let bytes: [u8; BLOCK] = array(row, 48 + part / 2 * BLOCK);
    bytes.map(|byte| byte >> (part % 2 * 4) & 15)
}

/// Fifth bits of one row and part: `qh[j]` has those of column `j` of every part.
fn fifths(row: &[u8; 176], part: usize) -> u32 {
    let bytes: [u8; BLOCK] = array(row, 16);
    lowest_bits(&bytes.map(|byte| byte >> part))
}

impl Affine for Q5KBlock {
    const PARTS: usize = PARTS;

    fn quants(&self, part: usize, lane: usize) -> [i32; BLOCK] {
        let quants = nth_part(&self.quants, part).row(lane);
        let fifths = nth_part(&self.fifths, part);
        fifths.add_to(quants, lane).map(i32::from)
    }

    fn scale(&self, part: usize, lane: usize) -> f32 {
        self.scales.scale(part, lane)
    }

    fn offset(&self, part: usize, lane: usize) -> Option<f32> {
        Some(self.scales.offset(part, lane))
    }
}

#[cfg(target_arch = "x86_64")]
pub(in crate::matmul) mod avx512 {
    use super::Q5KBlock;
    use crate::matmul::{
        avx512::{Unpacked, add_fifths, nibbles},
        formats::k_scales::avx512::unpack as scales,
    };

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    #[expect(clippy::indexing_slicing, reason = "a part is one of eight")]
    pub(in crate::matmul) fn unpack(block: &Q5KBlock, part: usize) -> Unpacked {
        let (scales, offsets) = scales(&block.scales, part);
        Unpacked {
            quads: add_fifths(nibbles(&block.quants[part]), &block.fifths[part]),
            excess: 0,
            scales,
            offsets: Some(offsets),
        }
    }
}

#[cfg(target_arch = "x86_64")]
pub(in crate::matmul) mod avx2 {
    use super::Q5KBlock;
    use crate::matmul::{
        avx2::{Unpacked, add_fifths, nibbles},
        formats::k_scales::avx2::unpack as meaning,
    };

    #[inline]
    #[target_feature(enable = "avx2,f16c")]
    #[expect(clippy::indexing_slicing, reason = "a part is one of eight")]
    pub(in crate::matmul) fn unpack(block: &Q5KBlock, part: usize, half: usize) -> Unpacked {
        Unpacked {
            quads: add_fifths(
                nibbles(&block.quants[part], half),
                &block.fifths[part],
                half,
            ),
            meaning: meaning(&block.scales, part, half),
        }
    }
}
