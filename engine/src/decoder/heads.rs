//! Attention of a step's rows: keys and values into their pages, then every query against its sequence's pages.

use std::ops::Range;

use kernels::{
    Isa,
    attention::{GROUP, HeadCache, append, attend, page_len},
    quantize::{Source, TILE},
};

use super::{
    batch::{Batch, PageRows, SequenceRows},
    crew::Crew,
    head::HeadSteps,
};
use crate::model::{MAX_HEAD_WIDTH, ModelConfig};

/// Queries, keys and values of a step's rows.
pub(super) struct Heads<'a> {
    pub(super) config: &'a ModelConfig,
    /// Columns: queries, keys, values.
    pub(super) qkv: Source<'a>,
    /// Cosines and sines, `[row][pair][cos, sin]`.
    pub(super) turns: &'a [f32],
    pub(super) batch: &'a Batch<'a>,
    /// How many positions a token attends to at most; `usize::MAX`: all.
    pub(super) window: usize,
    pub(super) queries: HeadSteps<'a>,
    pub(super) keys: HeadSteps<'a>,
}

/// Some heads of some rows of one sequence, and where what they attend to goes.
struct Unit<'a> {
    sequence: &'a SequenceRows<'a>,
    /// First of the rows, counted within the sequence.
    row: usize,
    kv_heads: Range<usize>,
    /// Begins with the first of the heads; rows are as far apart as all heads are wide.
    out: &'a mut [f32],
}

