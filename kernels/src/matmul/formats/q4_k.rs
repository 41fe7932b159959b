//! Q4_K, `f16 d, f16 dmin, u8 scales[12], u8 qs[128]`: see [`super::k_scales`].

use super::{
    affine::Affine,
    k_scales::{KScales, PARTS},
};
use crate::{
    lanes::LANES,
    matmul::pack::{Nibbles, PackError, array, join, nth_part},
    quantize::BLOCK,
};

/// 16 rows, 256 columns.
#[repr(C, align(64))]
pub(in crate::matmul) struct Q4KBlock {
    quants: [Nibbles; PARTS],
    scales: KScales,
}

impl Q4KBlock {
    pub(super) fn pack(rows: [&[u8; 144]; LANES]) -> Result<Self, PackError> {
        let quants = |part| rows.map(|row| join(&quants(row, part)));
        Ok(Self {
            quants: std::array::from_fn(|part| Nibbles::pack(&quants(part))),
            scales: KScales::pack(rows)?,
        })
    }
}

/// Quants of one row and part: 32 bytes have those of two parts, the first in low nibbles.
fn quants(row: &[u8; 144], part: usize) -> [u8; BLOCK] {
    let bytes: [u8; BLOCK] = array(row, 16 + part / 2 * BLOCK);
    bytes.map(|byte| byte >> (part % 2 * 4) & 15)
}

impl Affine for Q4KBlock {
    const PARTS: usize = PARTS;

    fn quants(&self, part: usize, lane: usize) -> [i32; BLOCK] {
        let quants = nth_part(&self.quants, part).row(lane);
        quants.map(i32::from)
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
    use super::Q4KBlock;
    use crate::matmul::{
        avx512::{Unpacked, nibbles},
        formats::k_scales::avx512::unpack as scales,
    };

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    #[expect(clippy::indexing_slicing, reason = "a part is one of eight")]
    pub(in crate::matmul) fn unpack(block: &Q4KBlock, part: usize) -> Unpacked {
        let (scales, offsets) = scales(&block.scales, part);
        Unpacked {
            quads: nibbles(&block.quants[part]),
            excess: 0,
            scales,
            offsets: Some(offsets),
        }
    }
}

#[cfg(target_arch = "x86_64")]
pub(in crate::matmul) mod avx2 {
    use super::Q4KBlock;
    use crate::matmul::{
        avx2::{Unpacked, nibbles},
        formats::k_scales::avx2::unpack as meaning,
    };

    #[inline]
    #[target_feature(enable = "avx2,f16c")]
    #[expect(clippy::indexing_slicing, reason = "a part is one of eight")]
    pub(in crate::matmul) fn unpack(block: &Q4KBlock, part: usize, half: usize) -> Unpacked {
        Unpacked {
            quads: nibbles(&block.quants[part], half),
            meaning: meaning(&block.scales, part, half),
        }
    }
}
