//! Heads on their way into pages, and attention over them.

use kernels::{
    Isa,
    attention::{HeadCache, append, attend, page_len},
    rms_norm::{Norm, normalize},
    rope::{Frequencies, rotate, rotate_halves},
};

use super::{Answers, SelfTestError, bench::Bench, noise::Noise};
use crate::{
    Device, DeviceError, HeadShape,
    operations::{Attend, PADDING, Turn},
};

const HEADS: usize = 4;
const KV_HEADS: usize = 2;
const WIDTH: usize = 48;
const PADDED: usize = 64;
const QKV: usize = (HEADS + 2 * KV_HEADS) * WIDTH;
const PAGES: usize = 8;
/// Of each of two sequences.
const TABLE: [[u32; 3]; 2] = [[5, 0, 3], [2, 7, 0]];
/// Rows of each; then one that fills up.
const LENGTHS: [usize; 2] = [35, 18];
const ROWS: usize = LENGTHS[0] + LENGTHS[1] + 1;
const EPSILON: f32 = 1e-6;
const SCALE: f32 = 1.154_700_5;

/// What models differ in.
#[derive(Clone, Copy)]
struct Kind {
    name: &'static str,
    halves: bool,
    /// With biases.
    biased: bool,
    /// With heads that are normalised, and a scale.
    normed: bool,
    window: usize,
}

const KINDS: [Kind; 3] = [
    Kind {
        name: "neighbours",
        halves: false,
        biased: false,
        normed: false,
        window: usize::MAX,
    },
    Kind {
        name: "halves, bias",
        halves: true,
        biased: true,
        normed: false,
        window: usize::MAX,
    },
    Kind {
        name: "halves, norms, window",
        halves: true,
        biased: false,
        normed: true,
        window: 9,
    },
];

pub(super) fn test<D: Device>(
    bench: &mut Bench<D>,
    answers: &mut Answers,
) -> Result<(), SelfTestError> {
    for kind in KINDS {
        let case = Case::new(kind);
        let (cache, attended) = case.on_device(bench)?;
        let (expected_cache, expected) = case.on_cpu(bench.isa);
        answers.take(
            &format!("exact_turn {}", kind.name),
            &cache,
            &expected_cache,
        )?;
        answers.take(&format!("exact_attend {}", kind.name), &attended, &expected)?;
    }
    Ok(())
}

struct Case {
    kind: Kind,
    qkv: Vec<f32>,
    bias: Vec<f32>,
    /// Of queries, of keys.
    norms: [Vec<f32>; 2],
    /// `[position][pair][cos, sin]`.
    turns: Vec<f32>,
}

impl Case {
    fn new(kind: Kind) -> Self {
        let mut noise = Noise::new(201);
        let frequencies = Frequencies::new(10_000.0, WIDTH);
        let mut turns = vec![0.0; LENGTHS[0] * WIDTH];
        for (position, turn) in turns.chunks_exact_mut(WIDTH).enumerate() {
            frequencies.turn(position, turn);
        }
        Self {
            kind,
            qkv: noise.floats(ROWS * QKV),
            bias: noise.floats(QKV),
            norms: [noise.floats(WIDTH), noise.floats(WIDTH)],
            turns,
        }
    }

    /// Sequence and position of each row but the last.
    fn rows() -> impl Iterator<Item = (usize, usize)> {
        let lengths = LENGTHS.into_iter().enumerate();
        lengths.flat_map(|(sequence, length)| (0..length).map(move |at| (sequence, at)))
    }

    fn shape(&self) -> HeadShape {
        HeadShape {
            heads: HEADS as u32,
            kv_heads: KV_HEADS as u32,
            width: WIDTH as u32,
            padded_width: PADDED as u32,
            pages_per_sequence: TABLE[0].len() as u32,
            halves: u32::from(self.kind.halves),
            query_scale: self.scale(),
            epsilon: EPSILON,
        }
    }

    fn scale(&self) -> f32 {
        if self.kind.normed { SCALE } else { 1.0 }
    }

    /// Pages, and what attention gives.
    fn on_device<D: Device>(
        &self,
        bench: &mut Bench<D>,
    ) -> Result<(Vec<f32>, Vec<f32>), DeviceError> {
        let turn = self.turn(bench)?;
        let attend = Attend {
            queries: turn.queries,
            cache: turn.cache,
            positions: turn.positions,
            sequences: turn.sequences,
            pages: turn.pages,
            out: bench.arena.words(ROWS * HEADS * WIDTH)?,
            shape: turn.shape,
            window: self.kind.window,
            rows: ROWS,
        };
        bench.run(&[turn.launch(), attend.launch()])?;
        let cache = bench.floats(turn.cache, PAGES * KV_HEADS * page_len(PADDED))?;
        Ok((cache, bench.floats(attend.out, ROWS * HEADS * WIDTH)?))
    }

