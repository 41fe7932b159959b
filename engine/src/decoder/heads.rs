//! Attention of a chunk of tokens: keys and values into the cache, then every query against it.

use kernels::{
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
        let isa = crew.isa;
        let group_len = self.config.width / self.config.kv_heads;
        let groups = if self.tokens < TILE {
            1
        } else {
            self.config.kv_heads
        };
        crew.pool.for_chunks(out, groups * group_len, |chunk, out| {
            for (group, out) in out.chunks_mut(group_len).enumerate() {
                let group = chunk * groups + group;
                self.attend_group(isa, group, cache, out);
            }
        });
    }

    /// The query heads of one token that share a key-value head.
    fn attend_group(&self, isa: kernels::Isa, group: usize, cache: &[f32], out: &mut [f32]) {
        let (width, kv_heads) = (self.config.head_width, self.config.kv_heads);
        let (token, head) = (group / kv_heads, group % kv_heads);
        let mut pages = cache.chunks(cache.len() / kv_heads);
        let cache = HeadCache {
            pages: pages.nth(head).unwrap_or_default(),
            positions: self.first + token + 1,
            width,
        };
        let first_column = head * out.len();
        for (index, out) in out.chunks_mut(GROUP * width).enumerate() {
            let mut queries = [0.0; GROUP * MAX_HEAD_WIDTH];
            let queries = queries.split_at_mut(out.len()).0;
            self.qkv
                .read(token, first_column + index * GROUP * width, queries);
            self.rotate_all(token, queries);
            attend(isa, queries, cache, out);
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
