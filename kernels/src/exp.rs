//! The exponential function, the same bits everywhere (no platform's libm is asked).
//!
//! `exp(x) = 2^n * e^r` with `n` the integer nearest `x / ln 2` and `r` the rest in two steps (Cody and Waite), `e^r` by a
//! polynomial of degree 6 (coefficients of Cephes `expf`). Within 2 units in the last place on [-87, 88]; beyond, the
//! value at the nearer end.

/// Ends of the range; the result is a normal number on all of it.
const RANGE: (f32, f32) = (-87.0, 88.0);
/// `ln 2` in two parts: the first has few digits, so that `n` times it is exact.
const LN_2: (f32, f32) = (0.693_359_4, -2.121_944_4e-4);
/// Coefficients of `(e^r - 1 - r) / r^2`, highest power first.
const COEFFICIENTS: [f32; 6] = [
    1.987_569_1e-4,
    1.398_199_9e-3,
    8.333_452e-3,
    4.166_579_6e-2,
    1.666_666_5e-1,
    0.5,
];

/// `e` to the power of `x`.
pub fn exp(x: f32) -> f32 {
    let x = x.max(RANGE.0).min(RANGE.1);
    let n = (x * std::f32::consts::LOG2_E).round_ties_even();
    let r = n.mul_add(-LN_2.1, n.mul_add(-LN_2.0, x));
    let [first, rest @ ..] = COEFFICIENTS;
    let p = rest.into_iter().fold(first, |p, c| p.mul_add(r, c));
    let mantissa = (r * r).mul_add(p, r) + 1.0;
    mantissa * f32::from_bits(((n as i32 + 127) as u32) << 23)
}

#[cfg(target_arch = "x86_64")]
pub(crate) mod avx2 {
    use std::arch::x86_64::*;

    use super::{COEFFICIENTS, LN_2, RANGE};

    /// [`super::exp`] of each lane.
    #[inline]
    #[target_feature(enable = "avx2,fma")]
    pub(crate) fn exp(x: __m256) -> __m256 {
        let all = |value| _mm256_set1_ps(value);
        let x = _mm256_min_ps(_mm256_max_ps(x, all(RANGE.0)), all(RANGE.1));
        let n = _mm256_cvtps_epi32(_mm256_mul_ps(x, all(std::f32::consts::LOG2_E)));
        let whole = _mm256_cvtepi32_ps(n);
        let r = _mm256_fnmadd_ps(whole, all(LN_2.0), x);
        let r = _mm256_fnmadd_ps(whole, all(LN_2.1), r);
        let [first, rest @ ..] = COEFFICIENTS;
        let mut p = all(first);
        for c in rest {
            p = _mm256_fmadd_ps(p, r, all(c));
        }
        let mantissa = _mm256_add_ps(_mm256_fmadd_ps(_mm256_mul_ps(r, r), p, r), all(1.0));
        let power = _mm256_slli_epi32::<23>(_mm256_add_epi32(n, _mm256_set1_epi32(127)));
        _mm256_mul_ps(mantissa, _mm256_castsi256_ps(power))
    }
}

#[cfg(target_arch = "x86_64")]
pub(crate) mod avx512 {
    use std::arch::x86_64::*;

    use super::{COEFFICIENTS, LN_2, RANGE};

    /// [`super::exp`] of each lane.
    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(crate) fn exp(x: __m512) -> __m512 {
        let all = |value| _mm512_set1_ps(value);
        let x = _mm512_min_ps(_mm512_max_ps(x, all(RANGE.0)), all(RANGE.1));
        let n = _mm512_roundscale_ps::<0>(_mm512_mul_ps(x, all(std::f32::consts::LOG2_E)));
        let r = _mm512_fnmadd_ps(n, all(LN_2.0), x);
        let r = _mm512_fnmadd_ps(n, all(LN_2.1), r);
        let [first, rest @ ..] = COEFFICIENTS;
        let mut p = all(first);
        for c in rest {
            p = _mm512_fmadd_ps(p, r, all(c));
        }
        let mantissa = _mm512_add_ps(_mm512_fmadd_ps(_mm512_mul_ps(r, r), p, r), all(1.0));
        _mm512_scalef_ps(mantissa, n)
    }
}

#[cfg(test)]
mod tests;
