//! Eight rows in a register, so each panel in two halves; unpacked weights stay in registers while tokens pass by.
//!
//! Quants of few bits are multiplied as bytes, `vpmaddubsw` with the high and with the low bytes of the activations: a pair
//! of products fits 16 bits, and so do the sums of several. Quants of eight bits do not fit, and are multiplied with whole
//! activations, `vpmaddwd`.
//!
//! Loops over registers are written with indices: see the AVX-512 path.
#![expect(
    clippy::indexing_slicing,
    reason = "constant lengths, unrolled into registers"
)]

use std::{arch::x86_64::*, mem};

use super::{
    Activations, Mode, Panels,
    avx512::unroll,
    formats::{
        PackedBlock, Panel, q4_0, q4_1,
        q8_0::{self, Q8_0Block},
    },
    pack::Nibbles,
};
use crate::{
    lanes::{
        LANES,
        avx2::{Half, load, load_u8x32, load_u16x8, load_u32x8, store, store_u32x8},
    },
    quantize::{ActivationBlock, TILE},
};

/// Eight rows of a block; byte `4 * row + i` of `quads[q]` is column `4 * q + i`.
pub(super) struct Unpacked {
    pub(super) quads: [__m256i; 8],
    pub(super) meaning: Meaning,
}

/// What the quants of eight rows mean.
pub(super) struct Meaning {
    /// What they are too large by.
    pub(super) excess: i32,
    pub(super) scales: __m256,
    pub(super) offsets: Option<__m256>,
}

/// Quads of 4-bit quants whose products, two by two, add up in 16 bits: `8 * 2 * 15 * 128 < 2^15`.
const FOUR_BITS: usize = 8;

#[target_feature(enable = "avx2,fma,f16c")]
pub(super) fn matmul(
    weights: Panels<'_>,
    activations: Activations<'_>,
    mode: Mode,
    out: &mut [f32],
) {
    let outs = out.chunks_exact_mut(activations.tokens() * LANES);
    for (out, weights) in outs.zip(weights.iter()) {
        let mut out = out;
        for tile in activations.tiles() {
            let (now, later) = out.split_at_mut(tile.len() / activations.blocks_per_token * LANES);
            out = later;
            let mut sums = [[[0.0; 8]; 2]; TILE];
            let sums = sums.split_at_mut(now.len() / LANES).0;
            match weights {
                Panel::Q4_0(blocks) => {
                    let unpack = |b: &_, _, half| q4_0::avx2::unpack(b, half);
                    narrow::<_, FOUR_BITS>(blocks, unpack, tile, sums);
                }
                Panel::Q4_1(blocks) => {
                    let unpack = |b: &_, _, half| q4_1::avx2::unpack(b, half);
                    narrow::<_, FOUR_BITS>(blocks, unpack, tile, sums);
                }
                Panel::Q8_0(blocks) => wide(blocks, tile, sums),
                _ => {
                    weights.multiply(
                        Activations::new(tile, activations.blocks_per_token),
                        mode,
                        now,
                    );
                    continue;
                }
            }
            finish(sums, mode, now);
        }
    }
}

/// Products of quants of few bits, `GROUP` quads of which add up in 16 bits.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn narrow<B: PackedBlock, const GROUP: usize>(
    blocks: &[B],
    unpack: impl Fn(&B, usize, usize) -> Unpacked,
    tile: &[ActivationBlock],
    sums: &mut [[Half; 2]],
) {
    for (at, tokens) in tile.chunks_exact(sums.len()).enumerate() {
        for half in 0..2 {
            let weights = unpack(&blocks[at / B::PARTS], at % B::PARTS, half);
            for (sums, token) in sums.iter_mut().zip(tokens) {
                let exact = dot::<GROUP>(&weights.quads, token);
                add(&mut sums[half], &weights.meaning, token, exact);
            }
        }
    }
}

