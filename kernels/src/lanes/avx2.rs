//! Loads, stores and sums of half vectors: the only places where the AVX2 paths touch memory.
#![expect(
    unsafe_code,
    reason = "loads and stores of whole, live, exclusively or sharedly borrowed arrays"
)]

use std::arch::x86_64::*;

use super::Lanes;

/// Eight lanes: what one register holds.
pub(crate) type Half = [f32; 8];

/// The first and the last eight lanes.
#[inline]
#[expect(clippy::indexing_slicing, reason = "sixteen are twice eight")]
pub(crate) fn halves(lanes: &Lanes) -> &[Half; 2] {
    &lanes.as_chunks().0.as_chunks().0[0]
}

#[inline]
#[target_feature(enable = "avx2")]
pub(crate) fn load(half: &Half) -> __m256 {
    // SAFETY: the reference covers the 32 bytes read; the load needs no alignment.
    unsafe { _mm256_loadu_ps(half.as_ptr()) }
}

#[inline]
#[target_feature(enable = "avx2")]
pub(crate) fn store(half: &mut Half, vector: __m256) {
    // SAFETY: the exclusive reference covers the 32 bytes written; the store needs no alignment.
    unsafe { _mm256_storeu_ps(half.as_mut_ptr(), vector) }
}

#[inline]
#[target_feature(enable = "avx2")]
pub(crate) fn load_u8x32(values: &[u8; 32]) -> __m256i {
    // SAFETY: the reference covers the 32 bytes read; the load needs no alignment.
    unsafe { _mm256_loadu_si256(values.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
pub(crate) fn load_u8x8(values: &[u8; 8]) -> __m128i {
    // SAFETY: the reference covers the 8 bytes read; the load needs no alignment.
    unsafe { _mm_loadl_epi64(values.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
pub(crate) fn load_i8x8(values: &[i8; 8]) -> __m128i {
    // SAFETY: the reference covers the 8 bytes read; the load needs no alignment.
    unsafe { _mm_loadl_epi64(values.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
pub(crate) fn load_u16x8(values: &[u16; 8]) -> __m128i {
    // SAFETY: the reference covers the 16 bytes read; the load needs no alignment.
    unsafe { _mm_loadu_si128(values.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
pub(crate) fn load_u32x8(values: &[u32; 8]) -> __m256i {
    // SAFETY: the reference covers the 32 bytes read; the load needs no alignment.
    unsafe { _mm256_loadu_si256(values.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
pub(crate) fn store_u32x8(values: &mut [u32; 8], vector: __m256i) {
    // SAFETY: the exclusive reference covers the 32 bytes written; the store needs no alignment.
    unsafe { _mm256_storeu_si256(values.as_mut_ptr().cast(), vector) }
}

/// [`super::sum`] of a vector.
#[inline]
#[target_feature(enable = "avx2")]
pub(crate) fn sum([low, high]: [__m256; 2]) -> f32 {
    let eight = _mm256_add_ps(low, high);
    let four = _mm_add_ps(
        _mm256_castps256_ps128(eight),
        _mm256_extractf128_ps::<1>(eight),
    );
    let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)))
}

/// The largest of eight lanes.
#[inline]
#[target_feature(enable = "avx2")]
pub(crate) fn largest(eight: __m256) -> f32 {
    let four = _mm_max_ps(
        _mm256_castps256_ps128(eight),
        _mm256_extractf128_ps::<1>(eight),
    );
    let two = _mm_max_ps(four, _mm_movehl_ps(four, four));
    _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)))
}

/// The sum of eight integers.
#[inline]
#[target_feature(enable = "avx2")]
pub(crate) fn total(eight: __m256i) -> i32 {
    let high = _mm256_extracti128_si256::<1>(eight);
    let four = _mm_add_epi32(_mm256_castsi256_si128(eight), high);
    let two = _mm_add_epi32(four, _mm_unpackhi_epi64(four, four));
    _mm_cvtsi128_si32(_mm_add_epi32(two, _mm_shuffle_epi32::<1>(two)))
}
