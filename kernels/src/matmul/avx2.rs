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

mod floats;
mod wide;

use std::{arch::x86_64::*, mem};

use floats::floats;
use wide::wide;

use super::{
    Activations, Mode, Panels,
    avx512::{for_tokens, unroll},
    formats::{
        PackedBlock, Panel, float, q4_0, q4_1, q4_k, q5_0, q5_1, q5_k,
        q6_k::{self, Q6KBlock},
    },
    pack::{FifthBits, Nibbles, TopPairs},
};
use crate::{
    lanes::{
        LANES,
        avx2::{Half, load, load_u8x32, load_u16x8, store},
        prefetch,
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

/// Quads whose products, two by two, add up in 16 bits: `8 * 2 * 15 * 128`, `4 * 2 * 31 * 128` and `2 * 2 * 63 * 128` are less
/// than `2^15`.
const FOUR_BITS: usize = 8;
const FIVE_BITS: usize = 4;
const SIX_BITS: usize = 2;

/// How far from the block at work the one is that is asked for from memory, where few tokens share a block: see the AVX-512
/// path.
const AHEAD_BYTES: usize = 5120;

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
            let tokens = tile.len() / activations.blocks_per_token;
            let (now, later) = out.split_at_mut(tokens * LANES);
            out = later;
            let mut sums = [[[0.0; 8]; 2]; TILE];
            let sums = sums.split_at_mut(tokens).0;
            panel(weights, tile, sums);
            finish(sums, mode, now);
        }
    }
}

/// Adds the products of sixteen rows with a tile of tokens.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn panel(weights: Panel<'_>, tile: &[ActivationBlock], sums: &mut [[Half; 2]]) {
    macro_rules! run {
        ($products:path, $blocks:ident, $unpack:path) => {
            $products(
                $blocks,
                |block, at, half| $unpack(block, at, half),
                tile,
                sums,
            )
        };
    }
    match weights {
        Panel::Q4_0(blocks) => run!(narrow::<_, FOUR_BITS>, blocks, q4_0::avx2::unpack),
        Panel::Q4_1(blocks) => run!(narrow::<_, FOUR_BITS>, blocks, q4_1::avx2::unpack),
        Panel::Q5_0(blocks) => run!(narrow::<_, FIVE_BITS>, blocks, q5_0::avx2::unpack),
        Panel::Q5_1(blocks) => run!(narrow::<_, FIVE_BITS>, blocks, q5_1::avx2::unpack),
        Panel::Q8_0(blocks) => wide(blocks, tile, sums),
        Panel::Q4K(blocks) => run!(narrow::<_, FOUR_BITS>, blocks, q4_k::avx2::unpack),
        Panel::Q5K(blocks) => run!(narrow::<_, FIVE_BITS>, blocks, q5_k::avx2::unpack),
        Panel::Q6K(blocks) => halves(blocks, tile, sums),
        Panel::F16(blocks) => run!(floats, blocks, float::avx2::f16),
        Panel::BF16(blocks) => run!(floats, blocks, float::avx2::bf16),
        Panel::F32(blocks) => run!(floats, blocks, float::avx2::f32),
    }
}

/// Products of quants of few bits, `GROUP` quads of which add up in 16 bits.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn narrow<B: PackedBlock, const GROUP: usize>(
    blocks: &[B],
    unpack: impl Fn(&B, usize, usize) -> Unpacked,
    tile: &[ActivationBlock],
    sums: &mut [[Half; 2]],
) {
    for (at, tokens) in tile.chunks_exact(sums.len()).enumerate() {
        let block = &blocks[at / B::PARTS];
        if at % B::PARTS == 0 {
            ahead(block, tokens.len());
        }
        for half in 0..2 {
            let weights = unpack(block, at % B::PARTS, half);
            for (sums, token) in sums.iter_mut().zip(tokens) {
                let exact = dot::<0, 8, GROUP>(&weights.quads, token);
                add(&mut sums[half], &weights.meaning, token, exact);
            }
        }
    }
}

