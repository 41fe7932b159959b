//! Heads on their way into bf16 pages, and fast attention over them.

use kernels::rope::Frequencies;

use super::{Answers, SelfTestError, bench::Bench, fast::normalized, noise::Noise};
use crate::{
    Device, DeviceError, HeadShape, Memory,
    fast::{FastAttend, FastAttendParts, FastHeads, FastTurn, Parts},
    operations::Turn,
    weights::turns,
};

const HEADS: usize = 4;
const KV_HEADS: usize = 2;
const ALL_HEADS: usize = HEADS + 2 * KV_HEADS;
/// Of two sequences: more than a part, and no whole page.
const LENGTHS: [usize; 2] = [261, 18];
const ROWS: usize = LENGTHS[0] + LENGTHS[1];
/// Pages of each, of which the second sequence has none it does not need.
const PAGES_PER_SEQUENCE: usize = 17;
const PAGES: usize = 19;
const EPSILON: f32 = 1e-6;
/// What bf16 rounds off of queries, keys, values, weights and the result.
const TOLERANCE: f32 = 1.0 / 64.0;

/// What models differ in.
#[derive(Clone, Copy)]
struct Kind {
    width: usize,
    halves: bool,
    /// With biases and normalised heads.
    dressed: bool,
    window: usize,
}

const KINDS: [Kind; 3] = [
    Kind {
        width: 64,
        halves: false,
        dressed: false,
        window: usize::MAX,
    },
    Kind {
        width: 128,
        halves: true,
        dressed: true,
        window: usize::MAX,
    },
    Kind {
        width: 64,
        halves: true,
        dressed: true,
        window: 20,
    },
];

pub(super) fn test<D: Device>(
    bench: &mut Bench<D>,
    answers: &mut Answers,
) -> Result<(), SelfTestError> {
    KINDS.iter().try_for_each(|kind| {
        let case = Case::new(bench, *kind)?;
        case.test(bench, answers)
    })
}

/// Rows of a step, and where they are.
struct Case {
    kind: Kind,
    qkv: Vec<f32>,
    bias: Vec<f32>,
    /// Of queries, of keys.
    norms: [Vec<f32>; 2],
    turns: Vec<f32>,
    table: Vec<u32>,
    turn: Turn,
}

/// Where each row is: its sequence and its position.
fn rows() -> impl Iterator<Item = (usize, usize)> {
    let sequences = LENGTHS.into_iter().enumerate();
    sequences.flat_map(|(sequence, length)| (0..length).map(move |at| (sequence, at)))
}

/// Numbers as kernels take them.
fn numbers(values: impl Iterator<Item = usize>) -> Vec<u32> {
    values
        .map(|value| u32::try_from(value).unwrap_or(u32::MAX))
        .collect()
}

impl Case {
    fn new<D: Device>(bench: &mut Bench<D>, kind: Kind) -> Result<Self, DeviceError> {
        let (mut noise, width) = (Noise::new(501), kind.width);
        let qkv = noise.floats(ROWS * ALL_HEADS * width);
        let bias = noise.floats(ALL_HEADS * width);
        let norms = [noise.floats(width), noise.floats(width)];
        let turns = turns(&Frequencies::new(10_000.0, width), width, LENGTHS[0]);
        let table = numbers((0..2 * PAGES_PER_SEQUENCE).map(|page| (page * 7 + 3) % PAGES));
        let arena = &mut bench.arena;
        let turn = Turn {
            qkv: arena.floats(&qkv)?,
            positions: arena.numbers(&numbers(rows().map(|(_, position)| position)))?,
            sequences: arena.numbers(&numbers(rows().map(|(sequence, _)| sequence)))?,
            pages: arena.numbers(&table)?,
            turns: arena.floats(&turns)?,
            bias: kind.dressed.then(|| arena.floats(&bias)).transpose()?,
            norms: match kind.dressed {
                true => Some([arena.floats(&norms[0])?, arena.floats(&norms[1])?]),
                false => None,
            },
            queries: arena.words(ROWS * HEADS * width / 2)?,
            cache: arena.words(PAGES * KV_HEADS * 16 * width)?,
            shape: shape(kind),
            rows: ROWS,
        };
        Ok(Self {
            kind,
            qkv,
            bias,
            norms,
            turns,
            table,
            turn,
        })
    }

