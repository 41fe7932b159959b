//! `exact_turn` against bias, normalisation, rotation and pages of the CPU.

use kernels::{
    Isa,
    attention::{PAGE, append, page_len},
    rms_norm::{Norm, normalize},
    rope::{Frequencies, rotate, rotate_halves},
};

use crate::{
    cuda_cpu::{Arguments, Memory, in_both_orders},
    launch::{launch, memory_or_null},
    weights::{FAULTS, bits_of_numbers, floats},
};

/// As the entry points take it.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(crate) struct HeadShape {
    pub(crate) heads: u32,
    pub(crate) kv_heads: u32,
    pub(crate) width: u32,
    pub(crate) padded_width: u32,
    pub(crate) pages_per_sequence: u32,
    pub(crate) halves: u32,
    pub(crate) query_scale: f32,
    pub(crate) epsilon: f32,
}

/// What rows have no sequence.
pub(crate) const NO_SEQUENCE: u32 = u32::MAX;

const POSITIONS: [u32; 4] = [35, 0, 9, 16];
const SEQUENCES: [u32; 4] = [1, 0, NO_SEQUENCE, 1];
/// Three of each of two sequences.
const PAGES: [u32; 6] = [4, 0, 6, 2, 5, 1];
const POOL_PAGES: usize = 7;

struct Case {
    shape: HeadShape,
    qkv: Vec<f32>,
    turns: Vec<f32>,
    bias: Option<Vec<f32>>,
    norms: Option<[Vec<f32>; 2]>,
}

impl Case {
    fn new(shape: HeadShape, has_bias: bool, has_norms: bool) -> Self {
        let width = shape.width as usize;
        let columns = (shape.heads + 2 * shape.kv_heads) as usize * width;
        let frequencies = Frequencies::new(10_000.0, width);
        let mut turns = vec![0.0; 48 * width];
        for (position, turn) in turns.chunks_mut(width).enumerate() {
            frequencies.turn(position, turn);
        }
        Self {
            shape,
            qkv: floats(1, POSITIONS.len() * columns),
            turns,
            bias: has_bias.then(|| floats(2, columns)),
            norms: has_norms.then(|| [floats(3, width), floats(4, width)]),
        }
    }

    fn columns(&self) -> usize {
        self.qkv.len() / POSITIONS.len()
    }

    fn run(&self, queries: &[f32], cache: &[f32]) -> (Vec<u32>, Vec<u32>) {
        let [qkv, turns] = [&self.qkv, &self.turns].map(|values| Memory::of(values));
        let (positions, sequences) = (Memory::of(&POSITIONS), Memory::of(&SEQUENCES));
        let (pages, bias) = (Memory::of(&PAGES), self.bias.as_deref().map(Memory::of));
        let norms = self
            .norms
            .as_ref()
            .map(|norms| norms.each_ref().map(|norm| Memory::of(norm)));
        let [queries, cache] = [queries, cache].map(Memory::of);
        let arguments = Arguments::new()
            .memory(&qkv)
            .memory(&positions)
            .memory(&sequences)
            .memory(&pages)
            .memory(&turns);
        let arguments = memory_or_null(arguments, bias.as_ref());
        let arguments = memory_or_null(arguments, norms.as_ref().map(|[query, _]| query));
        let arguments = memory_or_null(arguments, norms.as_ref().map(|[_, key]| key))
            .memory(&queries)
            .memory(&cache)
            .value(self.shape);
        let heads = (self.shape.heads + 2 * self.shape.kv_heads) as usize;
        let threads = self.shape.padded_width as usize;
        launch("exact_turn", (POSITIONS.len(), heads), threads, arguments);
        (
            bits_of_numbers(&queries.read()),
            bits_of_numbers(&cache.read()),
        )
    }

    /// One head as it was multiplied, with its bias, zero beyond its width.
    fn head(&self, row: usize, index: usize) -> Vec<f32> {
        let width = self.shape.width as usize;
        let mut head = vec![0.0; self.shape.padded_width as usize];
        let columns = self.qkv.iter().skip(row * self.columns() + index * width);
        for (place, (value, value_at)) in head[..width].iter_mut().zip(columns.zip(index * width..))
        {
            *place = value + self.bias.as_ref().map_or(0.0, |bias| bias[value_at]);
        }
        head
    }

