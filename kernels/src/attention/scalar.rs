//! The reference: the contract, head by head.

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
    for (index, tile) in cache.tiles(token + 1).enumerate() {
        let mut weights = [0.0; TILE];
        scores(query, tile, cache.scale(), &mut weights);
        let (weights, _) = weights.split_at_mut(cache.count(index, token));
        let before = largest;
        largest = weights.iter().copied().fold(largest, f32::max);
        weights.iter_mut().for_each(|w| *w = exp(*w - largest));
        let fade = exp(before - largest);
        add_total(&mut total, fade, weights);
        add_values(out, fade, weights, tile);
    }
    let inverse = 1.0 / lanes::sum(&total);
    out.iter_mut().for_each(|out| *out *= inverse);
}

fn scores(query: &[f32], tile: &[f32], scale: f32, out: &mut [f32; TILE]) {
    let pages = tile.chunks_exact(tile.len() / 4);
    for (page, out) in pages.zip(out.as_chunks_mut::<PAGE>().0) {
        for (keys, query) in split(page).0.as_chunks::<PAGE>().0.iter().zip(query) {
            for (out, key) in out.iter_mut().zip(keys) {
                *out = key.mul_add(*query, *out);
            }
        }
        out.iter_mut().for_each(|out| *out *= scale);
    }
}

fn add_total(total: &mut Lanes, fade: f32, weights: &[f32]) {
    total.iter_mut().for_each(|total| *total *= fade);
    for page in weights.chunks(PAGE) {
        for (total, weight) in total.iter_mut().zip(page) {
            *total += weight;
        }
    }
}

fn add_values(out: &mut [f32], fade: f32, weights: &[f32], tile: &[f32]) {
    out.iter_mut().for_each(|out| *out *= fade);
    let pages = tile.chunks_exact(tile.len() / 4);
    let values = pages.flat_map(|page| split(page).1.chunks_exact(out.len()));
    let values: Vec<&[f32]> = values.collect();
    for (weight, values) in weights.iter().zip(values) {
        for (out, value) in out.iter_mut().zip(values) {
            *out = weight.mul_add(*value, *out);
        }
    }
}
