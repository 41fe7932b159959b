//! What stands before attention: fast_turn, fast_embed. The results are bf16: within 2^-8 of the largest column of a head.

use crate::{
    cuda_cpu::{Arguments, Memory, Shape, in_both_orders, library},
    rounded, values, widened,
};

const TOLERANCE: f64 = 1.0 / 256.0;

/// `exact::HeadShape`.
#[derive(Clone, Copy)]
#[repr(C)]
struct HeadShape {
    heads: u32,
    kv_heads: u32,
    width: u32,
    padded_width: u32,
    pages_per_sequence: u32,
    halves: u32,
    query_scale: f32,
    epsilon: f32,
}

/// Three rows, the second of which is padding.
struct Turn {
    shape: HeadShape,
    has_bias_and_norms: bool,
    qkv: Vec<f32>,
    bias: Vec<f32>,
    norm: Vec<f32>,
    turns: Vec<f32>,
}

const POSITIONS: [u32; 3] = [5, 0, 18];
const SEQUENCES: [u32; 3] = [1, u32::MAX, 0];
/// Two for each of two sequences.
const PAGES: [u32; 4] = [3, 0, 2, 1];

impl Turn {
    fn new(width: u32, halves: u32, has_bias_and_norms: bool) -> Self {
        let (heads, kv_heads) = (6, 2);
        let row = ((heads + 2 * kv_heads) * width) as usize;
        let angles = values(9, 32 * width as usize / 2);
        Self {
            shape: HeadShape {
                heads,
                kv_heads,
                width,
                padded_width: width,
                pages_per_sequence: 2,
                halves,
                query_scale: 0.5,
                epsilon: 1e-6,
            },
            has_bias_and_norms,
            qkv: values(6, 3 * row),
            bias: values(7, row),
            norm: values(8, width as usize),
            turns: angles.iter().flat_map(|a| [a.cos(), a.sin()]).collect(),
        }
    }

    /// Queries and cache, whose other values stay as they were.
    fn run(&self) -> (Vec<u16>, Vec<u16>) {
        let HeadShape {
            heads,
            kv_heads,
            width,
            ..
        } = self.shape;
        let qkv = Memory::of(&self.qkv);
        let (positions, sequences) = (Memory::of(&POSITIONS), Memory::of(&SEQUENCES));
        let (pages, turns) = (Memory::of(&PAGES), Memory::of(&self.turns));
        let (bias, norm) = (Memory::of(&self.bias), Memory::of(&self.norm));
        let queries = Memory::<u16>::unwritten((3 * heads * width) as usize);
        let cache = Memory::<u16>::unwritten((4 * kv_heads * 2 * 16 * width) as usize);
        let arguments = Arguments::new().memory(&qkv).memory(&positions);
        let arguments = arguments.memory(&sequences).memory(&pages).memory(&turns);
        let arguments = if self.has_bias_and_norms {
            arguments.memory(&bias).memory(&norm).memory(&norm)
        } else {
            arguments.null().null().null()
        };
        let arguments = arguments.memory(&queries).memory(&cache).value(self.shape);
        let shape = Shape::plane(3, heads + 2 * kv_heads, width / 2);
        library().launch("fast_turn", shape, arguments).unwrap();
        (queries.read(), cache.read())
    }

    /// What head `index` of a row becomes.
    fn exact(&self, row: usize, index: usize) -> Vec<f64> {
        let width = self.shape.width as usize;
        let (heads, kv_heads) = (self.shape.heads as usize, self.shape.kv_heads as usize);
        let of = |values: &[f32], index: usize| -> Vec<f64> {
            let columns = &values[index * width..][..width];
            columns.iter().copied().map(f64::from).collect()
        };
        let mut head = of(&self.qkv, row * (heads + 2 * kv_heads) + index);
        let is_value = index >= heads + kv_heads;
        if self.has_bias_and_norms {
            let bias = of(&self.bias, index);
            head.iter_mut().zip(bias).for_each(|(x, b)| *x += b);
        }
        if self.has_bias_and_norms && !is_value {
            let squares: f64 = head.iter().map(|x| x * x).sum();
            let factor = 1.0 / (squares / width as f64 + 1e-6).sqrt();
            let weights = of(&self.norm, 0);
            head.iter_mut()
                .zip(weights)
                .for_each(|(x, w)| *x *= factor * w);
        }
        if !is_value {
            let turns = of(&self.turns, POSITIONS[row] as usize);
            self.turn(&mut head, &turns);
        }
        if index < heads {
            head.iter_mut().for_each(|x| *x *= 0.5);
        }
        head
    }

    fn turn(&self, head: &mut [f64], turns: &[f64]) {
        let half = head.len() / 2;
        for (pair, turn) in turns.chunks(2).enumerate() {
            let (i, j) = if self.shape.halves == 1 {
                (pair, pair + half)
            } else {
                (2 * pair, 2 * pair + 1)
            };
            let (x, y) = (head[i], head[j]);
            head[i] = x * turn[0] - y * turn[1];
            head[j] = x * turn[1] + y * turn[0];
        }
    }
}

fn assert_near(got: &[u16], exact: &[f64]) {
    let largest = exact
        .iter()
        .fold(0.0, |largest: f64, x| largest.max(x.abs()));
    for (got, exact) in got.iter().zip(exact) {
        let error = (widened(*got) - exact).abs();
        assert!(error <= TOLERANCE * largest, "{exact}, off by {error}");
    }
}

#[test]
fn heads_turn_and_go_to_their_pages() {
    for (width, halves, has_bias_and_norms) in [
        (64, 0, false),
        (64, 1, true),
        (128, 1, true),
        (128, 0, false),
    ] {
        let turn = Turn::new(width, halves, has_bias_and_norms);
        let (queries, mut cache) = in_both_orders(|| turn.run());
        let (width, nothing) = (width as usize, u16::MAX);
        assert!(queries[6 * width..12 * width].iter().all(|x| *x == nothing));
        for row in [0, 2] {
            for head in 0..6 {
                assert_near(
                    &queries[(row * 6 + head) * width..][..width],
                    &turn.exact(row, head),
                );
            }
            let page = PAGES[SEQUENCES[row] as usize * 2 + POSITIONS[row] as usize / 16] as usize;
            for (head, part) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
                let place = ((page * 2 + head) * 2 + part) * 16 + POSITIONS[row] as usize % 16;
                let written = &mut cache[place * width..][..width];
                assert_near(written, &turn.exact(row, 6 + 2 * part + head));
                written.fill(nothing);
            }
        }
        assert!(cache.iter().all(|x| *x == nothing), "written elsewhere");
    }
}

#[test]
fn embeddings_are_rows_of_the_weights() {
    let weights = rounded(&values(10, 7 * 40));
    let stream = in_both_orders(|| {
        let (weights, tokens) = (Memory::of(&weights), Memory::of(&[6_u32, 0, 3]));
        let stream = Memory::<f32>::unwritten(3 * 40);
        let arguments = Arguments::new().memory(&weights).memory(&tokens);
        let arguments = arguments.memory(&stream).value(40_u32).value(2.0_f32);
        library()
            .launch("fast_embed", Shape::plane(3, 1, 128), arguments)
            .unwrap();
        stream.read()
    });
    for (row, token) in stream.chunks(40).zip([6, 0, 3]) {
        for (got, bits) in row.iter().zip(&weights[token * 40..]) {
            assert_eq!(f64::from(*got), 2.0 * widened(*bits));
        }
    }
}
