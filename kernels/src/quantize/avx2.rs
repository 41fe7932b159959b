//! Eight columns in a register, a block in four.

use std::arch::x86_64::*;

use super::{ActivationBlock, LARGEST, Scaling, Source, TINY};
use crate::lanes::{
    Lanes,
    avx2::{halves, largest, load, store_u32x8, total},
};

#[target_feature(enable = "avx2")]
pub(super) fn row<'b>(
    source: &Source<'_>,
    token: usize,
    scaling: Option<Scaling<'_>>,
    out: &mut impl Iterator<Item = &'b mut ActivationBlock>,
) {
    let values = |panel| load_both(source.lanes(token, panel));
    let Some(Scaling { factor, weights }) = scaling else {
        for (block, out) in out.enumerate() {
            quantize([values(2 * block), values(2 * block + 1)], out);
        }
        return;
    };
    let factor = _mm256_set1_ps(factor);
    for ((block, out), [first, second]) in out.enumerate().zip(weights.as_chunks().0) {
        let first = scale(values(2 * block), factor, first);
        let second = scale(values(2 * block + 1), factor, second);
        quantize([first, second], out);
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn load_both(lanes: &Lanes) -> [__m256; 2] {
    let [low, high] = halves(lanes);
    [load(low), load(high)]
}

#[inline]
#[target_feature(enable = "avx2")]
fn scale([low, high]: [__m256; 2], factor: __m256, weights: &Lanes) -> [__m256; 2] {
    let [low_weights, high_weights] = load_both(weights);
    [
        _mm256_mul_ps(_mm256_mul_ps(low, factor), low_weights),
        _mm256_mul_ps(_mm256_mul_ps(high, factor), high_weights),
    ]
}

#[inline]
#[target_feature(enable = "avx2")]
fn quantize([[a, b], [c, d]]: [[__m256; 2]; 2], out: &mut ActivationBlock) {
    let sign = _mm256_set1_ps(-0.0);
    let abs = |v| _mm256_andnot_ps(sign, v);
    let finite = |v| _mm256_cmp_ps::<_CMP_LT_OQ>(abs(v), _mm256_set1_ps(f32::INFINITY));
    let first = _mm256_and_ps(finite(a), finite(b));
    let all = _mm256_and_ps(first, _mm256_and_ps(finite(c), finite(d)));
    if _mm256_movemask_ps(all) != 0xff {
        *out = ActivationBlock::NOT_FINITE;
        return;
    }
    let first = _mm256_max_ps(abs(a), abs(b));
    let largest = largest(_mm256_max_ps(first, _mm256_max_ps(abs(c), abs(d))));
    if largest < TINY {
        *out = ActivationBlock::ZERO;
        return;
    }
    let inverse = _mm256_set1_ps(LARGEST / largest);
    let round = |v| _mm256_cvtps_epi32(_mm256_mul_ps(v, inverse));
    let [a, b, c, d] = [round(a), round(b), round(c), round(d)];
    out.half_total = total(_mm256_add_epi32(a, b));
    out.total = out.half_total + total(_mm256_add_epi32(c, d));
    out.scale = largest / LARGEST;
    out.sum = out.scale * out.total as f32;
    cut([a, b, c, d], out);
}

/// Cuts the integers of a block into bytes.
#[inline]
#[target_feature(enable = "avx2")]
fn cut(integers: [__m256i; 4], out: &mut ActivationBlock) {
    let half_step = _mm256_set1_epi32(128);
    let upper = |v| _mm256_srai_epi32::<8>(_mm256_add_epi32(v, half_step));
    let lower = |v| _mm256_srai_epi32::<24>(_mm256_slli_epi32::<24>(v));
    let [a, b, c, d] = integers;
    store_u32x8(
        &mut out.high,
        bytes([upper(a), upper(b), upper(c), upper(d)]),
    );
    store_u32x8(
        &mut out.low,
        bytes([lower(a), lower(b), lower(c), lower(d)]),
    );
}

/// Integers from -128 to 127 as bytes, in order.
#[inline]
#[target_feature(enable = "avx2")]
fn bytes([a, b, c, d]: [__m256i; 4]) -> __m256i {
    let (first, second) = (_mm256_packs_epi32(a, b), _mm256_packs_epi32(c, d));
    // Packing keeps to each half of a register: fours of columns come out as 0 2 4 6, 1 3 5 7.
    let order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    _mm256_permutevar8x32_epi32(_mm256_packs_epi16(first, second), order)
}