    fn turn<D: Device>(&self, bench: &mut Bench<D>) -> Result<Turn, DeviceError> {
        let arena = &mut bench.arena;
        let positions: Vec<u32> = Self::rows().map(|(_, at)| at as u32).chain([0]).collect();
        let sequences = Self::rows().map(|(sequence, _)| sequence as u32);
        let sequences: Vec<u32> = sequences.chain([PADDING]).collect();
        let [query_norm, key_norm] = &self.norms;
        Ok(Turn {
            qkv: arena.floats(&self.qkv)?,
            positions: arena.numbers(&positions)?,
            sequences: arena.numbers(&sequences)?,
            pages: arena.numbers(TABLE.as_flattened())?,
            turns: arena.floats(&self.turns)?,
            bias: match self.kind.biased {
                true => Some(arena.floats(&self.bias)?),
                false => None,
            },
            norms: match self.kind.normed {
                true => Some([arena.floats(query_norm)?, arena.floats(key_norm)?]),
                false => None,
            },
            queries: arena.words(ROWS * HEADS * PADDED)?,
            cache: arena.words(PAGES * KV_HEADS * page_len(PADDED))?,
            shape: self.shape(),
            rows: ROWS,
        })
    }

    fn on_cpu(&self, isa: Isa) -> (Vec<f32>, Vec<f32>) {
        let mut cache = vec![0.0; PAGES * KV_HEADS * page_len(PADDED)];
        for (row, (sequence, position)) in Self::rows().enumerate() {
            for head in 0..KV_HEADS {
                self.append(isa, (row, head), (sequence, position), &mut cache);
            }
        }
        let mut attended = Vec::with_capacity(ROWS * HEADS * WIDTH);
        for (row, (sequence, position)) in Self::rows().enumerate() {
            for head in 0..HEADS {
                let query = self.head(isa, (row, head, position), Some(0), self.scale());
                attended.extend(self.attend(isa, &query, (sequence, position, head), &cache));
            }
        }
        // Who is of no sequence attends to nothing.
        attended.resize(ROWS * HEADS * WIDTH, 0.0);
        (cache, attended)
    }

    /// One head of a row; `norm`: which it has if it is turned.
    fn head(
        &self,
        isa: Isa,
        (row, head, position): (usize, usize, usize),
        norm: Option<usize>,
        scale: f32,
    ) -> [f32; PADDED] {
        let mut out = [0.0; PADDED];
        let columns = out.split_at_mut(WIDTH).0;
        let values = self.qkv.iter().skip(row * QKV + head * WIDTH);
        let bias = self.bias.iter().skip(head * WIDTH);
        for ((column, value), bias) in columns.iter_mut().zip(values).zip(bias) {
            *column = if self.kind.biased {
                value + bias
            } else {
                *value
            };
        }
        let Some(norm) = norm else {
            return out;
        };
        if let (true, Some(weights)) = (self.kind.normed, self.norms.get(norm)) {
            let epsilon = EPSILON;
            normalize(isa, Norm { weights, epsilon }, columns);
        }
        let mut turns = self.turns.chunks_exact(WIDTH);
        let turn = turns.nth(position).unwrap_or_default();
        let rotate = if self.kind.halves {
            rotate_halves
        } else {
            rotate
        };
        rotate(turn, columns);
        if scale != 1.0 {
            columns.iter_mut().for_each(|column| *column *= scale);
        }
        out
    }

    fn append(
        &self,
        isa: Isa,
        (row, head): (usize, usize),
        (sequence, position): (usize, usize),
        cache: &mut [f32],
    ) {
        let key = self.head(isa, (row, HEADS + head, position), Some(1), 1.0);
        let value = self.head(isa, (row, HEADS + KV_HEADS + head, position), None, 1.0);
        let pages = TABLE.get(sequence).map_or(&[][..], |pages| pages);
        let page = pages.get(position / 16).copied().unwrap_or_default() as usize;
        let mut parts = cache.chunks_exact_mut(page_len(PADDED));
        if let Some(part) = parts.nth(page * KV_HEADS + head) {
            append(part, position % 16, &key, &value);
        }
    }

    fn attend(
        &self,
        isa: Isa,
        query: &[f32; PADDED],
        (sequence, position, head): (usize, usize, usize),
        cache: &[f32],
    ) -> impl Iterator<Item = f32> {
        let heads = HeadCache {
            pool: cache,
            heads: KV_HEADS,
            head: head / (HEADS / KV_HEADS),
            pages: TABLE.get(sequence).map_or(&[][..], |pages| pages),
            positions: position + 1,
            window: self.kind.window,
            width: PADDED,
        };
        let mut out = [0.0; PADDED];
        attend(isa, 1, query, heads, &mut out);
        out.into_iter().take(WIDTH)
    }
}
