//! Causal attention of the query heads that share a key-value head, over that head's cached keys and values.
//!
//! `out[token][head] = sum over p of softmax(query[token][head] . key[p] / sqrt(width))[p] * value[p]`, where `p` goes up to
//! the token's own position.
//!
//! Order, for each token and head, in tiles of 64 positions: a score is `fma(key, query, acc)` over the columns in index order, times the scale.
//! With `m` the largest score so far and `c = exp(m_before - m)`, each tile does `l[i] = l[i] * c`, then adds `e[i]`,
//! `e[i + 16]`, `e[i + 32]`, `e[i + 48]` (`e = exp(score - m)`, nothing beyond the last position), and
//! `o = o * c`, then `o = fma(e[p], value[p], o)` in order of `p`. The result is `o * (1 / sum(l))`.

mod cache;
mod scalar;

#[cfg(target_arch = "x86_64")]
mod avx512;

pub use cache::{append, cache_len};

use crate::{
    isa::{Isa, Path},
    lanes::LANES,
};

/// Positions in a page: its keys are transposed so that one vector holds the same column of all of them.
pub const PAGE: usize = LANES;
/// Positions in a tile: four pages.
const TILE: usize = 4 * PAGE;
/// Most query heads at once: they share each load of keys and values, and fit the registers.
pub const GROUP: usize = 3;
/// Most tokens at once: a tile of keys and values stays in the first-level cache for all of them.
pub const TOKENS: usize = 8;
/// Head widths are multiples of this.
pub const WIDTH_STEP: usize = 4 * LANES;

/// Keys and values of one head.
#[derive(Clone, Copy)]
pub struct HeadCache<'a> {
    /// Whole tiles, as [`append`] writes them.
    pub pages: &'a [f32],
    /// How many positions the first token attends to, its own among them; each further token attends to one more.
    pub positions: usize,
    /// Columns of a head.
    pub width: usize,
}

impl<'a> HeadCache<'a> {
    /// Tiles that any of the tokens attends to.
    fn tiles(self, tokens: usize) -> impl Iterator<Item = &'a [f32]> {
        let tiles = self.pages.chunks_exact(2 * TILE * self.width);
        tiles.take((self.positions + tokens - 1).div_ceil(TILE))
    }

    /// How many positions of a tile a token attends to.
    fn count(self, tile: usize, token: usize) -> usize {
        (self.positions + token)
            .saturating_sub(tile * TILE)
            .min(TILE)
    }

    fn scale(self) -> f32 {
        1.0 / (self.width as f32).sqrt()
    }
}

/// Attends; `queries` and `out` are `[token][head][column]`, at most [`TOKENS`] tokens and [`GROUP`] heads.
///
/// # Panics
/// If the lengths disagree, or no position is to be attended to.
pub fn attend(isa: Isa, tokens: usize, queries: &[f32], cache: HeadCache<'_>, out: &mut [f32]) {
    assert!((1..=TOKENS).contains(&tokens), "a tile of tokens");
    assert_eq!(cache.width % WIDTH_STEP, 0, "whole vectors");
    assert_eq!(queries.len() % (tokens * cache.width), 0, "whole heads");
    assert!(queries.len() <= GROUP * tokens * cache.width, "a group");
    assert_eq!(queries.len(), out.len());
    assert!(cache.positions > 0, "attention to nothing");
    assert!(cache_len(cache.width, cache.positions + tokens - 1) <= cache.pages.len());
    match isa.path() {
        Path::Scalar => scalar::attend(tokens, queries, cache, out),
        #[cfg(target_arch = "x86_64")]
        #[expect(unsafe_code, reason = "launcher")]
        // SAFETY: an `Isa` with this path exists only where its instructions were detected.
        Path::Avx512Vnni => unsafe { avx512::attend(tokens, queries, cache, out) },
    }
}

#[cfg(test)]
mod tests;
