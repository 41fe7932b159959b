//! What Q4_K and Q5_K have in common: eight parts of 32 columns, each with a scale and a minimum of six bits.
//!
//! `weight = (d * scale) * quant - dmin * minimum`; the products with `d` and `dmin` are exact in `f32`.

use super::PackError;
use crate::{
    lanes::LANES,
    matmul::pack::{array, half, halves},
};

/// Parts of a super-block.
pub(super) const PARTS: usize = 8;

/// Scales and minima of 16 rows.
#[repr(C)]
pub(super) struct KScales {
    scales: [[u8; LANES]; PARTS],
    minima: [[u8; LANES]; PARTS],
    d: [u16; LANES],
    /// `-dmin`.
    minus_dmin: [u16; LANES],
}

impl KScales {
    /// From blocks that begin with `f16 d, f16 dmin, u8 scales[12]`.
    pub(super) fn pack<const BYTES: usize>(rows: [&[u8; BYTES]; LANES]) -> Result<Self, PackError> {
        let sixes = rows.map(|row| sixes(array(row, 4)));
        let gather =
            |first: usize| std::array::from_fn(|part| sixes.map(|row| nth(&row, first + part)));
        Ok(Self {
            scales: gather(0),
            minima: gather(PARTS),
            d: halves(rows, 0)?,
            minus_dmin: halves(rows, 2)?.map(|dmin| dmin ^ 0x8000),
        })
    }

    pub(super) fn scale(&self, part: usize, lane: usize) -> f32 {
        let scales = self.scales.get(part).map_or(0, |part| nth(part, lane));
        half(&self.d, lane) * f32::from(scales)
    }

    pub(super) fn offset(&self, part: usize, lane: usize) -> f32 {
        let minimum = self.minima.get(part).map_or(0, |part| nth(part, lane));
        half(&self.minus_dmin, lane) * f32::from(minimum)
    }
}

/// Eight scales, then eight minima. Of byte `j` of the first four the low six bits are scale `j`, of the next four minimum
/// `j`; the others have the low four bits of scale and minimum `j + 4`, whose upper two are on top of the first eight bytes.
fn sixes(bytes: [u8; 12]) -> [u8; 2 * PARTS] {
    let [first, second, third] = [0, 4, 8].map(|at| array::<4, 12>(&bytes, at));
    let join = |low: u8, top: u8| low & 15 | top >> 6 << 4;
    let mut sixes = [0; 2 * PARTS];
    for (j, ((a, b), c)) in first.into_iter().zip(second).zip(third).enumerate() {
        let values = [a & 63, join(c, a), b & 63, join(c >> 4, b)];
        for (value, sixes) in values.into_iter().zip(sixes.as_chunks_mut::<4>().0) {
            sixes
                .iter_mut()
                .skip(j)
                .take(1)
                .for_each(|six| *six = value);
        }
    }
    sixes
}

fn nth<const N: usize>(bytes: &[u8; N], index: usize) -> u8 {
    bytes.get(index).copied().unwrap_or(0)
}

#[cfg(target_arch = "x86_64")]
pub(super) mod avx512 {
    use std::arch::x86_64::*;

    use super::KScales;
    use crate::lanes::avx512::{load_u8x16, load_u16x16};

    /// Scales and offsets of a part.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    #[expect(clippy::indexing_slicing, reason = "a part is one of eight")]
    pub(in super::super) fn unpack(scales: &KScales, part: usize) -> (__m512, __m512) {
        let floats = |six| _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(six));
        let d = _mm512_cvtph_ps(load_u16x16(&scales.d));
        let minus_dmin = _mm512_cvtph_ps(load_u16x16(&scales.minus_dmin));
        (
            _mm512_mul_ps(d, floats(load_u8x16(&scales.scales[part]))),
            _mm512_mul_ps(minus_dmin, floats(load_u8x16(&scales.minima[part]))),
        )
    }
}

#[cfg(target_arch = "x86_64")]
pub(super) mod avx2 {
    use std::arch::x86_64::*;

    use super::KScales;
    use crate::{
        lanes::avx2::load_u8x8,
        matmul::avx2::{Meaning, floats_of},
    };

    /// Scales and offsets of half a part's rows.
    #[inline]
    #[target_feature(enable = "avx2,f16c")]
    #[expect(
        clippy::indexing_slicing,
        reason = "a part is one of eight, a half of two"
    )]
    pub(in super::super) fn unpack(scales: &KScales, part: usize, half: usize) -> Meaning {
        let floats = |six: &[u8; 16]| {
            let six = load_u8x8(&six.as_chunks().0[half]);
            _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(six))
        };
        let minima = floats(&scales.minima[part]);
        Meaning {
            excess: 0,
            scales: _mm256_mul_ps(floats_of(&scales.d, half), floats(&scales.scales[part])),
            offsets: Some(_mm256_mul_ps(floats_of(&scales.minus_dmin, half), minima)),
        }
    }
}
