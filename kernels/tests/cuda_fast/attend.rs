//! Attention: fast_attend_64, fast_attend_128, and by parts fast_attend_parts_64, fast_attend_parts_128, fast_join_parts. Weights are rounded to bf16 before they meet the values, so is the result: within
//! 2^-7 of the largest value attended to.

use crate::{
    cuda_cpu::{Arguments, Memory, Shape, in_both_orders, library},
    rounded, values, widened,
};

const TOLERANCE: f64 = 1.0 / 128.0;
const PAGE: usize = 16;

/// `fast::Span`.
#[derive(Clone, Copy)]
#[repr(C)]
struct Span {
    first_row: u32,
    rows: u32,
    first_position: u32,
    sequence: u32,
}

/// Sequences of `lengths` positions, whose pages lie in the cache in an order of their own.
struct Sequences {
    heads: usize,
    kv_heads: usize,
    width: usize,
    window: u32,
    lengths: Vec<usize>,
    pages_per_sequence: usize,
    pages: Vec<u32>,
    cache: Vec<u16>,
}

impl Sequences {
    fn new([heads, kv_heads, width]: [usize; 3], window: u32, lengths: &[usize]) -> Self {
        let pages_per_sequence = lengths.iter().max().unwrap().div_ceil(PAGE);
        let count = pages_per_sequence * lengths.len();
        let mut pages: Vec<u32> = (0..count as u32).collect();
        pages.sort_by_key(|page| page * 7 % 11);
        // What no sequence wrote is not-a-number: nobody may look there.
        let mut cache = vec![u16::MAX; count * kv_heads * 2 * PAGE * width];
        for (sequence, length) in lengths.iter().enumerate() {
            for position in 0..*length {
                let page = pages[sequence * pages_per_sequence + position / PAGE] as usize;
                for head in 0..kv_heads {
                    for part in 0..2 {
                        let row = ((page * kv_heads + head) * 2 + part) * PAGE + position % PAGE;
                        let seed = ((sequence * 1_000 + position) * 16 + head) * 2 + part + 1;
                        let written = rounded(&values(seed as u64, width));
                        cache[row * width..][..width].copy_from_slice(&written);
                    }
                }
            }
        }
        Self {
            heads,
            kv_heads,
            width,
            window,
            lengths: lengths.to_vec(),
            pages_per_sequence,
            pages,
            cache,
        }
    }

    /// A query of a head at a position of a sequence.
    fn query(&self, sequence: usize, position: usize, head: usize) -> Vec<u16> {
        let seed = 5_000_000 + (sequence * 1_000 + position) * 64 + head;
        let values = values(seed as u64, self.width);
        rounded(&values.iter().map(|x| x * 4.0).collect::<Vec<_>>())
    }

    /// Runs the spans `(sequence, first position, rows)`, and gives `[row][head][column]`.
    fn run(&self, cuts: &[(usize, usize, usize)]) -> Vec<u16> {
        let (spans, queries) = self.spans(cuts);
        self.launch(&spans, &queries)
    }

    fn spans(&self, cuts: &[(usize, usize, usize)]) -> (Vec<Span>, Vec<u16>) {
        let (mut spans, mut queries, mut rows) = (Vec::new(), Vec::new(), 0);
        for &(sequence, first, count) in cuts {
            spans.push(Span {
                first_row: rows,
                rows: count as u32,
                first_position: first as u32,
                sequence: sequence as u32,
            });
            rows += count as u32;
            for position in first..first + count {
                let heads = (0..self.heads).flat_map(|head| self.query(sequence, position, head));
                queries.extend(heads);
            }
        }
        (spans, queries)
    }

    /// Runs tokens `(sequence, position)` alone, with room for `parts` parts.
    fn run_by_parts(&self, tokens: &[(usize, usize)], parts: u32) -> Vec<u16> {
        let cuts = tokens
            .iter()
            .map(|&(sequence, position)| (sequence, position, 1));
        let (spans, queries) = self.spans(&cuts.collect::<Vec<_>>());
        let (heads, count) = (self.heads as u32, spans.len() as u32);
        let (queries, cache) = (Memory::of(&queries), Memory::of(&self.cache));
        let (spans, pages) = (Memory::of(&spans), Memory::of(&self.pages));
        let room = tokens.len() * self.heads * parts as usize;
        let (of_parts, sums) = (
            Memory::<[f32; 2]>::unwritten(room),
            Memory::<f32>::unwritten(room * self.width),
        );
        let out = Memory::unwritten(queries.len());
        let arguments = Arguments::new().memory(&queries).memory(&cache);
        let arguments = arguments.memory(&spans).memory(&pages);
        let arguments = self.constants(arguments.memory(&of_parts).memory(&sums));
        let shape = Shape {
            grid: [parts, self.kv_heads as u32, count],
            ..Shape::plane(1, 1, 32)
        };
        let entry = format!("fast_attend_parts_{}", self.width);
        library().launch(&entry, shape, arguments).unwrap();
        let arguments = Arguments::new().memory(&of_parts).memory(&sums);
        let arguments = arguments.memory(&spans).memory(&out);
        let arguments = arguments.value(parts).value(self.window);
        let shape = Shape::plane(count, heads, self.width as u32);
        library()
            .launch("fast_join_parts", shape, arguments)
            .unwrap();
        out.read()
    }