    fn turned(&self, row: usize, index: usize, norm: usize) -> Vec<f32> {
        let mut padded = self.head(row, index);
        let width = self.shape.width as usize;
        let head = &mut padded[..width];
        if let Some(norms) = &self.norms {
            let norm = Norm {
                weights: &norms[norm],
                epsilon: self.shape.epsilon,
            };
            normalize(Isa::scalar(), norm, head);
        }
        let turn = &self.turns[POSITIONS[row] as usize * width..][..width];
        match self.shape.halves {
            0 => rotate(turn, head),
            _ => rotate_halves(turn, head),
        }
        padded
    }

    fn expect_queries(&self, row: usize, queries: &mut [f32]) {
        let heads = queries.chunks_mut(self.shape.padded_width as usize);
        for (index, query) in heads.enumerate() {
            let turned = self.turned(row, index, 0);
            let scaled = turned.iter().map(|value| value * self.shape.query_scale);
            query
                .iter_mut()
                .zip(scaled)
                .for_each(|(q, value)| *q = value);
        }
    }

    fn expect_pages(&self, row: usize, cache: &mut [f32]) {
        let (heads, kv_heads) = (self.shape.heads as usize, self.shape.kv_heads as usize);
        let position = POSITIONS[row] as usize;
        let page = PAGES[3 * SEQUENCES[row] as usize + position / PAGE] as usize;
        let length = page_len(self.shape.padded_width as usize);
        for head in 0..kv_heads {
            let page = &mut cache[(page * kv_heads + head) * length..][..length];
            let (key, value) = (
                self.turned(row, heads + head, 1),
                self.head(row, heads + kv_heads + head),
            );
            append(page, position % PAGE, &key, &value);
        }
    }

    fn check(&self) {
        let (heads, kv_heads) = (self.shape.heads as usize, self.shape.kv_heads as usize);
        let padded = self.shape.padded_width as usize;
        let mut queries = vec![7.0; POSITIONS.len() * heads * padded];
        let mut cache = floats(5, POOL_PAGES * kv_heads * page_len(padded));
        let (queries_before, cache_before) = (queries.clone(), cache.clone());
        let rows = queries.chunks_mut(heads * padded).enumerate();
        for (row, queries) in rows.filter(|(row, _)| SEQUENCES[*row] != NO_SEQUENCE) {
            self.expect_queries(row, queries);
            self.expect_pages(row, &mut cache);
        }
        let got = in_both_orders(|| self.run(&queries_before, &cache_before));
        let wanted = (bits_of_numbers(&queries), bits_of_numbers(&cache));
        assert!(got == wanted, "{:?}", self.shape);
    }
}

fn shape(width: u32, halves: u32) -> HeadShape {
    HeadShape {
        heads: 6,
        kv_heads: 2,
        width,
        padded_width: width.next_multiple_of(64),
        pages_per_sequence: 3,
        halves,
        query_scale: if width == 96 { 1.154_700_5 } else { 1.0 },
        epsilon: 1e-6,
    }
}

#[test]
fn queries_and_pages_have_the_cpus_bits() {
    for width in [16, 64, 96, 256] {
        for halves in [0, 1] {
            Case::new(shape(width, halves), false, false).check();
            Case::new(shape(width, halves), true, true).check();
        }
    }
}

/// In a query, a key and a value of the same row.
#[test]
fn what_is_not_finite_has_the_cpus_bits() {
    for (fault, halves) in FAULTS
        .into_iter()
        .flat_map(|fault| [(fault, 0), (fault, 1)])
    {
        for has_norms in [false, true] {
            for row in [0, 1] {
                let mut case = Case::new(shape(64, halves), false, has_norms);
                let first = row * case.columns();
                for (head, column) in [(2, 5), (6, 63), (9, 0)] {
                    case.qkv[first + head * 64 + column] = fault;
                }
                case.check();
            }
        }
    }
}
