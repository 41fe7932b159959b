//! `exact_argmax`, `exact_weigh` and `exact_pick` against the CPU's sampler: its greedy rule, `kernels::weigh`, its random numbers.

use kernels::{
    Isa,
    weigh::{BLOCK, Block, Scale, weigh},
};

use crate::{
    cuda_cpu::{Arguments, Memory, in_both_orders},
    launch::launch,
    weights::{FAULTS, floats},
};

const NO_TOKEN: u32 = u32::MAX;

/// As the entry points take it.
#[derive(Clone, Copy)]
#[repr(C)]
struct Choice {
    seed: u64,
    position: u64,
    inverse: f64,
    top_p: f64,
    min_p: f64,
    top_k: u32,
    unused: u32,
}

/// [`Block`], as the entry points have it.
#[derive(Clone, Copy, Default)]
#[repr(C)]
struct WeightBlock {
    sum: f64,
    greatest: f64,
}

fn argmax(logits: &[f32], (vocabulary, stride): (usize, usize)) -> Vec<u32> {
    let rows = logits.len() / stride;
    let (logits, chosen) = (Memory::of(logits), Memory::unwritten(rows));
    let arguments = Arguments::new()
        .memory(&logits)
        .memory(&chosen)
        .value(vocabulary as u32)
        .value(stride as u32);
    launch("exact_argmax", (rows, 1), 256, arguments);
    chosen.read()
}

/// The first token with the greatest logit.
fn greedy(logits: &[f32]) -> u32 {
    let greatest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let first = logits.iter().position(|logit| *logit == greatest);
    first.unwrap() as u32
}

#[test]
fn the_first_of_the_greatest_is_chosen() {
    for vocabulary in [1, 31, 257, 1000, 5003] {
        let stride = usize::next_multiple_of(vocabulary, 16);
        let mut logits = floats(vocabulary as u64, 3 * stride);
        // Beyond the vocabulary there may be anything.
        for row in logits.chunks_mut(stride) {
            row[vocabulary..].fill(f32::NAN);
        }
        // Many equal ones.
        logits[..vocabulary]
            .iter_mut()
            .for_each(|logit| *logit = logit.round());
        let expected: Vec<u32> = logits
            .chunks(stride)
            .map(|row| greedy(&row[..vocabulary]))
            .collect();
        let got = in_both_orders(|| argmax(&logits, (vocabulary, stride)));
        assert_eq!(got, expected);
    }
}

#[test]
fn zeros_of_both_signs_are_equal() {
    let logits = [-1.0, -0.0, 0.0, -0.0];
    assert_eq!(argmax(&logits, (4, 4)), [1]);
}

#[test]
fn nothing_is_chosen_of_what_is_no_number() {
    let bad = FAULTS
        .into_iter()
        .filter(|fault| *fault != f32::NEG_INFINITY);
    for (bad, at) in bad.flat_map(|bad| [0, 31, 32, 255, 256, 699].map(|at| (bad, at))) {
        let mut logits = floats(6, 3 * 700);
        logits[700 + at] = bad;
        let got = in_both_orders(|| argmax(&logits, (700, 700)));
        let [first, third] = [0, 2].map(|row| greedy(&logits[row * 700..][..700]));
        assert_eq!(got, [first, NO_TOKEN, third], "{bad} {at}");
    }
    let nothing = [f32::NEG_INFINITY; 300];
    assert_eq!(argmax(&nothing, (300, 300)), [NO_TOKEN]);
    let mut one = nothing;
    one[299] = -5.0;
    assert_eq!(argmax(&one, (300, 300)), [299]);
}

/// Logits of one row and what the CPU makes of them.
struct Row {
    logits: Vec<f32>,
    weights: Vec<f64>,
    blocks: Vec<Block>,
}

impl Row {
    fn new(mut logits: Vec<f32>, inverse: f64) -> Self {
        logits[0] = f32::NEG_INFINITY;
        let mut weights = vec![0.0; logits.len()];
        let mut blocks = vec![Block::default(); logits.len().div_ceil(BLOCK)];
        let max = logits[greedy(&logits) as usize];
        weigh(
            Isa::scalar(),
            &logits,
            Scale { max, inverse },
            &mut weights,
            &mut blocks,
        );
        Self {
            logits,
            weights,
            blocks,
        }
    }

    fn weighed_on_device(&self, choice: Choice) -> (Memory<f64>, Memory<WeightBlock>) {
        let vocabulary = self.logits.len();
        let (logits, chosen) = (
            Memory::of(&self.logits),
            Memory::of(&[greedy(&self.logits)]),
        );
        let choices = Memory::of(&[choice]);
        let weights = Memory::unwritten(vocabulary);
        let sums = Memory::unwritten(self.blocks.len());
        let arguments = Arguments::new()
            .memory(&logits)
            .memory(&chosen)
            .memory(&choices)
            .memory(&weights)
            .memory(&sums)
            .value(vocabulary as u32)
            .value(vocabulary as u32);
        launch(
            "exact_weigh",
            (1, vocabulary.div_ceil(2048)),
            256,
            arguments,
        );
        (weights, sums)
    }