/// Products of Q6_K, which has a scale for 16 columns.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn halves(blocks: &[Q6KBlock], tile: &[ActivationBlock], sums: &mut [[Half; 2]]) {
    for (at, tokens) in tile.chunks_exact(sums.len()).enumerate() {
        let (block, part) = (&blocks[at / Q6KBlock::PARTS], at % Q6KBlock::PARTS);
        if part == 0 {
            ahead(block, tokens.len());
        }
        for half in 0..2 {
            let quads = q6_k::avx2::quads(block, part, half);
            let [first, second] = q6_k::avx2::scales(block, part, half);
            for (sums, token) in sums.iter_mut().zip(tokens) {
                let sums = &mut sums[half];
                let exact = without(dot::<0, 4, SIX_BITS>(&quads, token), 32 * token.half_total);
                add_scaled(sums, first, token, exact);
                let rest = token.total - token.half_total;
                let exact = without(dot::<4, 8, SIX_BITS>(&quads, token), 32 * rest);
                add_scaled(sums, second, token, exact);
            }
        }
    }
}

/// Asks for a block that comes later, where few tokens share it: then memory is what they wait for.
#[inline]
#[target_feature(enable = "avx2")]
fn ahead<B>(block: &B, tokens: usize) {
    if tokens < TILE {
        prefetch(block, AHEAD_BYTES / size_of::<B>());
    }
}

/// Sums of the products of eight rows with one token, of the quads from `FIRST` to `LAST`.
#[inline]
#[target_feature(enable = "avx2")]
fn dot<const FIRST: usize, const LAST: usize, const GROUP: usize>(
    quads: &[__m256i; 8],
    token: &ActivationBlock,
) -> __m256i {
    let mut exact = _mm256_setzero_si256();
    let (mut high, mut low) = (exact, exact);
    unroll!(QUAD in 0 1 2 3 4 5 6 7 {
        if (FIRST..LAST).contains(&QUAD) {
            let quad = quads[QUAD];
            if QUAD.is_multiple_of(GROUP) {
                high = byte_products::<{ HIGH + 4 * QUAD }>(quad, token);
                low = byte_products::<{ LOW + 4 * QUAD }>(quad, token);
            } else {
                high = add_byte_products::<{ HIGH + 4 * QUAD }>(high, quad, token);
                low = add_byte_products::<{ LOW + 4 * QUAD }>(low, quad, token);
            }
            if QUAD % GROUP == GROUP - 1 {
                exact = _mm256_add_epi32(exact, _mm256_madd_epi16(high, _mm256_set1_epi16(256)));
                exact = _mm256_add_epi32(exact, _mm256_madd_epi16(low, _mm256_set1_epi16(1)));
            }
        }
    });
    exact
}

/// Adds a block's sums, scaled, to those of the blocks before.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn add(sums: &mut Half, weights: &Meaning, token: &ActivationBlock, exact: __m256i) {
    let exact = match weights.excess {
        0 => exact,
        excess => without(exact, excess * token.total),
    };
    add_scaled(sums, weights.scales, token, exact);
    if let Some(offsets) = weights.offsets {
        let activations = _mm256_set1_ps(token.sum);
        store(sums, _mm256_fmadd_ps(offsets, activations, load(sums)));
    }
}

#[inline]
#[target_feature(enable = "avx2,fma")]
fn add_scaled(sums: &mut Half, scales: __m256, token: &ActivationBlock, exact: __m256i) {
    let scales = _mm256_mul_ps(scales, _mm256_set1_ps(token.scale));
    let scaled = _mm256_fmadd_ps(_mm256_cvtepi32_ps(exact), scales, load(sums));
    store(sums, scaled);
}

#[inline]
#[target_feature(enable = "avx2")]
fn without(exact: __m256i, excess: i32) -> __m256i {
    _mm256_sub_epi32(exact, _mm256_set1_epi32(excess))
}

/// Where the bytes of [`ActivationBlock`] are.
const HIGH: usize = mem::offset_of!(ActivationBlock, high);
const LOW: usize = mem::offset_of!(ActivationBlock, low);

