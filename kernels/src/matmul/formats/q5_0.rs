//! Q5_0, `f16 d, u32 qh, u8 qs[16]`: `weight = d * (quant - 16)`. The low nibble of `qs[j]` belongs to column `j`, the high
//! one to `j + 16`; bit `j` of `qh` is column `j`'s fifth.

use super::affine::Affine;
use crate::{
    lanes::LANES,
    matmul::pack::{FifthBits, Nibbles, PackError, array, half, halves},
    quantize::BLOCK,
};

/// 16 rows, 32 columns.
#[repr(C, align(32))]
pub(in crate::matmul) struct Q5_0Block {
    quants: Nibbles,
    fifths: FifthBits,
    scales: [u16; LANES],
}

impl Q5_0Block {
    pub(super) fn pack(rows: [&[u8; 22]; LANES]) -> Result<Self, PackError> {
        let fifths = rows.map(|row| u32::from_le_bytes(array(row, 2)));
        Ok(Self {
            quants: Nibbles::pack(&rows.map(|row| array(row, 6))),
            fifths: FifthBits::pack(&fifths),
            scales: halves(rows, 0)?,
        })
    }
}

impl Affine for Q5_0Block {
    const PARTS: usize = 1;

    fn quants(&self, _part: usize, lane: usize) -> [i32; BLOCK] {
        let quants = self.fifths.add_to(self.quants.row(lane), lane);
        quants.map(|quant| i32::from(quant) - 16)
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

    use super::Q5_0Block;
    use crate::{
        lanes::avx512::load_u16x16,
        matmul::avx512::{Unpacked, add_fifths, nibbles},
    };

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    pub(in crate::matmul) fn unpack(block: &Q5_0Block, _part: usize) -> Unpacked {
        Unpacked {
            quads: add_fifths(nibbles(&block.quants), &block.fifths),
            excess: 16,
            scales: _mm512_cvtph_ps(load_u16x16(&block.scales)),
            offsets: None,
        }
    }
}

#[cfg(target_arch = "x86_64")]
pub(in crate::matmul) mod avx2 {
    use super::Q5_0Block;
    use crate::matmul::avx2::{Meaning, Unpacked, add_fifths, floats_of, nibbles};

    #[inline]
    #[target_feature(enable = "avx2,f16c")]
    pub(in crate::matmul) fn unpack(block: &Q5_0Block, _part: usize, half: usize) -> Unpacked {
        Unpacked {
            quads: add_fifths(nibbles(&block.quants, half), &block.fifths, half),
            meaning: Meaning {
                excess: 16,
                scales: floats_of(&block.scales, half),
                offsets: None,
            },
        }
    }
}
