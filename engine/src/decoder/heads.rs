//! Attention of a chunk of tokens: keys and values into the cache, then every query against it.

use kernels::{
    Isa,
    attention::{GROUP, HeadCache, append, attend},
    quantize::{Source, TILE},
    rope::rotate,
};

use super::crew::Crew;
use crate::model::{MAX_HEAD_WIDTH, ModelConfig};

/// Queries, keys and values of a chunk of tokens.
pub(super) struct Heads<'a> {
    pub(super) config: &'a ModelConfig,
    /// Columns: queries, keys, values.
    pub(super) qkv: Source<'a>,
    /// Cosines and sines, `[token][pair][cos, sin]`.
    pub(super) turns: &'a [f32],
    /// Position of the first token.
    pub(super) first: usize,
    pub(super) tokens: usize,
}

impl Heads<'_> {
    /// Writes keys and values of all tokens.
    pub(super) fn append(&self, crew: &mut Crew, cache: &mut [f32]) {
        let head_len = cache.len() / self.config.kv_heads;
        if self.tokens < TILE {
            let heads = cache.chunks_mut(head_len).enumerate();
            heads.for_each(|(head, cache)| self.append_head(head, cache));
        } else {
            crew.pool
                .for_chunks(cache, head_len, |head, cache| self.append_head(head, cache));
        }
    }

    fn append_head(&self, head: usize, cache: &mut [f32]) {
        let width = self.config.head_width;
        let (mut key, mut value) = ([0.0; MAX_HEAD_WIDTH], [0.0; MAX_HEAD_WIDTH]);
        let (key, value) = (key.split_at_mut(width).0, value.split_at_mut(width).0);
        let keys = self.config.width + head * width;
        let values = keys + self.config.kv_width();
        for (token, turn) in self.turns.chunks_exact(width).enumerate() {
            self.qkv.read(token, keys, key);
            rotate(turn, key);
            self.qkv.read(token, values, value);
            append(cache, self.first + token, key, value);
        }
    }

    /// Attends with all queries; `out` is `[token][head][column]`.
    pub(super) fn attend(&self, crew: &mut Crew, cache: &[f32], out: &mut [f32]) {
        let (isa, width, kv_heads) = (crew.isa, self.config.width, self.config.kv_heads);
        let shared = width / kv_heads;
        if self.tokens < TILE {
            crew.pool.for_chunks(out, shared, |unit, out| {
                self.attend_shared(isa, (unit / kv_heads, unit % kv_heads), cache, out);
            });
        } else {
            crew.pool.for_chunks(out, TILE * width, |tile, out| {
                for head in 0..kv_heads {
                    let out = out.split_at_mut(head * shared).1;
                    self.attend_shared(isa, (tile * TILE, head), cache, out);
                }
            });
        }
    }

    /// The query heads that share a key-value head, for as many tokens as `out` has rows of (as long as all heads are wide).
    fn attend_shared(
        &self,
        isa: Isa,
        (token, kv_head): (usize, usize),
        cache: &[f32],
        out: &mut [f32],
    ) {
        let (width, kv_heads) = (self.config.head_width, self.config.kv_heads);
        let mut heads = cache.chunks(cache.len() / kv_heads);
        let cache = HeadCache {
            pages: heads.nth(kv_head).unwrap_or_default(),
            positions: self.first + token + 1,
            width,
        };
        let shared = self.config.heads / kv_heads;
        for head in (0..shared).step_by(GROUP) {
            let group = GROUP.min(shared - head) * width;
            let first_column = (kv_head * shared + head) * width;
            let out = out.split_at_mut(head * width).1;
            self.attend_group(isa, (token, first_column), cache, (group, out));
        }
    }

    /// Some of those heads: `group` columns of each token, `first_column` on.
    fn attend_group(
        &self,
        isa: Isa,
        (token, first_column): (usize, usize),
        cache: HeadCache<'_>,
        (group, out): (usize, &mut [f32]),
    ) {
        let rows = out.chunks_mut(self.config.width);
        let tokens = rows.len();
        let mut queries = [0.0; TILE * GROUP * MAX_HEAD_WIDTH];
        let mut attended = [0.0; TILE * GROUP * MAX_HEAD_WIDTH];
        let queries = queries.split_at_mut(tokens * group).0;
        let attended = attended.split_at_mut(tokens * group).0;
        for (index, queries) in queries.chunks_exact_mut(group).enumerate() {
            self.qkv.read(token + index, first_column, queries);
            self.rotate_all(token + index, queries);
        }
        attend(isa, tokens, queries, cache, attended);
        for (row, attended) in rows.zip(attended.chunks_exact(group)) {
            row.split_at_mut(group).0.copy_from_slice(attended);
        }
    }

    fn rotate_all(&self, token: usize, heads: &mut [f32]) {
        let width = self.config.head_width;
        let turn = self.turns.chunks_exact(width).nth(token);
        for head in heads.chunks_exact_mut(width) {
            rotate(turn.unwrap_or_default(), head);
        }
    }
}
