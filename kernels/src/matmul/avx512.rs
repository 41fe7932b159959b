//! Sixteen rows in a register, `vpdpwssd` over pairs of columns; up to eight tokens share each unpacked weight.

use std::arch::x86_64::*;

use super::{
    Activations, Mode, Panels,
    matrix::{BlockSlice, Q4Block, Q8Block},
};
use crate::{
    lanes::{LANES, avx512::*},
    quantize::ActivationBlock,
};

/// A block ready for multiplication; `pairs[p]` has columns `2p` and `2p + 1` of row `i` in its `i`-th 32 bits.
struct Unpacked {
    pairs: [__m512i; 16],
    scales: __m512,
    offsets: Option<__m512>,
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
pub(super) fn matmul(
    weights: Panels<'_>,
    activations: Activations<'_>,
    mode: Mode,
    out: &mut [f32],
) {
    let blocks_per_row = weights.blocks_per_row();
    let panels = out.chunks_exact_mut(activations.tokens() * LANES);
    match weights.blocks {
        BlockSlice::Q4(blocks) => {
            for (out, blocks) in panels.zip(blocks.chunks_exact(blocks_per_row)) {
                panel(blocks, |block| unpack_q4(block), activations, mode, out);
            }
        }
        BlockSlice::Q8(blocks) => {
            for (out, blocks) in panels.zip(blocks.chunks_exact(blocks_per_row)) {
                panel(blocks, |block| unpack_q8(block), activations, mode, out);
            }
        }
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn panel<B>(
    blocks: &[B],
    unpack: impl Fn(&B) -> Unpacked + Copy,
    activations: Activations<'_>,
    mode: Mode,
    out: &mut [f32],
) {
    let mut out = out;
    for tile in activations.tiles() {
        let tokens = tile.len() / blocks.len();
        let (now, later) = out.split_at_mut(tokens * LANES);
        out = later;
        match tokens {
            1 => store_all(sums::<B, 1>(blocks, unpack, tile), mode, now),
            2 => store_all(sums::<B, 2>(blocks, unpack, tile), mode, now),
            3 => store_all(sums::<B, 3>(blocks, unpack, tile), mode, now),
            4 => store_all(sums::<B, 4>(blocks, unpack, tile), mode, now),
            5 => store_all(sums::<B, 5>(blocks, unpack, tile), mode, now),
            6 => store_all(sums::<B, 6>(blocks, unpack, tile), mode, now),
            7 => store_all(sums::<B, 7>(blocks, unpack, tile), mode, now),
            _ => store_all(sums::<B, 8>(blocks, unpack, tile), mode, now),
        }
    }
}

/// Sums of one panel for `T` tokens.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn sums<B, const T: usize>(
    blocks: &[B],
    unpack: impl Fn(&B) -> Unpacked,
    tile: &[ActivationBlock],
) -> [__m512; T] {
    let mut sums = [_mm512_setzero_ps(); T];
    for (block, activations) in blocks.iter().zip(tile.as_chunks::<T>().0) {
        let weights = unpack(block);
        for (sum, activations) in sums.iter_mut().zip(activations) {
            *sum = accumulate(&weights, activations, *sum);
        }
    }
    sums
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn accumulate(weights: &Unpacked, activations: &ActivationBlock, sum: __m512) -> __m512 {
    let mut integer = _mm512_setzero_si512();
    for (weights, pair) in weights.pairs.iter().zip(&activations.pairs) {
        integer = _mm512_dpwssd_epi32(integer, *weights, _mm512_set1_epi32(*pair as i32));
    }
    let scales = _mm512_mul_ps(weights.scales, _mm512_set1_ps(activations.scale));
    let sum = _mm512_fmadd_ps(_mm512_cvtepi32_ps(integer), scales, sum);
    match weights.offsets {
        Some(offsets) => _mm512_fmadd_ps(offsets, _mm512_set1_ps(activations.sum), sum),
        None => sum,
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn unpack_q4(block: &Q4Block) -> Unpacked {
    let [a, b, c, d] = block.quants.each_ref().map(|group| nibbles(group));
    let mut pairs = [a, b, c, d].into_iter().flatten();
    Unpacked {
        pairs: std::array::from_fn(|_| pairs.next().unwrap_or(_mm512_setzero_si512())),
        scales: _mm512_cvtph_ps(load_u16x16(&block.scales)),
        offsets: Some(_mm512_cvtph_ps(load_u16x16(&block.offsets))),
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn nibbles(group: &[u16; 32]) -> [__m512i; 4] {
    let (words, low) = (load_u16x32(group), _mm512_set1_epi16(15));
    [
        _mm512_and_si512(words, low),
        _mm512_and_si512(_mm512_srli_epi16::<4>(words), low),
        _mm512_and_si512(_mm512_srli_epi16::<8>(words), low),
        _mm512_srli_epi16::<12>(words),
    ]
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn unpack_q8(block: &Q8Block) -> Unpacked {
    let quants = block.quants.each_ref();
    Unpacked {
        pairs: quants.map(|pair| _mm512_cvtepi8_epi16(load_i8x32(pair))),
        scales: _mm512_cvtph_ps(load_u16x16(&block.scales)),
        offsets: None,
    }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn store_all<const T: usize>(sums: [__m512; T], mode: Mode, out: &mut [f32]) {
    for (sum, out) in sums.into_iter().zip(out.as_chunks_mut().0) {
        let sum = match mode {
            Mode::Set => sum,
            Mode::Add => _mm512_add_ps(sum, load(out)),
        };
        store(out, sum);
    }
}
