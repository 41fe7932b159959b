//! Formats of eight bits: whole activations, two columns at a time.
//!
//! Loops over registers are written with indices: see the AVX-512 path.

use std::{arch::x86_64::*, mem};

use super::{add, ahead, for_tokens, unroll};
use crate::{
    lanes::avx2::{Half, load_u32x8, store_u32x8},
    matmul::formats::q8_0::{self, Q8_0Block},
    quantize::{ActivationBlock, TILE},
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

/// Products of quants of eight bits.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
pub(super) fn wide(blocks: &[Q8_0Block], tile: &[ActivationBlock], sums: &mut [[Half; 2]]) {
    for_tokens!(sums.len(), T => products::<T>(blocks, tile, sums));
}

#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn products<const T: usize>(
    blocks: &[Q8_0Block],
    tile: &[ActivationBlock],
    sums: &mut [[Half; 2]],
) {
    let mut pairs = [Pairs::ZERO; T];
    for (block, tokens) in blocks.iter().zip(tile.as_chunks::<T>().0) {
        for (pairs, token) in pairs.iter_mut().zip(tokens) {
            pairs.write(token);
        }
        ahead(block, T);
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
        unroll!(TOKEN in 0 1 2 3 4 5 6 7 {
            if TOKEN < T {
                let (sum, pairs) = (exact[TOKEN], &pairs[TOKEN]);
                let sum = add_products::<{ EVEN + 4 * QUAD }>(sum, even, pairs);
                exact[TOKEN] = add_products::<{ ODD + 4 * QUAD }>(sum, odd, pairs);
            }
        });
    });
    exact
}

/// Adds the products of each row's two quants with the activations at `OFFSET`. In assembly: see [`super::byte_products`].
#[inline]
#[target_feature(enable = "avx2")]
fn add_products<const OFFSET: usize>(sum: __m256i, quants: __m256i, pairs: &Pairs) -> __m256i {
    const { assert!(OFFSET + 4 <= size_of::<Pairs>()) };
    let mut sum = sum;
    #[expect(unsafe_code, reason = "three instructions")]
    // SAFETY: reads four bytes of the pairs, writes registers, and is of a path that was detected.
    unsafe {
        std::arch::asm!(
            "vpbroadcastd {products}, dword ptr [{pairs} + {offset}]",
            "vpmaddwd {products}, {products}, {quants}",
            "vpaddd {sum}, {sum}, {products}",
            products = out(ymm_reg) _,
            sum = inout(ymm_reg) sum,
            quants = in(ymm_reg) quants,
            pairs = in(reg) pairs,
            offset = const OFFSET,
            options(pure, readonly, nostack, preserves_flags)
        );
    }
    sum
}

/// Where the bytes of [`Pairs`] are.
const EVEN: usize = mem::offset_of!(Pairs, even);
const ODD: usize = mem::offset_of!(Pairs, odd);
