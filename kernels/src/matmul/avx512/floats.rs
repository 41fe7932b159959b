//! Formats of floating-point weights: a fused multiply-add for each column.

use std::arch::x86_64::*;

use super::{for_tokens, store_all, unroll};
use crate::{
    lanes::{LANES, Lanes, avx512::*},
    matmul::{Activations, Mode, formats::PackedBlock},
    quantize::{ActivationBlock, BLOCK, TILE},
};

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
pub(super) fn panel<B: PackedBlock>(
    blocks: &[B],
    column: impl Fn(&B, usize) -> __m512 + Copy,
    activations: Activations<'_>,
    mode: Mode,
    out: &mut [f32],
) {
    let mut out = out;
    for tile in activations.tiles() {
        let tokens = tile.len() / blocks.len();
        let (now, later) = out.split_at_mut(tokens * LANES);
        out = later;
        for_tokens!(tokens, T => store_all(sums::<B, T>(blocks, column, tile), mode, now));
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn sums<B, const T: usize>(
    blocks: &[B],
    column: impl Fn(&B, usize) -> __m512,
    tile: &[ActivationBlock],
) -> [__m512; T] {
    let mut sums = [_mm512_setzero_ps(); T];
    let mut integers = [[[0.0; LANES]; 2]; T];
    for (block, tokens) in blocks.iter().zip(tile.as_chunks::<T>().0) {
        for token in 0..T {
            integers[token] = to_floats(&tokens[token]);
        }
        let mut exact = [_mm512_setzero_ps(); T];
        for at in 0..BLOCK {
            let weights = column(block, at);
            unroll!(TOKEN in 0 1 2 3 4 5 6 7 {
                if TOKEN < T {
                    let integer = _mm512_set1_ps(integers[TOKEN].as_flattened()[at]);
                    exact[TOKEN] = _mm512_fmadd_ps(weights, integer, exact[TOKEN]);
                }
            });
        }
        unroll!(TOKEN in 0 1 2 3 4 5 6 7 {
            if TOKEN < T {
                let scale = _mm512_set1_ps(tokens[TOKEN].scale);
                sums[TOKEN] = _mm512_fmadd_ps(exact[TOKEN], scale, sums[TOKEN]);
            }
        });
    }
    sums
}

/// The integers, which are exact in `f32`.
#[inline]
#[target_feature(enable = "avx512f")]
fn to_floats(block: &ActivationBlock) -> [Lanes; 2] {
    let mut floats = [[0.0; LANES]; 2];
    let halves = block
        .high
        .as_chunks::<4>()
        .0
        .iter()
        .zip(block.low.as_chunks::<4>().0);
    for (out, (high, low)) in floats.iter_mut().zip(halves) {
        let high = _mm512_slli_epi32::<8>(_mm512_cvtepi8_epi32(load_u32x4(high)));
        let integers = _mm512_add_epi32(high, _mm512_cvtepi8_epi32(load_u32x4(low)));
        store(out, _mm512_cvtepi32_ps(integers));
    }
    floats
}