    fn test<D: Device>(
        &self,
        bench: &mut Bench<D>,
        answers: &mut Answers,
    ) -> Result<(), SelfTestError> {
        let width = self.kind.width;
        bench.run(&[FastTurn(self.turn).launch()])?;
        let queries = bench.halves(self.turn.queries, ROWS * HEADS * width)?;
        let cache = bench.halves(self.turn.cache, PAGES * KV_HEADS * 32 * width)?;
        let name = |entry: &str| format!("{entry} {width} {}", self.kind.window);
        let of_heads = |heads: std::ops::Range<usize>| -> Vec<f32> {
            let rows = (0..ROWS).flat_map(|row| heads.clone().map(move |head| (row, head)));
            rows.flat_map(|(row, head)| self.head(row, head)).collect()
        };
        answers.take_near(&name("fast_turn"), &queries, &of_heads(0..HEADS), TOLERANCE)?;
        let cached: Vec<f32> = self.cached(&cache).collect();
        let expected = of_heads(HEADS..ALL_HEADS);
        answers.take_near(&name("fast_turn to pages"), &cached, &expected, TOLERANCE)?;
        let attended = self.attended(&queries, &cached);
        let all = self.attend(bench)?;
        answers.take_near(&name("fast_attend"), &all, &attended, TOLERANCE)?;
        let last = |values: &[f32]| -> Vec<f32> {
            let mut rows = values.chunks_exact(HEADS * width);
            let first = rows.nth(LENGTHS[0] - 1).into_iter();
            first.chain(rows.next_back()).flatten().copied().collect()
        };
        let singles = last(&self.attend_parts(bench)?);
        answers.take_near(
            &name("fast_attend_parts"),
            &singles,
            &last(&attended),
            TOLERANCE,
        )
    }

    /// One head of a row: bias, normalisation and rotation, as far as it has any.
    fn head(&self, row: usize, head: usize) -> Vec<f32> {
        let width = self.kind.width;
        let heads = |values: &[f32], index| -> Vec<f32> {
            let values = values.chunks_exact(width).nth(index);
            values.unwrap_or_default().to_vec()
        };
        let mut values = heads(&self.qkv, row * ALL_HEADS + head);
        let norm = match head {
            0..HEADS => self.norms.first(),
            head if head < HEADS + KV_HEADS => self.norms.last(),
            _ => None,
        };
        if self.kind.dressed {
            let bias = heads(&self.bias, head);
            values.iter_mut().zip(bias).for_each(|(v, bias)| *v += bias);
            values = match norm {
                Some(weights) => normalized(&values, weights, EPSILON),
                None => values,
            };
        }
        let position = rows().nth(row).map_or(0, |(_, position)| position);
        match norm {
            Some(_) => self.turned(&values, &heads(&self.turns, position)),
            None => values,
        }
    }

    fn turned(&self, values: &[f32], turns: &[f32]) -> Vec<f32> {
        let half = self.kind.width / 2;
        let at = |index: usize| values.get(index).copied().unwrap_or_default();
        let place = |column: usize| match self.kind.halves {
            true => (column % half, column < half),
            false => (column / 2, column.is_multiple_of(2)),
        };
        let partner = |pair: usize| match self.kind.halves {
            true => (at(pair), at(pair + half)),
            false => (at(2 * pair), at(2 * pair + 1)),
        };
        let turned = |column| {
            let (pair, is_first) = place(column);
            let (x, y) = partner(pair);
            let turn = turns.as_chunks::<2>().0.get(pair);
            let [cosine, sine] = turn.copied().unwrap_or_default();
            match is_first {
                true => x * cosine - y * sine,
                false => x * sine + y * cosine,
            }
        };
        (0..self.kind.width).map(turned).collect()
    }

    /// `[row][keys, values]` out of the pages.
    fn cached(&self, cache: &[f32]) -> impl Iterator<Item = f32> {
        let width = self.kind.width;
        let row_of = move |(sequence, position): (usize, usize), part: usize, head: usize| {
            let page = self
                .table
                .get(sequence * PAGES_PER_SEQUENCE + position / 16);
            let page = page.map_or(0, |page| *page as usize);
            ((page * KV_HEADS + head) * 2 + part) * 16 + position % 16
        };
        let all = rows().flat_map(move |at| {
            let heads = (0..2 * KV_HEADS).map(move |head| (head / KV_HEADS, head % KV_HEADS));
            heads.map(move |(part, head)| row_of(at, part, head))
        });
        let values: Vec<f32> = all
            .flat_map(|row| cache.chunks_exact(width).nth(row).unwrap_or_default())
            .copied()
            .collect();
        values.into_iter()
    }

