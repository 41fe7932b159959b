//! Causal attention of one token's query heads that share a key-value head, over that head's cached keys and values.
//!
//! `out[head] = sum over p of softmax(query[head] . key[p] / sqrt(width))[p] * value[p]`.
//!
//! Order, in tiles of 64 positions: a score is `fma(key, query, acc)` over the columns in index order, times the scale.
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
/// Query heads that share each load of keys and values: as many as fit the registers.
pub const GROUP: usize = 3;
/// Head widths are multiples of this.
pub const WIDTH_STEP: usize = 4 * LANES;

/// Keys and values of one head.
#[derive(Clone, Copy)]
pub struct HeadCache<'a> {
    /// Whole tiles, as [`append`] writes them.
    pub pages: &'a [f32],
    /// How many positions are to be attended to, at least one.
    pub positions: usize,
    /// Columns of a head.
    pub width: usize,
}

impl<'a> HeadCache<'a> {
    /// Tiles up to the last position, each with the number of its positions that count.
    fn tiles(self) -> impl Iterator<Item = (&'a [f32], usize)> {
        let tiles = self.pages.chunks_exact(2 * TILE * self.width);
        let counts = (0..self.positions).step_by(TILE);
        tiles.zip(counts.map(move |first| TILE.min(self.positions - first)))
    }

    fn scale(self) -> f32 {
        1.0 / (self.width as f32).sqrt()
    }
}

/// Attends; `queries` and `out` are `[head][column]`.
///
/// # Panics
/// If the lengths disagree, or no position is to be attended to.
pub fn attend(isa: Isa, queries: &[f32], cache: HeadCache<'_>, out: &mut [f32]) {
    assert_eq!(cache.width % WIDTH_STEP, 0, "whole vectors");
    assert_eq!(queries.len() % cache.width, 0, "whole heads");
    assert_eq!(queries.len(), out.len());
    assert!(cache.positions > 0, "attention to nothing");
    assert!(cache_len(cache.width, cache.positions) <= cache.pages.len());
    match isa.path() {
        Path::Scalar => scalar::attend(queries, cache, out),
        #[cfg(target_arch = "x86_64")]
        #[expect(unsafe_code, reason = "launcher")]
        // SAFETY: an `Isa` with this path exists only where its instructions were detected.
        Path::Avx512Vnni => unsafe { avx512::attend(queries, cache, out) },
    }
}

#[cfg(test)]
mod tests;
