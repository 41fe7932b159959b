//! The reference: the contract, head by head.

use std::ops::Range;

use super::{HeadCache, PAGE, TILE, cache::split};
use crate::{
    exp::exp,
    lanes::{self, Lanes},
};

pub(super) fn attend(tokens: usize, queries: &[f32], cache: HeadCache<'_>, out: &mut [f32]) {
    let per_token = queries.len() / tokens / cache.width;
    let heads = queries.chunks_exact(cache.width);
    let heads = heads.zip(out.chunks_exact_mut(cache.width));
    for (index, (query, out)) in heads.enumerate() {
        head(query, index / per_token, cache, out);
    }
}

fn head(query: &[f32], token: usize, cache: HeadCache<'_>, out: &mut [f32]) {
    let (mut largest, mut total): (f32, Lanes) = (f32::MIN, [0.0; 16]);
    out.fill(0.0);
    for index in cache.tiles(token + 1) {
        let (tile, span) = (cache.tile(index), cache.span(index, token));
        if span.is_empty() {
            continue;
        }
        let mut weights = [0.0; TILE];
        scores(query, tile, cache.scale(), &mut weights);
        let largest_before = largest;
        let attended = weights.get_mut(span.clone()).unwrap_or_default();
        if !attended.iter().all(|score| score.is_finite()) {
            out.fill(f32::NAN);
            return;
        }
        largest = attended.iter().copied().fold(largest, f32::max);
        attended.iter_mut().for_each(|w| *w = exp(*w - largest));
        let fade = exp(largest_before - largest);
        add_total(&mut total, fade, &weights, &span);
        add_values(out, fade, (&weights, &span), tile);
    }
    let inverse = 1.0 / lanes::sum(&total);
    out.iter_mut().for_each(|out| *out *= inverse);
}

fn scores(query: &[f32], tile: [&[f32]; 4], scale: f32, out: &mut [f32; TILE]) {
    for (page, out) in tile.into_iter().zip(out.as_chunks_mut::<PAGE>().0) {
        for (keys, query) in split(page).0.as_chunks::<PAGE>().0.iter().zip(query) {
            for (out, key) in out.iter_mut().zip(keys) {
                *out = key.mul_add(*query, *out);
            }
        }
        out.iter_mut().for_each(|out| *out *= scale);
    }
}

fn add_total(total: &mut Lanes, fade: f32, weights: &[f32; TILE], span: &Range<usize>) {
    total.iter_mut().for_each(|total| *total *= fade);
    for (page, weights) in weights.as_chunks::<PAGE>().0.iter().enumerate() {
        for (lane, (total, weight)) in total.iter_mut().zip(weights).enumerate() {
            if span.contains(&(page * PAGE + lane)) {
                *total += weight;
            }
        }
    }
}

fn add_values(
    out: &mut [f32],
    fade: f32,
    (weights, span): (&[f32; TILE], &Range<usize>),
    tile: [&[f32]; 4],
) {
    out.iter_mut().for_each(|out| *out *= fade);
    let width = out.len();
    let values = tile
        .into_iter()
        .flat_map(|page| split(page).1.chunks_exact(width));
    let attended = weights.iter().zip(values);
    for (weight, values) in attended.take(span.end).skip(span.start) {
        for (out, value) in out.iter_mut().zip(values) {
            *out = weight.mul_add(*value, *out);
        }
    }
}