    /// `[row][head][width]`, of queries, keys and values as the device has them.
    fn attended(&self, queries: &[f32], cached: &[f32]) -> Vec<f32> {
        let width = self.kind.width;
        let queries = queries.chunks_exact(width);
        let places = (0..ROWS).flat_map(|row| (0..HEADS).map(move |head| (row, head)));
        let one = |((row, head), query)| self.attend_one((row, head), query, cached);
        places.zip(queries).flat_map(one).collect()
    }

    fn attend_one(&self, (row, head): (usize, usize), query: &[f32], cached: &[f32]) -> Vec<f32> {
        let width = self.kind.width;
        let position = rows().nth(row).map_or(0, |(_, position)| position);
        let attended = (position + 1).min(self.kind.window);
        let own = head / (HEADS / KV_HEADS);
        let heads: Vec<&[f32]> = cached.chunks_exact(width).collect();
        let rows = heads.chunks_exact(2 * KV_HEADS);
        let rows = rows.skip(row + 1 - attended).take(attended);
        let (mut total, mut sums) = (0.0, vec![0.0; width]);
        for row in rows {
            let part = |index: usize| row.get(index).copied().unwrap_or_default();
            let score: f32 = query.iter().zip(part(own)).map(|(q, k)| q * k).sum();
            let weight = (f64::from(score) / (width as f64).sqrt()).exp();
            total += weight;
            let values = part(KV_HEADS + own).iter();
            let places = sums.iter_mut().zip(values);
            places.for_each(|(sum, value)| *sum += weight * f64::from(*value));
        }
        sums.into_iter().map(|sum| (sum / total) as f32).collect()
    }

    fn heads<D: Device>(&self, bench: &mut Bench<D>) -> Result<FastHeads, DeviceError> {
        Ok(FastHeads {
            queries: self.turn.queries,
            cache: self.turn.cache,
            pages: self.turn.pages,
            out: bench.arena.words(ROWS * HEADS * self.kind.width / 2)?,
            shape: self.turn.shape,
            window: self.kind.window,
            rows: ROWS,
        })
    }

    /// Both sequences at once.
    fn attend<D: Device>(&self, bench: &mut Bench<D>) -> Result<Vec<f32>, DeviceError> {
        let heads = self.heads(bench)?;
        let spans = [[0, LENGTHS[0], 0, 0], [LENGTHS[0], LENGTHS[1], 0, 1]];
        let attend = FastAttend {
            heads,
            spans: spans_memory(bench, spans)?,
            count: spans.len(),
            longest: LENGTHS[0],
        };
        bench.run(&[attend.launch()])?;
        bench.halves(heads.out, ROWS * HEADS * self.kind.width)
    }

    /// The last token of each.
    fn attend_parts<D: Device>(&self, bench: &mut Bench<D>) -> Result<Vec<f32>, DeviceError> {
        let heads = self.heads(bench)?;
        let spans = [
            [LENGTHS[0] - 1, 1, LENGTHS[0] - 1, 0],
            [ROWS - 1, 1, LENGTHS[1] - 1, 1],
        ];
        let room = [ROWS, HEADS, self.kind.width];
        let attend = FastAttendParts {
            heads,
            spans: spans_memory(bench, spans)?,
            count: spans.len(),
            parts: Parts::new(&mut bench.arena, room, LENGTHS[0])?,
        };
        bench.run(&attend.launches())?;
        bench.halves(heads.out, ROWS * HEADS * self.kind.width)
    }
}

fn spans_memory<D: Device>(
    bench: &mut Bench<D>,
    spans: [[usize; 4]; 2],
) -> Result<Memory, DeviceError> {
    bench.arena.numbers(&numbers(spans.into_iter().flatten()))
}

fn shape(kind: Kind) -> HeadShape {
    let [heads, kv_heads, width, pages_per_sequence] =
        [HEADS, KV_HEADS, kind.width, PAGES_PER_SEQUENCE].map(|number| number as u32);
    HeadShape {
        heads,
        kv_heads,
        width,
        padded_width: width,
        pages_per_sequence,
        halves: u32::from(kind.halves),
        query_scale: 1.0,
        epsilon: EPSILON,
    }
}