    fn drawn_on_device(&self, choice: Choice) -> u32 {
        let (weights, sums) = self.weighed_on_device(choice);
        let chosen = Memory::of(&[greedy(&self.logits)]);
        let choices = Memory::of(&[choice]);
        let arguments = Arguments::new()
            .memory(&weights)
            .memory(&sums)
            .memory(&choices)
            .memory(&chosen)
            .value(self.logits.len() as u32);
        launch("exact_pick", (1, 1), 256, arguments);
        chosen.read()[0]
    }

    /// Block after block, then token after token.
    fn drawn(&self, choice: Choice) -> u32 {
        let total: f64 = self.blocks.iter().map(|block| block.sum).sum();
        let point = unit_interval(choice.seed, choice.position) * total;
        let (mut before, mut block) = (0.0, 0);
        while point >= before + self.blocks[block].sum {
            before += self.blocks[block].sum;
            block += 1;
        }
        let (mut sum, mut token) = (0.0, block * BLOCK);
        loop {
            sum += self.weights[token];
            if point - before < sum {
                return token as u32;
            }
            token += 1;
        }
    }
}

/// Philox4x32-10, the first two words of a block.
fn philox(seed: u64, position: u64) -> [u32; 2] {
    let product = |left: u32, right: u32| {
        let wide = u64::from(left) * u64::from(right);
        ((wide >> 32) as u32, wide as u32)
    };
    let [mut a, mut b, mut c, mut d] = [position as u32, (position >> 32) as u32, 0, 0];
    let mut keys = [seed as u32, (seed >> 32) as u32];
    for _ in 0..10 {
        let (first, second) = (product(0xd251_1f53, a), product(0xcd9e_8d57, c));
        [a, b, c, d] = [
            second.0 ^ b ^ keys[0],
            second.1,
            first.0 ^ d ^ keys[1],
            first.1,
        ];
        keys = [
            keys[0].wrapping_add(0x9e37_79b9),
            keys[1].wrapping_add(0xbb67_ae85),
        ];
    }
    [a, b]
}

fn unit_interval(seed: u64, position: u64) -> f64 {
    let [high, low] = philox(seed, position);
    let bits = (u64::from(high) << 32 | u64::from(low)) >> 11;
    bits as f64 / (1_u64 << 53) as f64
}

/// Of the authors' `kat_vectors`, those with a counter of 64 bits.
#[test]
fn the_random_numbers_are_philox() {
    assert_eq!(philox(0, 0), [0x6627_e8d5, 0xe169_c58d]);
}

fn choice(position: u64, inverse: f64) -> Choice {
    Choice {
        seed: 0x0123_4567_89ab_cdef,
        position,
        inverse,
        top_p: 1.0,
        min_p: 0.0,
        top_k: 0,
        unused: 0,
    }
}

fn bits(values: impl IntoIterator<Item = f64>) -> Vec<u64> {
    values.into_iter().map(f64::to_bits).collect()
}

#[test]
fn weights_have_the_cpus_bits() {
    for (vocabulary, inverse) in [(64, 1.0), (2050, 1.0 / f64::from(0.7_f32)), (5003, 400.0)] {
        let row = Row::new(floats(1, vocabulary), inverse);
        let got = in_both_orders(|| {
            let (weights, sums) = row.weighed_on_device(choice(0, inverse));
            let sums = sums
                .read()
                .into_iter()
                .flat_map(|block| [block.sum, block.greatest]);
            (bits(weights.read()), bits(sums))
        });
        let sums = row
            .blocks
            .iter()
            .flat_map(|block| [block.sum, block.greatest]);
        assert_eq!(
            got,
            (bits(row.weights.iter().copied()), bits(sums)),
            "{vocabulary}"
        );
    }
}

#[test]
fn tokens_are_drawn_as_the_cpu_draws_them() {
    let inverse = 1.0 / f64::from(1.5_f32);
    let row = Row::new(floats(2, 20_003), inverse);
    let mut drawn = Vec::new();
    for position in 0..40 {
        let choice = choice(position, inverse);
        drawn.push(in_both_orders(|| row.drawn_on_device(choice)));
        assert_eq!(drawn.last(), Some(&row.drawn(choice)), "{position}");
    }
    drawn.sort_unstable();
    drawn.dedup();
    assert!(drawn.len() > 30, "they differ");
}

#[test]
fn without_a_temperature_the_greatest_stays() {
    let row = Row::new(floats(3, 300), 1.0);
    let (weights, _) = row.weighed_on_device(choice(1, 0.0));
    assert!(
        weights.read().iter().all(|weight| weight.is_nan()),
        "untouched"
    );
    assert_eq!(row.drawn_on_device(choice(1, 0.0)), greedy(&row.logits));
}