impl Heads<'_> {
    /// Writes keys and values of all rows; `layer` has all pages of one layer.
    pub(super) fn append(&self, crew: &mut Crew, layer: &mut [f32]) {
        let (mut pages, mut next) = (layer.chunks_exact_mut(self.page_len()), 0);
        let page_of = |rows: &PageRows| {
            let page = pages.nth(rows.page - next)?;
            next = rows.page + 1;
            Some((*rows, page))
        };
        let mut writes: Vec<_> = self.batch.writes.iter().map_while(page_of).collect();
        assert_eq!(writes.len(), self.batch.writes.len(), "a page of its own");
        if self.batch.rows < TILE {
            writes.iter_mut().for_each(|write| self.append_page(write));
        } else {
            let write = |_, writes: &mut [_]| writes.iter_mut().for_each(|w| self.append_page(w));
            crew.pool.for_chunks(&mut writes, 1, write);
        }
    }

    fn append_page(&self, (rows, page): &mut (PageRows, &mut [f32])) {
        let width = self.config.padded_head_width();
        for (head, page) in page.chunks_exact_mut(page_len(width)).enumerate() {
            for row in 0..rows.rows {
                self.append_row(rows.first_row + row, head, (page, rows.place + row));
            }
        }
    }

    fn append_row(&self, row: usize, head: usize, (page, place): (&mut [f32], usize)) {
        let (width, padded) = (self.config.head_width, self.config.padded_head_width());
        let (mut key, mut value) = ([0.0; MAX_HEAD_WIDTH], [0.0; MAX_HEAD_WIDTH]);
        let (key, value) = (key.split_at_mut(padded).0, value.split_at_mut(padded).0);
        let keys = self.config.query_width() + head * width;
        let values = keys + self.config.kv_width();
        self.keys
            .read_turned(self.qkv, (row, self.turn(row)), keys, key);
        self.keys.read(self.qkv, row, values, value);
        append(page, place, key, value);
    }

    /// Attends with all queries; `out` is `[row][head][column]`.
    pub(super) fn attend(&self, crew: &mut Crew, layer: &[f32], out: &mut [f32]) {
        let (isa, mut units) = (crew.isa, self.units(out));
        crew.pool.for_chunks(&mut units, 1, |_, units| {
            units
                .iter_mut()
                .for_each(|unit| self.attend_unit(isa, layer, unit));
        });
    }

    /// Units of work: few rows head by head, many in tiles of rows that share each load of keys and values.
    fn units<'u>(&'u self, mut out: &'u mut [f32]) -> Vec<Unit<'u>> {
        let (width, kv_heads) = (self.config.query_width(), self.config.kv_heads);
        let mut units = Vec::new();
        for sequence in &self.batch.sequences {
            let (own, later) = out.split_at_mut(sequence.rows * width);
            out = later;
            let few = sequence.rows < TILE;
            let chunk = if few { width / kv_heads } else { TILE * width };
            units.extend(own.chunks_mut(chunk).enumerate().map(|(index, out)| {
                let (row, kv_heads) = match few {
                    true => (index / kv_heads, index % kv_heads..index % kv_heads + 1),
                    false => (index * TILE, 0..kv_heads),
                };
                Unit {
                    sequence,
                    row,
                    kv_heads,
                    out,
                }
            }));
        }
        units
    }

    fn attend_unit(&self, isa: Isa, layer: &[f32], unit: &mut Unit<'_>) {
        let shared = self.config.heads / self.config.kv_heads;
        for (index, head) in unit.kv_heads.clone().enumerate() {
            let cache = HeadCache {
                pool: layer,
                heads: self.config.kv_heads,
                head,
                pages: unit.sequence.pages,
                positions: unit.sequence.first_position + unit.row + 1,
                window: self.window,
                width: self.config.padded_head_width(),
            };
            let first = index * shared * self.config.head_width;
            let out = unit.out.split_at_mut(first).1;
            self.attend_shared(isa, unit.sequence.first_row + unit.row, cache, out);
        }
    }

    /// The query heads that share a key-value head, for as many rows as `out` has.
    fn attend_shared(&self, isa: Isa, row: usize, cache: HeadCache<'_>, out: &mut [f32]) {
        let width = self.config.head_width;
        let shared = self.config.heads / self.config.kv_heads;
        for head in (0..shared).step_by(GROUP) {
            let heads = GROUP.min(shared - head);
            let first_column = (cache.head * shared + head) * width;
            let out = out.split_at_mut(head * width).1;
            self.attend_group(isa, (row, first_column), cache, (heads, out));
        }
    }

    /// So many of those heads, from `first_column` of each row on.
    fn attend_group(
        &self,
        isa: Isa,
        (row, first_column): (usize, usize),
        cache: HeadCache<'_>,
        (heads, out): (usize, &mut [f32]),
    ) {
        let (width, padded) = (self.config.head_width, self.config.padded_head_width());
        let rows = out.chunks_mut(self.config.query_width());
        let (tokens, group) = (rows.len(), heads * padded);
        let mut queries = [0.0; TILE * GROUP * MAX_HEAD_WIDTH];
        let mut attended = [0.0; TILE * GROUP * MAX_HEAD_WIDTH];
        let queries = queries.split_at_mut(tokens * group).0;
        let attended = attended.split_at_mut(tokens * group).0;
        for (index, queries) in queries.chunks_exact_mut(group).enumerate() {
            let turned = (row + index, self.turn(row + index));
            for (head, query) in queries.chunks_exact_mut(padded).enumerate() {
                let column = first_column + head * width;
                self.queries.read_turned(self.qkv, turned, column, query);
            }
        }
        attend(isa, tokens, queries, cache, attended);
        for (row, attended) in rows.zip(attended.chunks_exact(group)) {
            let heads = row.chunks_exact_mut(width);
            for (head, attended) in heads.zip(attended.chunks_exact(padded)) {
                head.copy_from_slice(attended.split_at(width).0);
            }
        }
    }

    /// Cosines and sines of a row's position.
    fn turn(&self, row: usize) -> &[f32] {
        let mut turns = self.turns.chunks_exact(self.config.head_width);
        turns.nth(row).unwrap_or_default()
    }

    /// Length of a layer's part of a page.
    fn page_len(&self) -> usize {
        self.config.kv_heads * page_len(self.config.padded_head_width())
    }
}