    /// The arguments behind the buffers.
    fn constants<'a>(&self, arguments: Arguments<'a>) -> Arguments<'a> {
        let scale = std::f32::consts::LOG2_E / (self.width as f32).sqrt();
        let arguments = arguments
            .value(self.heads as u32)
            .value(self.kv_heads as u32);
        let arguments = arguments.value(self.pages_per_sequence as u32);
        arguments.value(self.window).value(scale)
    }

    fn launch(&self, spans: &[Span], queries: &[u16]) -> Vec<u16> {
        let longest = spans.iter().map(|span| span.rows).max().unwrap();
        let group = (self.heads / self.kv_heads) as u32;
        let shape = Shape {
            grid: [
                (longest * group).div_ceil(64),
                self.kv_heads as u32,
                spans.len() as u32,
            ],
            block: [128, 1, 1],
            shared_bytes: 0,
        };
        let (queries, cache) = (Memory::of(queries), Memory::of(&self.cache));
        let (spans, pages) = (Memory::of(spans), Memory::of(&self.pages));
        let out = Memory::unwritten(queries.len());
        let arguments = Arguments::new().memory(&queries).memory(&cache);
        let arguments = arguments.memory(&spans).memory(&pages).memory(&out);
        let entry = format!("fast_attend_{}", self.width);
        let launched = library().launch(&entry, shape, self.constants(arguments));
        launched.unwrap();
        out.read()
    }

    /// Every sequence whole, each in one span.
    fn whole(&self) -> Vec<u16> {
        let cuts = self.lengths.iter().enumerate();
        self.run(
            &cuts
                .map(|(sequence, length)| (sequence, 0, *length))
                .collect::<Vec<_>>(),
        )
    }

    fn cached(&self, sequence: usize, position: usize, head: usize, part: usize) -> Vec<f64> {
        let page = self.pages[sequence * self.pages_per_sequence + position / PAGE] as usize;
        let row = ((page * self.kv_heads + head) * 2 + part) * PAGE + position % PAGE;
        let bits = &self.cache[row * self.width..][..self.width];
        bits.iter().map(|bits| widened(*bits)).collect()
    }

    fn exact(&self, sequence: usize, position: usize, head: usize) -> Vec<f64> {
        let query: Vec<f64> = self
            .query(sequence, position, head)
            .into_iter()
            .map(widened)
            .collect();
        let kv_head = head / (self.heads / self.kv_heads);
        let first = (position + 1).saturating_sub(self.window as usize);
        let scores: Vec<f64> = (first..=position)
            .map(|key| {
                let keys = self.cached(sequence, key, kv_head, 0);
                let score: f64 = keys.iter().zip(&query).map(|(k, q)| k * q).sum();
                (score / (self.width as f64).sqrt()).exp()
            })
            .collect();
        let total: f64 = scores.iter().sum();
        let mut out = vec![0.0; self.width];
        for (key, score) in (first..=position).zip(scores) {
            let values = self.cached(sequence, key, kv_head, 1);
            for (out, value) in out.iter_mut().zip(values) {
                *out += score / total * value;
            }
        }
        out
    }

    fn assert_near(&self, got: &[u16], tokens: impl Iterator<Item = (usize, usize)>) {
        let mut rows = got.chunks(self.width);
        for (sequence, position) in tokens {
            for head in 0..self.heads {
                let exact = self.exact(sequence, position, head);
                for (got, exact) in rows.next().unwrap().iter().zip(exact) {
                    let error = (widened(*got) - exact).abs();
                    assert!(
                        error <= TOLERANCE,
                        "{sequence}, {position}, {head}: {error}"
                    );
                }
            }
        }
        assert!(rows.next().is_none());
    }

    fn tokens(&self) -> impl Iterator<Item = (usize, usize)> {
        let lengths = self.lengths.iter().enumerate();
        lengths
            .flat_map(|(sequence, length)| (0..*length).map(move |position| (sequence, position)))
    }
}

#[test]
fn attention_is_near() {
    let all = u32::MAX;
    for (shape, window, lengths) in [
        ([9, 3, 64], all, &[70, 3, 129][..]),
        ([4, 4, 64], all, &[64]),
        ([4, 1, 128], all, &[81, 16]),
        ([6, 2, 64], 40, &[150]),
    ] {
        let sequences = Sequences::new(shape, window, lengths);
        let got = in_both_orders(|| sequences.whole());
        sequences.assert_near(&got, sequences.tokens());
    }
}

#[test]
fn attention_does_not_depend_on_spans() {
    for window in [u32::MAX, 50] {
        let sequences = Sequences::new([6, 2, 64], window, &[140, 30]);
        let whole = sequences.whole();
        let cut = sequences.run(&[
            (0, 0, 1),
            (0, 1, 63),
            (0, 64, 30),
            (0, 94, 46),
            (1, 0, 29),
            (1, 29, 1),
        ]);
        assert!(whole == cut);
        // Tokens in another order, beside a span of nothing.
        let row = 6 * 64;
        let turned = sequences.run(&[(1, 7, 23), (0, 0, 0), (0, 130, 10)]);
        assert!(turned[..23 * row] == whole[147 * row..]);
        assert!(turned[23 * row..] == whole[130 * row..140 * row]);
    }
}

#[test]
fn attention_by_parts_is_near_and_batch_invariant() {
    for (shape, window) in [
        ([9, 3, 64], u32::MAX),
        ([8, 1, 128], u32::MAX),
        ([32, 2, 64], 200),
    ] {
        let sequences = Sequences::new(shape, window, &[600, 257]);
        let tokens = [
            (0, 599),
            (1, 0),
            (0, 255),
            (1, 256),
            (0, 256),
            (0, 511),
            (0, 63),
        ];
        let got = in_both_orders(|| sequences.run_by_parts(&tokens, 3));
        sequences.assert_near(&got, tokens.into_iter());
        let row = shape[0] * shape[2];
        for (index, (sequence, position)) in tokens.into_iter().enumerate() {
            let parts = position as u32 / 256 + 1;
            let alone = sequences.run_by_parts(&[(sequence, position)], parts);
            assert!(alone == got[index * row..][..row], "{sequence}, {position}");
        }
    }
}
