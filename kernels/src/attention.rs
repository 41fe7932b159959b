//! Causal attention of the query heads that share a key-value head, over that head's cached keys and values.
//!
//! `out[token][head] = sum over p of softmax(query[token][head] . key[p] / sqrt(width))[p] * value[p]`, where `p` goes up to
//! the token's own position, and begins at 0 or, with a window, so many positions before the end.
//!
//! Order, for each token and head, in tiles of 64 positions (those where nothing is attended to are left out): a score is `fma(key, query, acc)` over the columns in index order, times the scale.
//! With `m` the largest score so far and `c = exp(m_before - m)`, each tile does `l[i] = l[i] * c`, then adds `e[i]`,
//! `e[i + 16]`, `e[i + 32]`, `e[i + 48]` (`e = exp(score - m)`, nothing before the first position and beyond the last), and
//! `o = o * c`, then `o = fma(e[p], value[p], o)` in order of `p`. The result is `o * (1 / sum(l))`.
//! Where a score is infinite or no number, all of the token's result for that head is no number: `l` is then no number.

mod cache;
mod scalar;

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;

pub use cache::{append, page_len};

use std::{array, ops::Range};

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

/// Keys and values of one head of one sequence, in pages that lie anywhere in a pool.
#[derive(Clone, Copy)]
pub struct HeadCache<'a> {
    /// Pages of all sequences, `[page][head]`, each head's part of a page as [`append`] writes it.
    pub pool: &'a [f32],
    /// How many heads a page holds.
    pub heads: usize,
    /// Which of them this is.
    pub head: usize,
    /// The sequence's pages, by their numbers in the pool, in the order of its positions.
    pub pages: &'a [u32],
    /// How many positions there are up to the first token's own; each further token has one more.
    pub positions: usize,
    /// How many positions a token attends to at most, the latest ones; `usize::MAX`: all.
    pub window: usize,
    /// Columns of a head.
    pub width: usize,
}

impl<'a> HeadCache<'a> {
    /// Tiles that any of the tokens attends to.
    fn tiles(self, tokens: usize) -> Range<usize> {
        let first = self.positions.saturating_sub(self.window) / TILE;
        first..(self.positions + tokens - 1).div_ceil(TILE)
    }

    /// The four pages of a tile; the sequence's last page stands for those it does not have, which are never attended to.
    #[expect(
        clippy::indexing_slicing,
        reason = "a page outside the pool is the caller's mistake"
    )]
    fn tile(self, index: usize) -> [&'a [f32]; 4] {
        let length = page_len(self.width);
        let last = self.pages.len() - 1;
        array::from_fn(|page| {
            let page = self.pages[(4 * index + page).min(last)] as usize;
            &self.pool[(page * self.heads + self.head) * length..][..length]
        })
    }

    /// Which positions of a tile a token attends to.
    fn span(self, tile: usize, token: usize) -> Range<usize> {
        let end = self.positions + token;
        let within = |position: usize| position.saturating_sub(tile * TILE).min(TILE);
        within(end.saturating_sub(self.window))..within(end)
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
    assert!(cache.window > 0, "attention to nothing");
    assert!(
        cache.positions + tokens - 1 <= cache.pages.len() * PAGE,
        "positions beyond the pages"
    );
    match isa.path() {
        Path::Scalar => scalar::attend(tokens, queries, cache, out),
        #[cfg(target_arch = "x86_64")]
        #[expect(unsafe_code, reason = "launcher")]
        // SAFETY: an `Isa` with this path exists only where its instructions were detected.
        Path::Avx2 => unsafe { avx2::attend(tokens, queries, cache, out) },
        #[cfg(target_arch = "x86_64")]
        #[expect(unsafe_code, reason = "launcher")]
        // SAFETY: an `Isa` with this path exists only where its instructions were detected.
        Path::Avx512Vnni => unsafe { avx512::attend(tokens, queries, cache, out) },
    }
}

#[cfg(test)]
mod tests;
