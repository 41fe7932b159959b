//! Formats of floating-point weights: a fused multiply-add for each column.
//!
//! Loops over registers are written with indices: see the AVX-512 path.
#![expect(clippy::needless_range_loop, reason = "tokens side by side")]

use std::arch::x86_64::*;

use super::{ahead, for_tokens, unroll};
use crate::{
    lanes::avx2::{Half, load, store},
    quantize::{ActivationBlock, BLOCK, TILE},
};

/// Products with `column`, which gives one column of half a panel.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
pub(super) fn floats<B>(
    blocks: &[B],
    column: impl Fn(&B, usize, usize) -> __m256 + Copy,
    tile: &[ActivationBlock],
    sums: &mut [[Half; 2]],
) {
    for_tokens!(sums.len(), T => token_products::<B, T>(blocks, column, tile, sums));
}

#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn token_products<B, const T: usize>(
    blocks: &[B],
    column: impl Fn(&B, usize, usize) -> __m256 + Copy,
    tile: &[ActivationBlock],
    sums: &mut [[Half; 2]],
) {
    let mut integers = [[0.0; BLOCK]; T];
    for (block, tokens) in blocks.iter().zip(tile.as_chunks::<T>().0) {
        ahead(block, T);
        for (integers, token) in integers.iter_mut().zip(tokens) {
            to_floats(token, integers);
        }
        for half in 0..2 {
            let exact = products(&integers, |at| column(block, at, half));
            for ((sums, token), exact) in sums.iter_mut().zip(tokens).zip(exact) {
                let sums = &mut sums[half];
                let scale = _mm256_set1_ps(token.scale);
                store(sums, _mm256_fmadd_ps(exact, scale, load(sums)));
            }
        }
    }
}

#[inline]
#[target_feature(enable = "avx2,fma")]
fn products<const T: usize>(
    integers: &[[f32; BLOCK]; T],
    column: impl Fn(usize) -> __m256,
) -> [__m256; T] {
    let mut exact = [_mm256_setzero_ps(); T];
    for at in 0..BLOCK {
        let weights = column(at);
        unroll!(TOKEN in 0 1 2 3 4 5 6 7 {
            if TOKEN < T {
                let integer = _mm256_set1_ps(integers[TOKEN][at]);
                exact[TOKEN] = _mm256_fmadd_ps(weights, integer, exact[TOKEN]);
            }
        });
    }
    exact
}

/// The integers, which are exact in `f32`.
#[inline]
#[target_feature(enable = "avx2")]
fn to_floats(block: &ActivationBlock, floats: &mut [f32; BLOCK]) {
    let words = block
        .high
        .as_chunks::<2>()
        .0
        .iter()
        .zip(block.low.as_chunks::<2>().0);
    for (out, (high, low)) in floats.as_chunks_mut().0.iter_mut().zip(words) {
        let (high, low) = (eight(high), eight(low));
        let high = _mm256_slli_epi32::<8>(_mm256_cvtepi8_epi32(high));
        let integers = _mm256_add_epi32(high, _mm256_cvtepi8_epi32(low));
        store(out, _mm256_cvtepi32_ps(integers));
    }
}

/// Eight bytes in the low half of a register.
#[inline]
#[target_feature(enable = "avx2")]
fn eight([first, second]: &[u32; 2]) -> __m128i {
    _mm_set_epi64x(0, i64::from(*second) << 32 | i64::from(*first))
}
