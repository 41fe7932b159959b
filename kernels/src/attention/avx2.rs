//! Up to [`GROUP`] heads share each load of keys and values; 32 positions, then 32 columns, in registers.
//!
//! Loops over registers are written with indices: see [`crate::matmul`]'s AVX-512 path.

#![expect(
    clippy::indexing_slicing,
    clippy::needless_range_loop,
    reason = "constant lengths, unrolled into registers, and rows whose width the launcher checked"
)]

use std::{arch::x86_64::*, array::from_fn, ops::Range};

use super::{GROUP, HeadCache, PAGE, TOKENS, WIDTH_STEP, cache::split};
use crate::{
    exp::avx2::exp,
    lanes::{
        Lanes,
        avx2::{Half, halves, largest, load, store, sum},
    },
};

#[target_feature(enable = "avx2,fma")]
pub(super) fn attend(tokens: usize, queries: &[f32], cache: HeadCache<'_>, out: &mut [f32]) {
    match queries.len() / tokens / cache.width {
        1 => group::<1>(queries, cache, out),
        2 => group::<2>(queries, cache, out),
        _ => group::<GROUP>(queries, cache, out),
    }
}

/// What is kept of a head from tile to tile.
#[derive(Clone, Copy)]
struct Running {
    largest: f32,
    total: [__m256; 2],
}

/// The four pages of a tile.
type Tile<'a> = [&'a [f32]; 4];
/// Scores, then weights, of one tile, in halves of pages.
type TileWeights = [Half; 8];
/// Columns whose sums fit the registers.
const STEP: usize = 32;

#[inline]
#[target_feature(enable = "avx2,fma")]
fn group<const H: usize>(queries: &[f32], cache: HeadCache<'_>, out: &mut [f32]) {
    let start = Running {
        largest: f32::MIN,
        total: [_mm256_setzero_ps(); 2],
    };
    let mut running = [[start; H]; TOKENS];
    let row = H * cache.width;
    out.fill(0.0);
    for index in cache.tiles(queries.len() / row) {
        let tile = cache.tile(index);
        let rows = queries.chunks_exact(row).zip(out.chunks_exact_mut(row));
        for (token, (queries, out)) in rows.enumerate() {
            let span = cache.span(index, token);
            if !span.is_empty() {
                let mut weights = [[[0.0; 8]; 8]; H];
                scores(queries, tile, cache.scale(), &mut weights);
                let fades = soften(&mut running[token], &mut weights, &span);
                for first in (0..cache.width).step_by(STEP) {
                    add_values(&fades, &weights, (tile, &span), first, out);
                }
            }
        }
    }
    let heads = out.chunks_exact_mut(cache.width);
    for (running, out) in running.as_flattened().iter().zip(heads) {
        let inverse = _mm256_set1_ps(1.0 / sum(running.total));
        for out in out.as_chunks_mut().0 {
            store(out, _mm256_mul_ps(load(out), inverse));
        }
    }
}

#[inline]
#[target_feature(enable = "avx2,fma")]
fn scores<const H: usize>(
    queries: &[f32],
    tile: Tile<'_>,
    scale: f32,
    scores: &mut [TileWeights; H],
) {
    let width = queries.len() / H;
    for pair in 0..2 {
        let mut sums = [[_mm256_setzero_ps(); 4]; H];
        for first in (0..width).step_by(WIDTH_STEP) {
            let queries = from_fn(|head| array(&queries[head * width + first..]));
            let keys = |page: usize| array(split(tile[page]).0[first * PAGE..].as_chunks().0);
            add_scores(queries, [keys(2 * pair), keys(2 * pair + 1)], &mut sums);
        }
        for head in 0..H {
            for half in 0..4 {
                let scaled = _mm256_mul_ps(sums[head][half], _mm256_set1_ps(scale));
                store(&mut scores[head][4 * pair + half], scaled);
            }
        }
    }
}

/// Adds the products of 64 columns to the scores of 32 positions.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn add_scores<const H: usize>(
    queries: [&[f32; WIDTH_STEP]; H],
    keys: [&[Lanes; WIDTH_STEP]; 2],
    sums: &mut [[__m256; 4]; H],
) {
    for column in 0..WIDTH_STEP {
        let ([a, b], [c, d]) = (halves(&keys[0][column]), halves(&keys[1][column]));
        let keys = [load(a), load(b), load(c), load(d)];
        for head in 0..H {
            let query = _mm256_set1_ps(queries[head][column]);
            for half in 0..4 {
                sums[head][half] = _mm256_fmadd_ps(keys[half], query, sums[head][half]);
            }
        }
    }
}

