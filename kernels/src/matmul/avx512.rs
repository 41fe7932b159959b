//! Sixteen rows in a register, `vpdpbusd` over four columns; up to eight tokens share each unpacked weight.
//!
//! Loops over registers are written with indices: iterator adapters and `array::map` are compiled without the vector
//! instructions and would not be inlined.
#![expect(
    clippy::indexing_slicing,
    reason = "constant lengths, unrolled into registers"
)]

mod floats;
pub(super) mod halves;

use std::{arch::x86_64::*, mem};

use super::{
    Activations, Mode, Panels,
    formats::{PackedBlock, Panel, float, q4_0, q4_1, q4_k, q5_0, q5_1, q5_k, q6_k, q8_0},
    pack::{FifthBits, Nibbles, TopPairs},
};
use crate::{
    lanes::{LANES, avx512::*},
    quantize::{ActivationBlock, TILE},
};

/// Writes the body out once for each index, so that arrays of vectors become registers.
macro_rules! unroll {
    ($index:ident in $($value:literal)* $body:block) => {
        $({
            const $index: usize = $value;
            $body
        })*
    };
}

/// Runs the body for the number of tokens at hand, as a constant.
macro_rules! for_tokens {
    ($tokens:expr, $constant:ident => $body:expr) => {
        for_tokens!(@ $tokens, $constant, $body, 1 2 3 4 5 6 7)
    };
    (@ $tokens:expr, $constant:ident, $body:expr, $($value:literal)*) => {
        match $tokens {
            $($value => {
                const $constant: usize = $value;
                $body
            })*
            _ => {
                const $constant: usize = TILE;
                $body
            }
        }
    };
}

pub(super) use {for_tokens, unroll};

/// A block ready for multiplication; `quads[q]` has columns `4q` to `4q + 3` of row `i` in its `i`-th four bytes.
pub(super) struct Unpacked {
    pub(super) quads: [__m512i; 8],
    /// What the quants are too large by.
    pub(super) excess: i32,
    pub(super) scales: __m512,
    pub(super) offsets: Option<__m512>,
}

