//! Sixteen columns in a register.

use std::arch::x86_64::*;

use super::{ActivationBlock, LARGEST, Scaling, Source, TINY};
use crate::lanes::avx512::*;

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq")]
pub(super) fn row<'b>(
    source: &Source<'_>,
    token: usize,
    scaling: Option<Scaling<'_>>,
    out: &mut impl Iterator<Item = &'b mut ActivationBlock>,
) {
    let Some(Scaling { factor, weights }) = scaling else {
        for (block, out) in out.enumerate() {
            let low = load(source.lanes(token, 2 * block));
            let high = load(source.lanes(token, 2 * block + 1));
            quantize(low, high, out);
        }
        return;
    };
    let factor = _mm512_set1_ps(factor);
    for ((block, out), [first, second]) in out.enumerate().zip(weights.as_chunks().0) {
        let low = _mm512_mul_ps(load(source.lanes(token, 2 * block)), factor);
        let high = _mm512_mul_ps(load(source.lanes(token, 2 * block + 1)), factor);
        let low = _mm512_mul_ps(low, load(first));
        quantize(low, _mm512_mul_ps(high, load(second)), out);
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq")]
fn quantize(low: __m512, high: __m512, out: &mut ActivationBlock) {
    let infinity = _mm512_set1_ps(f32::INFINITY);
    let finite = |v| _mm512_cmp_ps_mask::<_CMP_LT_OQ>(_mm512_abs_ps(v), infinity);
    if finite(low) & finite(high) != u16::MAX {
        *out = ActivationBlock::NOT_FINITE;
        return;
    }
    let largest = _mm512_max_ps(_mm512_abs_ps(low), _mm512_abs_ps(high));
    let largest = _mm512_reduce_max_ps(largest);
    if largest < TINY {
        *out = ActivationBlock::ZERO;
        return;
    }
    let inverse = _mm512_set1_ps(LARGEST / largest);
    let low = _mm512_cvtps_epi32(_mm512_mul_ps(low, inverse));
    let high = _mm512_cvtps_epi32(_mm512_mul_ps(high, inverse));
    out.half_total = _mm512_reduce_add_epi32(low);
    out.total = out.half_total + _mm512_reduce_add_epi32(high);
    out.scale = largest / LARGEST;
    out.sum = out.scale * out.total as f32;
    cut(low, high, out);
}

/// Cuts the integers of both halves of a block into bytes.
#[inline]
#[target_feature(enable = "avx512f")]
fn cut(first: __m512i, second: __m512i, out: &mut ActivationBlock) {
    let round = _mm512_set1_epi32(128);
    let upper = |half| _mm512_srai_epi32::<8>(_mm512_add_epi32(half, round));
    if let (([a, b], _), ([c, d], _)) = (out.low.as_chunks_mut(), out.high.as_chunks_mut()) {
        store_u32x4(a, _mm512_cvtepi32_epi8(first));
        store_u32x4(b, _mm512_cvtepi32_epi8(second));
        store_u32x4(c, _mm512_cvtepi32_epi8(upper(first)));
        store_u32x4(d, _mm512_cvtepi32_epi8(upper(second)));
    }
}
