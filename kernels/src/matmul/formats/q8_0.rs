//! Q8_0, `f16 d, i8 qs[32]`: `weight = d * quant`.

use super::affine::Affine;
use crate::{
    lanes::LANES,
    matmul::pack::{PackError, array, byte, half, halves, quads},
    quantize::BLOCK,
};

/// 16 rows, 32 columns. Byte `4 * row + i` of `quants[quad]` is column `4 * quad + i`, plus 128.
#[repr(C, align(32))]
pub(in crate::matmul) struct Q8_0Block {
    quants: [[u8; 64]; 8],
    scales: [u16; LANES],
}

impl Q8_0Block {
    pub(super) fn pack(rows: [&[u8; 34]; LANES]) -> Result<Self, PackError> {
        let quants = rows.map(|row| array::<32, 34>(row, 2));
        Ok(Self {
            quants: quads(&quants.map(|row| row.map(|quant| quant ^ 128))),
            scales: halves(rows, 0)?,
        })
    }
}

impl Affine for Q8_0Block {
    const PARTS: usize = 1;

    fn quants(&self, _part: usize, lane: usize) -> [i32; BLOCK] {
        std::array::from_fn(|column| {
            i32::from(byte(&self.quants, column / 4, 4 * lane + column % 4)) - 128
        })
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

    use super::Q8_0Block;
    use crate::{
        lanes::avx512::{load_u8x64, load_u16x16},
        matmul::avx512::{Unpacked, unroll},
    };

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    pub(in crate::matmul) fn unpack(block: &Q8_0Block, _part: usize) -> Unpacked {
        let mut quads = [_mm512_setzero_si512(); 8];
        unroll!(QUAD in 0 1 2 3 4 5 6 7 {
            quads[QUAD] = load_u8x64(&block.quants[QUAD]);
        });
        Unpacked {
            quads,
            excess: 128,
            scales: _mm512_cvtph_ps(load_u16x16(&block.scales)),
            offsets: None,
        }
    }
}

#[cfg(target_arch = "x86_64")]
pub(in crate::matmul) mod avx2 {
    use std::arch::x86_64::*;

    use super::Q8_0Block;
    use crate::{
        lanes::avx2::load_u8x32,
        matmul::avx2::{Meaning, floats_of},
    };

    /// Four columns of eight rows.
    #[inline]
    #[target_feature(enable = "avx2")]
    #[expect(clippy::indexing_slicing, reason = "constant lengths, unrolled")]
    pub(in crate::matmul) fn quad<const QUAD: usize>(block: &Q8_0Block, half: usize) -> __m256i {
        load_u8x32(&block.quants[QUAD].as_chunks().0[half])
    }

    #[inline]
    #[target_feature(enable = "avx2,f16c")]
    pub(in crate::matmul) fn meaning(block: &Q8_0Block, half: usize) -> Meaning {
        Meaning {
            excess: 128,
            scales: floats_of(&block.scales, half),
            offsets: None,
        }
    }
}