/// How far from the block at work the one is that is asked for from memory, while the panel is read for the first time:
/// what a core can have under way.
const AHEAD_BYTES: usize = 5120;

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
pub(super) fn matmul(
    weights: Panels<'_>,
    activations: Activations<'_>,
    mode: Mode,
    out: &mut [f32],
) {
    macro_rules! run {
        ($panel:path, $blocks:ident, $unpack:path, $out:ident) => {
            $panel(
                $blocks,
                |block, at| $unpack(block, at),
                activations,
                mode,
                $out,
            )
        };
    }
    let outs = out.chunks_exact_mut(activations.tokens() * LANES);
    for (out, weights) in outs.zip(weights.iter()) {
        match weights {
            Panel::Q4_0(blocks) => run!(panel, blocks, q4_0::avx512::unpack, out),
            Panel::Q4_1(blocks) => run!(panel, blocks, q4_1::avx512::unpack, out),
            Panel::Q5_0(blocks) => run!(panel, blocks, q5_0::avx512::unpack, out),
            Panel::Q5_1(blocks) => run!(panel, blocks, q5_1::avx512::unpack, out),
            Panel::Q8_0(blocks) => run!(panel, blocks, q8_0::avx512::unpack, out),
            Panel::Q4K(blocks) => run!(panel, blocks, q4_k::avx512::unpack, out),
            Panel::Q5K(blocks) => run!(panel, blocks, q5_k::avx512::unpack, out),
            Panel::Q6K(blocks) => run!(halves::panel, blocks, q6_k::avx512::unpack, out),
            Panel::F16(blocks) => run!(floats::panel, blocks, float::avx512::f16, out),
            Panel::BF16(blocks) => run!(floats::panel, blocks, float::avx512::bf16, out),
            Panel::F32(blocks) => run!(floats::panel, blocks, float::avx512::f32, out),
        }
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn panel<B: PackedBlock>(
    blocks: &[B],
    unpack: impl Fn(&B, usize) -> Unpacked + Copy,
    activations: Activations<'_>,
    mode: Mode,
    out: &mut [f32],
) {
    let (mut out, mut ahead) = (out, Some(AHEAD_BYTES / size_of::<B>()));
    for tile in activations.tiles() {
        let tokens = tile.len() / (blocks.len() * B::PARTS);
        let (now, later) = out.split_at_mut(tokens * LANES);
        out = later;
        for_tokens!(tokens, T => store_all(sums::<B, T>(blocks, unpack, tile, ahead), mode, now));
        ahead = None;
    }
}

/// Sums of one panel for `T` tokens. In each block, exact integer sums first; tokens take turns in them, so that no product
/// waits for the one before.
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
    ahead: Option<usize>,
) -> [__m512; T] {
    let mut sums = [_mm512_setzero_ps(); T];
    for (at, tokens) in tile.as_chunks::<T>().0.iter().enumerate() {
        let block = &blocks[at / B::PARTS];
        if let Some(ahead) = ahead
            && at % B::PARTS == 0
        {
            prefetch(block, ahead);
        }
        let weights = unpack(block, at % B::PARTS);
        let mut exact = [_mm512_setzero_si512(); T];
        unroll!(QUAD in 0 1 2 3 4 5 6 7 {
            let quad = weights.quads[QUAD];
            unroll!(TOKEN in 0 1 2 3 4 5 6 7 {
                if TOKEN < T {
                    exact[TOKEN] = dot::<{ HIGH + 4 * QUAD }>(exact[TOKEN], quad, &tokens[TOKEN]);
                }
            });
        });
        unroll!(TOKEN in 0 1 2 3 4 5 6 7 {
            if TOKEN < T {
                exact[TOKEN] = _mm512_slli_epi32::<8>(exact[TOKEN]);
            }
        });
        unroll!(QUAD in 0 1 2 3 4 5 6 7 {
            let quad = weights.quads[QUAD];
            unroll!(TOKEN in 0 1 2 3 4 5 6 7 {
                if TOKEN < T {
                    exact[TOKEN] = dot::<{ LOW + 4 * QUAD }>(exact[TOKEN], quad, &tokens[TOKEN]);
                }
            });
        });
        unroll!(TOKEN in 0 1 2 3 4 5 6 7 {
            if TOKEN < T {
                sums[TOKEN] = accumulate(&weights, &tokens[TOKEN], exact[TOKEN], sums[TOKEN]);
            }
        });
    }
    sums
}

/// Adds a block's sums, scaled, to those of the blocks before.
#[inline]
#[target_feature(enable = "avx512f")]
fn accumulate(
    weights: &Unpacked,
    activations: &ActivationBlock,
    exact: __m512i,
    sums: __m512,
) -> __m512 {
    let excess = _mm512_set1_epi32(weights.excess * activations.total);
    let exact = match weights.excess {
        0 => exact,
        _ => _mm512_sub_epi32(exact, excess),
    };
    let scales = _mm512_mul_ps(weights.scales, _mm512_set1_ps(activations.scale));
    let sums = _mm512_fmadd_ps(_mm512_cvtepi32_ps(exact), scales, sums);
    match weights.offsets {
        Some(offsets) => _mm512_fmadd_ps(offsets, _mm512_set1_ps(activations.sum), sums),
        None => sums,
    }
}

/// Where the bytes of [`ActivationBlock`] are.
const HIGH: usize = mem::offset_of!(ActivationBlock, high);
const LOW: usize = mem::offset_of!(ActivationBlock, low);

/// Adds four products for each row, with the activations at `OFFSET` of a block. Written in assembly, because the compiler
/// widens neighbouring loads and takes them apart again, where the instruction can load one and give it to all rows.
#[inline]
#[target_feature(enable = "avx512f,avx512vnni")]
fn dot<const OFFSET: usize>(sum: __m512i, weights: __m512i, block: &ActivationBlock) -> __m512i {
    const { assert!(OFFSET + 4 <= size_of::<ActivationBlock>()) };
    let mut sum = sum;
    #[expect(unsafe_code, reason = "one instruction")]
    // SAFETY: reads four bytes of the block, writes a register, and is of a path that was detected.
    unsafe {
        std::arch::asm!(
            "vpdpbusd {sum}, {weights}, dword ptr [{block} + {offset}]{{1to16}}",
            sum = inout(zmm_reg) sum,
            weights = in(zmm_reg) weights,
            block = in(reg) block,
            offset = const OFFSET,
            options(pure, readonly, nostack, preserves_flags)
        );
    }
    sum
}

/// Quants from four bits each.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn nibbles(nibbles: &Nibbles) -> [__m512i; 8] {
    let low = _mm512_set1_epi8(15);
    let mut quads = [_mm512_setzero_si512(); 8];
    unroll!(QUAD in 0 1 2 3 {
        let bytes = load_u8x64(&nibbles.0[QUAD]);
        quads[QUAD] = _mm512_and_si512(bytes, low);
        quads[4 + QUAD] = _mm512_and_si512(_mm512_srli_epi16::<4>(bytes), low);
    });
    quads
}

/// Quants with their fifth bits.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn add_fifths(quads: [__m512i; 8], fifths: &FifthBits) -> [__m512i; 8] {
    let sixteen = _mm512_set1_epi8(16);
    let mut quads = quads;
    unroll!(QUAD in 0 1 2 3 4 5 6 7 {
        quads[QUAD] = _mm512_mask_add_epi8(quads[QUAD], fifths.0[QUAD], quads[QUAD], sixteen);
    });
    quads
}

/// Quants with their fifth and sixth bits.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn add_tops(quads: [__m512i; 8], tops: &TopPairs) -> [__m512i; 8] {
    let mask = _mm512_set1_epi8(0x30);
    let mut quads = quads;
    unroll!(K in 0 1 {
        let pairs = load_u8x64(&tops.0[K]);
        let shifted = [
            _mm512_slli_epi16::<4>(pairs),
            _mm512_slli_epi16::<2>(pairs),
            pairs,
            _mm512_srli_epi16::<2>(pairs),
        ];
        unroll!(F in 0 1 2 3 {
            let top = _mm512_and_si512(shifted[F], mask);
            quads[4 * K + F] = _mm512_or_si512(quads[4 * K + F], top);
        });
    });
    quads
}

#[inline]
#[target_feature(enable = "avx512f")]
fn store_all<const T: usize>(sums: [__m512; T], mode: Mode, out: &mut [f32]) {
    let (out, _) = out.as_chunks_mut();
    for token in 0..T {
        let sum = match mode {
            Mode::Set => sums[token],
            Mode::Add => _mm512_add_ps(sums[token], load(&out[token])),
        };
        store(&mut out[token], sum);
    }
}
