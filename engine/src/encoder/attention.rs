//! Attention without a direction: each token sees all tokens of its text.

use std::ops::Range;

use kernels::{
    Isa,
    attention::{GROUP, HeadCache, PAGE, WIDTH_STEP, append, attend, page_len},
    quantize::Source,
};
use zeroize::Zeroizing;

use super::EncoderConfig;
use crate::{decoder::crew::Crew, model::MAX_HEAD_WIDTH};

/// One text: its rows, and the pages of its keys and values.
pub(super) struct Span {
    pub(super) rows: Range<usize>,
    pages: Vec<u32>,
}

impl Span {
    pub(super) fn all(texts: &[&[u32]]) -> Vec<Self> {
        let (mut row, mut page) = (0, 0);
        let span = |text: &&[u32]| {
            let pages = u32::try_from(text.len().div_ceil(PAGE)).unwrap_or(u32::MAX);
            let span = Self {
                rows: row..row + text.len(),
                pages: (page..page + pages).collect(),
            };
            (row, page) = (span.rows.end, page + pages);
            span
        };
        texts.iter().map(span).collect()
    }
}

/// Queries, keys and values of all rows; keys and values in pages as well.
pub(super) struct Attention<'a> {
    config: &'a EncoderConfig,
    qkv: Source<'a>,
    spans: &'a [Span],
    /// `[page][head]`.
    pages: Zeroizing<Vec<f32>>,
}

/// Up to [`GROUP`] rows of one text: they share each load of keys and values, as heads of a group do in a decoder.
struct Unit<'a> {
    span: &'a Span,
    row: usize,
    /// `[row][head][column]`.
    out: &'a mut [f32],
}

impl<'a> Attention<'a> {
    pub(super) fn new(config: &'a EncoderConfig, qkv: Source<'a>, spans: &'a [Span]) -> Self {
        let count: usize = spans.iter().map(|span| span.pages.len()).sum();
        let mut attention = Self {
            config,
            qkv,
            spans,
            pages: Zeroizing::new(vec![0.0; count * config.heads * page_len(padded(config))]),
        };
        attention.append();
        attention
    }

    /// Writes keys and values of all rows.
    fn append(&mut self) {
        let head_len = page_len(padded(self.config));
        let mut pages = self.pages.chunks_exact_mut(head_len * self.config.heads);
        for span in self.spans {
            for first in span.rows.clone().step_by(PAGE) {
                let rows = first..span.rows.end.min(first + PAGE);
                let page = pages.next().unwrap_or_default();
                for (head, page) in page.chunks_exact_mut(head_len).enumerate() {
                    append_page(self.config, self.qkv, (rows.clone(), head), page);
                }
            }
        }
    }

    /// Attends with all queries; `out` is `[row][head][column]`.
    pub(super) fn attend(&self, crew: &mut Crew, mut out: &mut [f32]) {
        let (isa, width, mut units) = (crew.isa, self.config.width, Vec::new());
        for span in self.spans {
            let (own, later) = out.split_at_mut(span.rows.len() * width);
            out = later;
            let groups = own.chunks_mut(GROUP * width).enumerate();
            units.extend(groups.map(|(index, out)| Unit {
                span,
                row: span.rows.start + index * GROUP,
                out,
            }));
        }
        crew.pool.for_chunks(&mut units, 1, |_, units| {
            units
                .iter_mut()
                .for_each(|unit| self.attend_unit(isa, unit));
        });
    }

    fn attend_unit(&self, isa: Isa, unit: &mut Unit<'_>) {
        let (width, padded) = (self.config.head_width(), padded(self.config));
        let rows = unit.out.len() / self.config.width;
        let (mut queries, mut attended) =
            ([0.0; GROUP * MAX_HEAD_WIDTH], [0.0; GROUP * MAX_HEAD_WIDTH]);
        let queries = queries.split_at_mut(rows * padded).0;
        let attended = attended.split_at_mut(rows * padded).0;
        for head in 0..self.config.heads {
            for (index, query) in queries.chunks_exact_mut(padded).enumerate() {
                self.read_query(unit.row + index, head, query);
            }
            attend(isa, 1, queries, self.cache(unit.span, head), attended);
            let outs = unit.out.chunks_exact_mut(self.config.width);
            for (out, attended) in outs.zip(attended.chunks_exact(padded)) {
                let out = out.chunks_exact_mut(width).nth(head).unwrap_or_default();
                out.copy_from_slice(attended.split_at(width).0);
            }
        }
    }

    /// A query, scaled so that attention, which divides by the root of the padded width, divides by that of the head's.
    fn read_query(&self, row: usize, head: usize, query: &mut [f32]) {
        let (width, padded) = (self.config.head_width(), query.len());
        let query = query.split_at_mut(width).0;
        self.qkv.read(row, head * width, query);
        let scale = (padded as f32 / width as f32).sqrt();
        query.iter_mut().for_each(|x| *x *= scale);
    }

    fn cache<'c>(&'c self, span: &'c Span, head: usize) -> HeadCache<'c> {
        HeadCache {
            pool: &self.pages,
            heads: self.config.heads,
            head,
            pages: &span.pages,
            positions: span.rows.len(),
            window: usize::MAX,
            width: padded(self.config),
        }
    }
}

/// Writes one head's keys and values of up to [`PAGE`] rows.
fn append_page(
    config: &EncoderConfig,
    qkv: Source<'_>,
    (rows, head): (Range<usize>, usize),
    page: &mut [f32],
) {
    let (width, padded) = (config.head_width(), padded(config));
    let (mut key, mut value) = ([0.0; MAX_HEAD_WIDTH], [0.0; MAX_HEAD_WIDTH]);
    let keys = config.width + head * width;
    for (place, row) in rows.enumerate() {
        qkv.read(row, keys, key.split_at_mut(width).0);
        qkv.read(row, keys + config.width, value.split_at_mut(width).0);
        append(
            page,
            place,
            key.split_at(padded).0,
            value.split_at(padded).0,
        );
    }
}

/// Width of a head in pages: columns beyond its own are zero.
fn padded(config: &EncoderConfig) -> usize {
    config.head_width().next_multiple_of(WIDTH_STEP)
}
