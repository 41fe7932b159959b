//! Formats of eight bits: whole activations, two columns at a time, four tokens at a time.

use std::{arch::x86_64::*, mem};

use super::{add, ahead, broadcast, unroll};
use crate::{
    lanes::avx2::{Half, load_u32x8, store_u32x8},
    matmul::formats::q8_0::{self, Q8_0Block},
    quantize::ActivationBlock,
};

/// Activations in pairs of 16 bits, as `vpmaddwd` takes them.
#[repr(C)]
#[derive(Clone, Copy)]
struct Pairs {
    /// Columns `4 * quad` and `4 * quad + 2`.
    even: [u32; 8],
    /// Columns `4 * quad + 1` and `4 * quad + 3`.
    odd: [u32; 8],
}

impl Pairs {
    const ZERO: Self = Self {
        even: [0; 8],
        odd: [0; 8],
    };

    #[inline]
    #[target_feature(enable = "avx2")]
    fn write(&mut self, token: &ActivationBlock) {
        let (high, low) = (load_u32x8(&token.high), load_u32x8(&token.low));
        let low_even = _mm256_srai_epi16::<8>(_mm256_slli_epi16::<8>(low));
        let even = _mm256_add_epi16(_mm256_slli_epi16::<8>(high), low_even);
        let high_odd = _mm256_andnot_si256(_mm256_set1_epi16(255), high);
        let odd = _mm256_add_epi16(high_odd, _mm256_srai_epi16::<8>(low));
        store_u32x8(&mut self.even, even);
        store_u32x8(&mut self.odd, odd);
    }
}

/// Products of quants of eight bits, four tokens at a time.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
pub(super) fn wide(blocks: &[Q8_0Block], tile: &[ActivationBlock], sums: &mut [[Half; 2]]) {
    let tokens = sums.len();
    for (group, sums) in sums.chunks_mut(4).enumerate() {
        let rest = tile.split_at(4 * group).1;
        match sums.len() {
            1 => wide_tokens::<1>(blocks, rest, tokens, sums),
            2 => wide_tokens::<2>(blocks, rest, tokens, sums),
            3 => wide_tokens::<3>(blocks, rest, tokens, sums),
            _ => wide_tokens::<4>(blocks, rest, tokens, sums),
        }
    }
}

/// As [`wide`], for the first `T` of each `tokens` tokens.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn wide_tokens<const T: usize>(
    blocks: &[Q8_0Block],
    tile: &[ActivationBlock],
    tokens: usize,
    sums: &mut [[Half; 2]],
) {
    let mut pairs = [Pairs::ZERO; T];
    for (block, tokens) in blocks.iter().zip(tile.chunks(tokens)) {
        for (pairs, token) in pairs.iter_mut().zip(tokens) {
            pairs.write(token);
        }
        ahead(block, tokens.len());
        for half in 0..2 {
            let exact = dots(block, half, &pairs);
            let meaning = q8_0::avx2::meaning(block, half);
            for ((sums, token), exact) in sums.iter_mut().zip(tokens).zip(exact) {
                add(&mut sums[half], &meaning, token, exact);
            }
        }
    }
}

/// Sums of the products of eight rows with `T` tokens.
#[inline]
#[target_feature(enable = "avx2")]
#[expect(
    clippy::cognitive_complexity,
    reason = "loops written out: the sums stay in registers"
)]
fn dots<const T: usize>(block: &Q8_0Block, half: usize, pairs: &[Pairs; T]) -> [__m256i; T] {
    let mut exact = [_mm256_setzero_si256(); T];
    unroll!(QUAD in 0 1 2 3 4 5 6 7 {
        let quad = q8_0::avx2::quad::<QUAD>(block, half);
        let even = _mm256_and_si256(quad, _mm256_set1_epi16(255));
        let odd = _mm256_srli_epi16::<8>(quad);
        unroll!(TOKEN in 0 1 2 3 {
            if TOKEN < T {
                let pair = broadcast::<{ EVEN + 4 * QUAD }, _>(&pairs[TOKEN]);
                exact[TOKEN] = _mm256_add_epi32(exact[TOKEN], _mm256_madd_epi16(even, pair));
                let pair = broadcast::<{ ODD + 4 * QUAD }, _>(&pairs[TOKEN]);
                exact[TOKEN] = _mm256_add_epi32(exact[TOKEN], _mm256_madd_epi16(odd, pair));
            }
        });
    });
    exact
}

/// Where the bytes of [`Pairs`] are.
const EVEN: usize = mem::offset_of!(Pairs, even);
const ODD: usize = mem::offset_of!(Pairs, odd);
