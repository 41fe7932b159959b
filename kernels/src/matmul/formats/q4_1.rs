//! Q4_1, `f16 d, f16 m, u8 qs[16]`: `weight = d * quant + m`. The low nibble of `qs[j]` is column `j`, the high one `j + 16`.

use super::affine::Affine;
use crate::{
    lanes::LANES,
    matmul::pack::{Nibbles, PackError, array, half, halves},
    quantize::BLOCK,
};

/// 16 rows, 32 columns.
#[repr(C, align(64))]
pub(in crate::matmul) struct Q4_1Block {
    quants: Nibbles,
    scales: [u16; LANES],
    offsets: [u16; LANES],
}

impl Q4_1Block {
    pub(super) fn pack(rows: [&[u8; 20]; LANES]) -> Result<Self, PackError> {
        Ok(Self {
            quants: Nibbles::pack(&rows.map(|row| array(row, 4))),
            scales: halves(rows, 0)?,
            offsets: halves(rows, 2)?,
        })
    }
}

impl Affine for Q4_1Block {
    const PARTS: usize = 1;

    fn quants(&self, _part: usize, lane: usize) -> [i32; BLOCK] {
        self.quants.row(lane).map(i32::from)
    }

    fn scale(&self, _part: usize, lane: usize) -> f32 {
        half(&self.scales, lane)
    }

    fn offset(&self, _part: usize, lane: usize) -> Option<f32> {
        Some(half(&self.offsets, lane))
    }
}

#[cfg(target_arch = "x86_64")]
pub(in crate::matmul) mod avx512 {
    use std::arch::x86_64::*;

    use super::Q4_1Block;
    use crate::{
        lanes::avx512::load_u16x16,
        matmul::avx512::{Unpacked, nibbles},
    };

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    pub(in crate::matmul) fn unpack(block: &Q4_1Block, _part: usize) -> Unpacked {
        Unpacked {
            quads: nibbles(&block.quants),
            excess: 0,
            scales: _mm512_cvtph_ps(load_u16x16(&block.scales)),
            offsets: Some(_mm512_cvtph_ps(load_u16x16(&block.offsets))),
        }
    }
}

#[cfg(target_arch = "x86_64")]
pub(in crate::matmul) mod avx2 {
    use super::Q4_1Block;
    use crate::matmul::avx2::{Meaning, Unpacked, floats_of, nibbles};

    #[inline]
    #[target_feature(enable = "avx2,f16c")]
    pub(in crate::matmul) fn unpack(block: &Q4_1Block, _part: usize, half: usize) -> Unpacked {
        Unpacked {
            quads: nibbles(&block.quants, half),
            meaning: Meaning {
                excess: 0,
                scales: floats_of(&block.scales, half),
                offsets: Some(floats_of(&block.offsets, half)),
            },
        }
    }
}