/// Sums of the products of eight rows with one token.
#[inline]
#[target_feature(enable = "avx2")]
fn dot<const GROUP: usize>(quads: &[__m256i; 8], token: &ActivationBlock) -> __m256i {
    let mut exact = _mm256_setzero_si256();
    let (mut high, mut low) = (exact, exact);
    unroll!(QUAD in 0 1 2 3 4 5 6 7 {
        let activations = broadcast::<{ HIGH + 4 * QUAD }, _>(token);
        let high_products = _mm256_maddubs_epi16(quads[QUAD], activations);
        let activations = broadcast::<{ LOW + 4 * QUAD }, _>(token);
        let low_products = _mm256_maddubs_epi16(quads[QUAD], activations);
        (high, low) = match QUAD % GROUP {
            0 => (high_products, low_products),
            _ => (_mm256_add_epi16(high, high_products), _mm256_add_epi16(low, low_products)),
        };
        if QUAD % GROUP == GROUP - 1 {
            exact = _mm256_add_epi32(exact, _mm256_madd_epi16(high, _mm256_set1_epi16(256)));
            exact = _mm256_add_epi32(exact, _mm256_madd_epi16(low, _mm256_set1_epi16(1)));
        }
    });
    exact
}

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
fn wide(blocks: &[Q8_0Block], tile: &[ActivationBlock], sums: &mut [[Half; 2]]) {
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

/// Adds a block's sums, scaled, to those of the blocks before.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn add(sums: &mut Half, weights: &Meaning, token: &ActivationBlock, exact: __m256i) {
    let exact = match weights.excess {
        0 => exact,
        excess => _mm256_sub_epi32(exact, _mm256_set1_epi32(excess * token.total)),
    };
    let scales = _mm256_mul_ps(weights.scales, _mm256_set1_ps(token.scale));
    let scaled = _mm256_fmadd_ps(_mm256_cvtepi32_ps(exact), scales, load(sums));
    let scaled = match weights.offsets {
        Some(offsets) => _mm256_fmadd_ps(offsets, _mm256_set1_ps(token.sum), scaled),
        None => scaled,
    };
    store(sums, scaled);
}

/// Where the bytes of [`ActivationBlock`] and [`Pairs`] are.
const HIGH: usize = mem::offset_of!(ActivationBlock, high);
const LOW: usize = mem::offset_of!(ActivationBlock, low);
const EVEN: usize = mem::offset_of!(Pairs, even);
const ODD: usize = mem::offset_of!(Pairs, odd);

/// Gives the four bytes at `OFFSET` to all rows. Written in assembly, because the compiler would load neighbours together and
/// take them apart again.
#[inline]
#[target_feature(enable = "avx2")]
fn broadcast<const OFFSET: usize, S>(source: &S) -> __m256i {
    const { assert!(OFFSET + 4 <= size_of::<S>()) };
    let vector: __m256i;
    #[expect(unsafe_code, reason = "one instruction")]
    // SAFETY: reads four bytes of the source, writes a register, and is of a path that was detected.
    unsafe {
        std::arch::asm!(
            "vpbroadcastd {vector}, dword ptr [{source} + {offset}]",
            vector = lateout(ymm_reg) vector,
            source = in(reg) source,
            offset = const OFFSET,
            options(pure, readonly, nostack, preserves_flags)
        );
    }
    vector
}

/// Quants of eight rows from four bits each.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn nibbles(nibbles: &Nibbles, half: usize) -> [__m256i; 8] {
    let low = _mm256_set1_epi8(15);
    let mut quads = [_mm256_setzero_si256(); 8];
    unroll!(QUAD in 0 1 2 3 {
        let bytes = load_u8x32(&nibbles.0[QUAD].as_chunks().0[half]);
        quads[QUAD] = _mm256_and_si256(bytes, low);
        quads[4 + QUAD] = _mm256_and_si256(_mm256_srli_epi16::<4>(bytes), low);
    });
    quads
}

/// Eight of a panel's 16-bit floats.
#[inline]
#[target_feature(enable = "avx2,f16c")]
pub(super) fn floats(floats: &[u16; LANES], half: usize) -> __m256 {
    _mm256_cvtph_ps(load_u16x8(&floats.as_chunks().0[half]))
}

#[inline]
#[target_feature(enable = "avx2")]
fn finish(sums: &[[Half; 2]], mode: Mode, out: &mut [f32]) {
    for (sum, out) in sums.as_flattened().iter().zip(out.as_chunks_mut().0) {
        let sum = match mode {
            Mode::Set => load(sum),
            Mode::Add => _mm256_add_ps(load(sum), load(out)),
        };
        store(out, sum);
    }
}