/// Products of each row's four quants with the activations at `OFFSET`, two by two. Written in assembly, as the next ones, because
/// the compiler would first load all activations, and run out of registers.
#[inline]
#[target_feature(enable = "avx2")]
fn byte_products<const OFFSET: usize>(quad: __m256i, token: &ActivationBlock) -> __m256i {
    const { assert!(OFFSET + 4 <= size_of::<ActivationBlock>()) };
    let products: __m256i;
    #[expect(unsafe_code, reason = "two instructions")]
    // SAFETY: reads four bytes of the token, writes a register, and is of a path that was detected.
    unsafe {
        std::arch::asm!(
            "vpbroadcastd {products}, dword ptr [{token} + {offset}]",
            "vpmaddubsw {products}, {quad}, {products}",
            products = out(ymm_reg) products,
            quad = in(ymm_reg) quad,
            token = in(reg) token,
            offset = const OFFSET,
            options(pure, readonly, nostack, preserves_flags)
        );
    }
    products
}

/// Adds such products.
#[inline]
#[target_feature(enable = "avx2")]
fn add_byte_products<const OFFSET: usize>(
    sum: __m256i,
    quad: __m256i,
    token: &ActivationBlock,
) -> __m256i {
    const { assert!(OFFSET + 4 <= size_of::<ActivationBlock>()) };
    let mut sum = sum;
    #[expect(unsafe_code, reason = "three instructions")]
    // SAFETY: reads four bytes of the token, writes registers, and is of a path that was detected.
    unsafe {
        std::arch::asm!(
            "vpbroadcastd {products}, dword ptr [{token} + {offset}]",
            "vpmaddubsw {products}, {quad}, {products}",
            "vpaddw {sum}, {sum}, {products}",
            products = out(ymm_reg) _,
            sum = inout(ymm_reg) sum,
            quad = in(ymm_reg) quad,
            token = in(reg) token,
            offset = const OFFSET,
            options(pure, readonly, nostack, preserves_flags)
        );
    }
    sum
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

/// Quants with their fifth bits.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn add_fifths(quads: [__m256i; 8], fifths: &FifthBits, half: usize) -> [__m256i; 8] {
    // In each byte the eighth of the bits in which its own is, and that one.
    let eighth = _mm256_setr_epi64x(
        0,
        0x0101_0101_0101_0101,
        0x0202_0202_0202_0202,
        0x0303_0303_0303_0303,
    );
    let own = _mm256_set1_epi64x(i64::from_le_bytes([1, 2, 4, 8, 16, 32, 64, 128]));
    let sixteen = _mm256_set1_epi8(16);
    let mut quads = quads;
    unroll!(QUAD in 0 1 2 3 4 5 6 7 {
        let bits = _mm256_set1_epi32((fifths.0[QUAD] >> (32 * half)) as i32);
        let bits = _mm256_and_si256(_mm256_shuffle_epi8(bits, eighth), own);
        let fifth = _mm256_and_si256(_mm256_cmpeq_epi8(bits, own), sixteen);
        quads[QUAD] = _mm256_or_si256(quads[QUAD], fifth);
    });
    quads
}

/// Quants with their fifth and sixth bits.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn add_tops(quads: [__m256i; 8], tops: &TopPairs, half: usize) -> [__m256i; 8] {
    let mask = _mm256_set1_epi8(0x30);
    let mut quads = quads;
    unroll!(K in 0 1 {
        let pairs = load_u8x32(&tops.0[K].as_chunks().0[half]);
        let shifted = [
            _mm256_slli_epi16::<4>(pairs),
            _mm256_slli_epi16::<2>(pairs),
            pairs,
            _mm256_srli_epi16::<2>(pairs),
        ];
        unroll!(F in 0 1 2 3 {
            let top = _mm256_and_si256(shifted[F], mask);
            quads[4 * K + F] = _mm256_or_si256(quads[4 * K + F], top);
        });
    });
    quads
}

/// Eight of a panel's 16-bit floats.
#[inline]
#[target_feature(enable = "avx2,f16c")]
pub(super) fn floats_of(halves: &[u16; LANES], half: usize) -> __m256 {
    _mm256_cvtph_ps(load_u16x8(&halves.as_chunks().0[half]))
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
