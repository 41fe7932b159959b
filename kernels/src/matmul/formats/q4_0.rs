//! Q4_0, `f16 d, u8 qs[16]`: `weight = d * (quant - 8)`. The low nibble of `qs[j]` is column `j`, the high one `j + 16`.

use super::affine::Affine;
use crate::{
    lanes::LANES,
    matmul::pack::{Nibbles, PackError, array, half, halves},
    quantize::BLOCK,
};

/// 16 rows, 32 columns.
#[repr(C, align(32))]
pub(in crate::matmul) struct Q4_0Block {
    quants: Nibbles,
    scales: [u16; LANES],
}

impl Q4_0Block {
    pub(super) fn pack(rows: [&[u8; 18]; LANES]) -> Result<Self, PackError> {
        Ok(Self {
            quants: Nibbles::pack(&rows.map(|row| array(row, 2))),
            scales: halves(rows, 0)?,
        })
    }
}

impl Affine for Q4_0Block {
    const PARTS: usize = 1;

    fn quants(&self, _part: usize, lane: usize) -> [i32; BLOCK] {
        self.quants.row(lane).map(|quant| i32::from(quant) - 8)
    }

    fn scale(&self, _part: usize, lane: usize) -> f32 {
        half(&self.scales, lane)
    }

    fn offset(&self, _part: usize, _lane: usize) -> Option<f32> {
        None
    }
}

#[cfg(target_arch = "x86_64")]
pub(in crate::matmul) mod avx512 {
    use std::arch::x86_64::*;

    use super::Q4_0Block;
    use crate::{
        lanes::avx512::load_u16x16,
        matmul::avx512::{Unpacked, nibbles},
    };

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    pub(in crate::matmul) fn unpack(block: &Q4_0Block, _part: usize) -> Unpacked {
        Unpacked {
            quads: nibbles(&block.quants),
            excess: 8,
            scales: _mm512_cvtph_ps(load_u16x16(&block.scales)),
            offsets: None,
        }
    }
}

#[cfg(target_arch = "x86_64")]
pub(in crate::matmul) mod avx2 {
    use super::Q4_0Block;
    use crate::matmul::avx2::{Meaning, Unpacked, floats_of, nibbles};

    #[inline]
    #[target_feature(enable = "avx2,f16c")]
    pub(in crate::matmul) fn unpack(block: &Q4_0Block, _part: usize, half: usize) -> Unpacked {
        Unpacked {
            quads: nibbles(&block.quants, half),
            meaning: Meaning {
                excess: 8,
                scales: floats_of(&block.scales, half),
                offsets: None,
            },
        }
    }
}
