//! Formats with a scale for 16 columns: as the others, half after half.

use std::arch::x86_64::*;

use super::{HIGH, LOW, dot, for_tokens, store_all, unroll};
use crate::{
    lanes::LANES,
    matmul::{Activations, Mode, formats::PackedBlock},
    quantize::{ActivationBlock, TILE},
};

/// 32 columns ready for multiplication, as [`super::Unpacked`], with scales of both halves.
pub(in crate::matmul) struct Unpacked {
    pub(in crate::matmul) quads: [__m512i; 8],
    /// What the quants are too large by.
    pub(in crate::matmul) excess: i32,
    pub(in crate::matmul) scales: [__m512; 2],
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
pub(super) fn panel<B: PackedBlock>(
    blocks: &[B],
    unpack: impl Fn(&B, usize) -> Unpacked + Copy,
    activations: Activations<'_>,
    mode: Mode,
    out: &mut [f32],
) {
    let mut out = out;
    for tile in activations.tiles() {
        let tokens = tile.len() / (blocks.len() * B::PARTS);
        let (now, later) = out.split_at_mut(tokens * LANES);
        out = later;
        for_tokens!(tokens, T => store_all(sums::<B, T>(blocks, unpack, tile), mode, now));
    }
}

/// As the other formats' sums, with an exact sum for each half.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
#[expect(
    clippy::cognitive_complexity,
    reason = "loops written out, in one function: in several, arrays of vectors go through memory"
)]
fn sums<B: PackedBlock, const T: usize>(
    blocks: &[B],
    unpack: impl Fn(&B, usize) -> Unpacked,
    tile: &[ActivationBlock],
) -> [__m512; T] {
    let mut sums = [_mm512_setzero_ps(); T];
    for (at, tokens) in tile.as_chunks::<T>().0.iter().enumerate() {
        let weights = unpack(&blocks[at / B::PARTS], at % B::PARTS);
        unroll!(HALF in 0 1 {
            let mut exact = [_mm512_setzero_si512(); T];
            unroll!(QUAD in 0 1 2 3 {
                unroll!(TOKEN in 0 1 2 3 4 5 6 7 {
                    if TOKEN < T {
                        let quad = weights.quads[4 * HALF + QUAD];
                        exact[TOKEN] = dot::<{ HIGH + 16 * HALF + 4 * QUAD }>(exact[TOKEN], quad, &tokens[TOKEN]);
                    }
                });
            });
            unroll!(TOKEN in 0 1 2 3 4 5 6 7 {
                if TOKEN < T {
                    exact[TOKEN] = _mm512_slli_epi32::<8>(exact[TOKEN]);
                }
            });
            unroll!(QUAD in 0 1 2 3 {
                unroll!(TOKEN in 0 1 2 3 4 5 6 7 {
                    if TOKEN < T {
                        let quad = weights.quads[4 * HALF + QUAD];
                        exact[TOKEN] = dot::<{ LOW + 16 * HALF + 4 * QUAD }>(exact[TOKEN], quad, &tokens[TOKEN]);
                    }
                });
            });
            unroll!(TOKEN in 0 1 2 3 4 5 6 7 {
                if TOKEN < T {
                    sums[TOKEN] = accumulate::<HALF>(&weights, &tokens[TOKEN], exact[TOKEN], sums[TOKEN]);
                }
            });
        });
    }
    sums
}

/// Adds a half's sums, scaled, to those before.
#[inline]
#[target_feature(enable = "avx512f")]
fn accumulate<const HALF: usize>(
    weights: &Unpacked,
    activations: &ActivationBlock,
    exact: __m512i,
    sums: __m512,
) -> __m512 {
    let total = match HALF {
        0 => activations.half_total,
        _ => activations.total - activations.half_total,
    };
    let exact = _mm512_sub_epi32(exact, _mm512_set1_epi32(weights.excess * total));
    let scales = _mm512_mul_ps(weights.scales[HALF], _mm512_set1_ps(activations.scale));
    _mm512_fmadd_ps(_mm512_cvtepi32_ps(exact), scales, sums)
}