/// Scores to weights; gives the factors by which what was summed before fades.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn soften<const H: usize>(
    running: &mut [Running; H],
    weights: &mut [TileWeights; H],
    span: &Range<usize>,
) -> [__m256; H] {
    let mut fades = [_mm256_setzero_ps(); H];
    for head in 0..H {
        let before = _mm256_set1_ps(running[head].largest);
        let mut most = before;
        for half in 0..8 {
            let scores = load(&weights[head][half]);
            most = _mm256_max_ps(most, _mm256_blendv_ps(before, scores, mask(span, half)));
        }
        if !are_finite(&weights[head], span) {
            running[head].total = [_mm256_set1_ps(f32::NAN); 2];
        }
        running[head].largest = largest(most);
        let most = _mm256_set1_ps(running[head].largest);
        fades[head] = exp(_mm256_sub_ps(before, most));
        let [low, high] = running[head].total;
        let mut total = [
            _mm256_mul_ps(low, fades[head]),
            _mm256_mul_ps(high, fades[head]),
        ];
        for half in 0..8 {
            let weight = exp(_mm256_sub_ps(load(&weights[head][half]), most));
            let weight = _mm256_and_ps(weight, mask(span, half));
            total[half % 2] = _mm256_add_ps(total[half % 2], weight);
            store(&mut weights[head][half], weight);
        }
        running[head].total = total;
    }
    fades
}

/// Whether all scores that are attended to are finite.
#[inline]
#[target_feature(enable = "avx2")]
fn are_finite(scores: &TileWeights, span: &Range<usize>) -> bool {
    let (sign, infinity) = (_mm256_set1_ps(-0.0), _mm256_set1_ps(f32::INFINITY));
    let mut faults = _mm256_setzero_ps();
    for half in 0..8 {
        let size = _mm256_andnot_ps(sign, load(&scores[half]));
        let fault = _mm256_cmp_ps::<_CMP_NLT_UQ>(size, infinity);
        faults = _mm256_or_ps(faults, _mm256_and_ps(fault, mask(span, half)));
    }
    _mm256_movemask_ps(faults) == 0
}

/// All bits of the lanes that are attended to in half a page, `span` being those of its tile.
#[inline]
#[target_feature(enable = "avx2")]
fn mask(span: &Range<usize>, half: usize) -> __m256 {
    let first = _mm256_set1_epi32(8 * half as i32);
    let lanes = _mm256_add_epi32(first, _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
    let before = _mm256_cmpgt_epi32(_mm256_set1_epi32(span.start as i32), lanes);
    let until = _mm256_cmpgt_epi32(_mm256_set1_epi32(span.end as i32), lanes);
    _mm256_castsi256_ps(_mm256_andnot_si256(before, until))
}

/// Adds the values of a tile's attended positions to 32 columns, `first` on.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn add_values<const H: usize>(
    fades: &[__m256; H],
    weights: &[TileWeights; H],
    (tile, span): (Tile<'_>, &Range<usize>),
    first: usize,
    out: &mut [f32],
) {
    let width = out.len() / H;
    let mut sums = [[_mm256_setzero_ps(); 4]; H];
    for head in 0..H {
        let before = array::<Half, 4>(out[head * width + first..].as_chunks().0);
        for i in 0..4 {
            sums[head][i] = _mm256_mul_ps(load(&before[i]), fades[head]);
        }
    }
    for (page, values) in tile.into_iter().enumerate() {
        let within = |position: usize| position.saturating_sub(page * PAGE).min(PAGE);
        let values = split(values).1.chunks_exact(width).enumerate();
        for (position, row) in values.take(within(span.end)).skip(within(span.start)) {
            let row = array::<Half, 4>(row[first..].as_chunks().0);
            let values = [load(&row[0]), load(&row[1]), load(&row[2]), load(&row[3])];
            for head in 0..H {
                let weight = weights[head].as_flattened()[page * PAGE + position];
                for i in 0..4 {
                    sums[head][i] =
                        _mm256_fmadd_ps(_mm256_set1_ps(weight), values[i], sums[head][i]);
                }
            }
        }
    }
    for head in 0..H {
        let (after, _) = out[head * width + first..].as_chunks_mut();
        for i in 0..4 {
            store(&mut after[i], sums[head][i]);
        }
    }
}

/// The first `N` items of a slice.
#[inline]
fn array<T, const N: usize>(items: &[T]) -> &[T; N] {
    &items.as_chunks().0[0]
}
