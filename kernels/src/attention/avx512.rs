//! Up to [`GROUP`] heads at once share each load of keys and values; 64 positions, then 64 columns, in registers.

#![expect(
    clippy::indexing_slicing,
    reason = "constant lengths, and rows whose width was checked by the launcher"
)]

use std::arch::x86_64::*;

use super::{GROUP, HeadCache, PAGE, TILE, WIDTH_STEP, cache::split};
use crate::{
    exp::avx512::exp,
    lanes::{Lanes, avx512::*},
};

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq")]
pub(super) fn attend(queries: &[f32], cache: HeadCache<'_>, out: &mut [f32]) {
    let groups = queries.chunks(GROUP * cache.width);
    for (queries, out) in groups.zip(out.chunks_mut(GROUP * cache.width)) {
        match queries.len() / cache.width {
            1 => group::<1>(queries, cache, out),
            2 => group::<2>(queries, cache, out),
            _ => group::<GROUP>(queries, cache, out),
        }
    }
}

/// What is kept of a head from tile to tile.
#[derive(Clone, Copy)]
struct Running {
    largest: f32,
    total: __m512,
}

/// Scores, then weights, of one tile.
type TileWeights = [Lanes; TILE / PAGE];

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq")]
fn group<const H: usize>(queries: &[f32], cache: HeadCache<'_>, out: &mut [f32]) {
    let mut running = [Running {
        largest: f32::MIN,
        total: _mm512_setzero_ps(),
    }; H];
    out.fill(0.0);
    for (tile, count) in cache.tiles() {
        let mut weights = scores::<H>(queries, tile, cache.scale());
        let mut fades = [0.0; H];
        for ((running, weights), fade) in running.iter_mut().zip(&mut weights).zip(&mut fades) {
            *fade = soften(running, weights, count);
        }
        add_values(&fades, &weights, tile, count, out);
    }
    for (running, out) in running.iter().zip(out.chunks_exact_mut(cache.width)) {
        let inverse = _mm512_set1_ps(1.0 / sum(running.total));
        for out in out.as_chunks_mut().0 {
            store(out, _mm512_mul_ps(load(out), inverse));
        }
    }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn scores<const H: usize>(queries: &[f32], tile: &[f32], scale: f32) -> [TileWeights; H] {
    let width = queries.len() / H;
    let mut sums = [[_mm512_setzero_ps(); TILE / PAGE]; H];
    let keys = pages(tile).map(|page| split(page).0.as_chunks::<PAGE>().0);
    let [a, b, c, d] = keys;
    for (column, (((a, b), c), d)) in a.iter().zip(b).zip(c).zip(d).enumerate() {
        let keys = [a, b, c, d].map(|keys| load(keys));
        let queries = queries.iter().skip(column).step_by(width);
        for (sums, query) in sums.iter_mut().zip(queries) {
            for (sum, keys) in sums.iter_mut().zip(keys) {
                *sum = _mm512_fmadd_ps(keys, _mm512_set1_ps(*query), *sum);
            }
        }
    }
    let scale = _mm512_set1_ps(scale);
    sums.map(|sums| {
        sums.map(|sum| {
            let mut lanes = [0.0; PAGE];
            store(&mut lanes, _mm512_mul_ps(sum, scale));
            lanes
        })
    })
}

/// Scores to weights; gives the factor by which what was summed before fades.
#[inline]
#[target_feature(enable = "avx512f")]
fn soften(running: &mut Running, weights: &mut TileWeights, count: usize) -> f32 {
    let lowest = _mm512_set1_ps(f32::MIN);
    let mut largest = _mm512_set1_ps(running.largest);
    for (page, scores) in weights.iter().enumerate() {
        let scores = _mm512_mask_mov_ps(lowest, mask(count, page), load(scores));
        largest = _mm512_max_ps(largest, scores);
    }
    let largest = _mm512_reduce_max_ps(largest);
    let fade = crate::exp::exp(running.largest - largest);
    running.largest = largest;
    running.total = _mm512_mul_ps(running.total, _mm512_set1_ps(fade));
    for (page, scores) in weights.iter_mut().enumerate() {
        let weight = exp(_mm512_sub_ps(load(scores), _mm512_set1_ps(largest)));
        let weight = _mm512_maskz_mov_ps(mask(count, page), weight);
        running.total = _mm512_add_ps(running.total, weight);
        store(scores, weight);
    }
    fade
}

/// Which positions of a page count, `count` being those of its tile.
#[inline]
fn mask(count: usize, page: usize) -> __mmask16 {
    let counted = count.saturating_sub(page * PAGE).min(PAGE);
    ((1_u32 << counted) - 1) as __mmask16
}

#[inline]
#[target_feature(enable = "avx512f")]
fn add_values<const H: usize>(
    fades: &[f32; H],
    weights: &[TileWeights; H],
    tile: &[f32],
    count: usize,
    out: &mut [f32],
) {
    let width = out.len() / H;
    for first in (0..width).step_by(WIDTH_STEP) {
        let mut sums = [[_mm512_setzero_ps(); 4]; H];
        for (sums, (out, fade)) in sums.iter_mut().zip(out.chunks_exact(width).zip(fades)) {
            let fade = _mm512_set1_ps(*fade);
            *sums = columns(out, first)
                .each_ref()
                .map(|out| _mm512_mul_ps(load(out), fade));
        }
        for (page, values) in pages(tile).into_iter().enumerate() {
            let rows = split(values).1.chunks_exact(width);
            let counted = count.saturating_sub(page * PAGE);
            for (position, row) in rows.take(counted).enumerate() {
                let values = columns(row, first).each_ref().map(|value| load(value));
                for (sums, weights) in sums.iter_mut().zip(weights) {
                    let weight = _mm512_set1_ps(weights[page][position]);
                    *sums = add_product(*sums, weight, values);
                }
            }
        }
        for (sums, out) in sums.iter().zip(out.chunks_exact_mut(width)) {
            let out = out[first..].as_chunks_mut().0;
            out.iter_mut()
                .zip(sums)
                .for_each(|(out, sum)| store(out, *sum));
        }
    }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn add_product(sums: [__m512; 4], weight: __m512, values: [__m512; 4]) -> [__m512; 4] {
    let ([a, b, c, d], [w, x, y, z]) = (sums, values);
    [
        _mm512_fmadd_ps(weight, w, a),
        _mm512_fmadd_ps(weight, x, b),
        _mm512_fmadd_ps(weight, y, c),
        _mm512_fmadd_ps(weight, z, d),
    ]
}

/// The four pages of a tile.
#[inline]
fn pages(tile: &[f32]) -> [&[f32]; TILE / PAGE] {
    let length = tile.len() / (TILE / PAGE);
    std::array::from_fn(|page| &tile[page * length..][..length])
}

/// Sixty-four columns of a row.
#[inline]
fn columns(row: &[f32], first: usize) -> &[Lanes; 4] {
    let (columns, _) = row[first..].as_chunks();
    &columns.as_chunks().0[0]
}
