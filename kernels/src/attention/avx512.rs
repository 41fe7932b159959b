//! Up to [`GROUP`] heads share each load of keys and values; 64 positions, then 64 columns, in registers.
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
    exp::avx512::exp,
    lanes::{LANES, Lanes, avx512::*},
};

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq")]
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
    total: __m512,
}

/// The four pages of a tile.
type Tile<'a> = [&'a [f32]; 4];
/// Scores, then weights, of one tile.
type TileWeights = [Lanes; 4];

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq")]
fn group<const H: usize>(queries: &[f32], cache: HeadCache<'_>, out: &mut [f32]) {
    let start = Running {
        largest: f32::MIN,
        total: _mm512_setzero_ps(),
    };
    let mut running = [[start; H]; TOKENS];
    let row = H * cache.width;
    out.fill(0.0);
    for index in cache.tiles(queries.len() / row) {
        let (tile, next) = (cache.tile(index), cache.tile(index + 1));
        let rows = queries.chunks_exact(row).zip(out.chunks_exact_mut(row));
        for (token, (queries, out)) in rows.enumerate() {
            let span = cache.span(index, token);
            if !span.is_empty() {
                let next = (token == 0).then_some(next);
                let mut weights = scores::<H>(queries, (tile, next), cache.scale());
                let fades = soften(&mut running[token], &mut weights, &span);
                for first in (0..cache.width).step_by(WIDTH_STEP) {
                    add_values(&fades, &weights, (tile, &span), first, out);
                }
            }
        }
    }
    let heads = out.chunks_exact_mut(cache.width);
    for (running, out) in running.as_flattened().iter().zip(heads) {
        let inverse = _mm512_set1_ps(1.0 / sum(running.total));
        for out in out.as_chunks_mut().0 {
            store(out, _mm512_mul_ps(load(out), inverse));
        }
    }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn scores<const H: usize>(
    queries: &[f32],
    (tile, next): (Tile<'_>, Option<Tile<'_>>),
    scale: f32,
) -> [TileWeights; H] {
    let width = queries.len() / H;
    let mut sums = [[_mm512_setzero_ps(); 4]; H];
    for first in (0..width).step_by(WIDTH_STEP) {
        let queries = from_fn(|head| array(&queries[head * width + first..]));
        let keys = tile.map(|page| rows(&split(page).0[first * PAGE..]));
        if let Some(next) = next {
            next.iter().for_each(|page| ask_for(page, first));
        }
        add_scores(queries, keys, &mut sums);
    }
    let mut scores = [[[0.0; PAGE]; 4]; H];
    for head in 0..H {
        for page in 0..4 {
            let scaled = _mm512_mul_ps(sums[head][page], _mm512_set1_ps(scale));
            store(&mut scores[head][page], scaled);
        }
    }
    scores
}

/// Asks memory for 64 columns of a page that is needed soon.
#[inline]
#[target_feature(enable = "avx512f")]
fn ask_for(page: &[f32], first: usize) {
    let (keys, values) = split(page);
    for half in [keys, values] {
        let lines = half[first * PAGE..].as_chunks::<LANES>().0;
        for line in &lines[..WIDTH_STEP] {
            prefetch(line, 0);
        }
    }
}

/// Adds the products of 64 columns to the scores of 64 positions.
#[inline]
#[target_feature(enable = "avx512f")]
fn add_scores<const H: usize>(
    queries: [&[f32; WIDTH_STEP]; H],
    keys: [&[Lanes; WIDTH_STEP]; 4],
    sums: &mut [[__m512; 4]; H],
) {
    for column in 0..WIDTH_STEP {
        for head in 0..H {
            let query = _mm512_set1_ps(queries[head][column]);
            for page in 0..4 {
                let keys = load(&keys[page][column]);
                sums[head][page] = _mm512_fmadd_ps(keys, query, sums[head][page]);
            }
        }
    }
}

/// Scores to weights; gives the factors by which what was summed before fades.
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn soften<const H: usize>(
    running: &mut [Running; H],
    weights: &mut [TileWeights; H],
    span: &Range<usize>,
) -> [__m512; H] {
    let mut fades = [_mm512_setzero_ps(); H];
    for head in 0..H {
        let before = _mm512_set1_ps(running[head].largest);
        let mut largest = before;
        for page in 0..4 {
            let scores = load(&weights[head][page]);
            let scores = _mm512_mask_mov_ps(before, mask(span, page), scores);
            largest = _mm512_max_ps(largest, scores);
        }
        if !are_finite(&weights[head], span) {
            running[head].total = _mm512_set1_ps(f32::NAN);
        }
        running[head].largest = _mm512_reduce_max_ps(largest);
        fades[head] = before;
    }
    for head in 0..H {
        let largest = _mm512_set1_ps(running[head].largest);
        fades[head] = exp(_mm512_sub_ps(fades[head], largest));
        let mut total = _mm512_mul_ps(running[head].total, fades[head]);
        for page in 0..4 {
            let weight = exp(_mm512_sub_ps(load(&weights[head][page]), largest));
            let weight = _mm512_maskz_mov_ps(mask(span, page), weight);
            total = _mm512_add_ps(total, weight);
            store(&mut weights[head][page], weight);
        }
        running[head].total = total;
    }
    fades
}

/// Whether all scores that are attended to are finite.
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn are_finite(scores: &TileWeights, span: &Range<usize>) -> bool {
    let infinity = _mm512_set1_ps(f32::INFINITY);
    let mut faults = 0;
    for page in 0..4 {
        let size = _mm512_abs_ps(load(&scores[page]));
        let fault = _mm512_cmp_ps_mask::<_CMP_NLT_UQ>(size, infinity);
        faults |= fault & mask(span, page);
    }
    faults == 0
}

/// Which positions of a page are attended to, `span` being those of its tile.
#[inline]
fn mask(span: &Range<usize>, page: usize) -> __mmask16 {
    let within = within(span, page);
    (((1_u32 << within.end) - 1) & !((1_u32 << within.start) - 1)) as __mmask16
}

/// The part of a tile's span that lies in a page.
#[inline]
fn within(span: &Range<usize>, page: usize) -> Range<usize> {
    let within = |position: usize| position.saturating_sub(page * PAGE).min(PAGE);
    within(span.start)..within(span.end)
}

/// Adds the values of a tile's attended positions to 64 columns, `first` on.
#[inline]
#[target_feature(enable = "avx512f")]
fn add_values<const H: usize>(
    fades: &[__m512; H],
    weights: &[TileWeights; H],
    (tile, span): (Tile<'_>, &Range<usize>),
    first: usize,
    out: &mut [f32],
) {
    let width = out.len() / H;
    let mut sums = [[_mm512_setzero_ps(); 4]; H];
    for head in 0..H {
        let before = rows::<4>(&out[head * width + first..]);
        for i in 0..4 {
            sums[head][i] = _mm512_mul_ps(load(&before[i]), fades[head]);
        }
    }
    for (page, values) in tile.into_iter().enumerate() {
        let values = split(values).1.chunks_exact(width).enumerate();
        let within = within(span, page);
        for (position, row) in values.take(within.end).skip(within.start) {
            let row = rows::<4>(&row[first..]);
            for head in 0..H {
                let weight = _mm512_set1_ps(weights[head][page][position]);
                for i in 0..4 {
                    sums[head][i] = _mm512_fmadd_ps(weight, load(&row[i]), sums[head][i]);
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

/// The first `N` vectors of a slice.
#[inline]
fn rows<const N: usize>(values: &[f32]) -> &[Lanes; N] {
    &values.as_chunks().0.as_chunks().0[0]
}

/// The first `N` values of a slice.
#[inline]
fn array<const N: usize>(values: &[f32]) -> &[f32; N] {
    &values.as_chunks().0[0]
}
