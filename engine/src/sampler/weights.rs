//! What every token weighs against the best, which weighs 1; in blocks, so that few of them have to be looked at one by one.

use kernels::{
    Isa,
    weigh::{BLOCK, Block, Scale, weigh},
};
use zeroize::Zeroize;

/// Weights of all tokens. No Debug: they tell the prompt. Wiped when dropped.
#[derive(Default)]
pub(super) struct Weights {
    weights: Vec<f64>,
    blocks: Vec<Block>,
}

impl Drop for Weights {
    fn drop(&mut self) {
        self.weights.zeroize();
        for block in &mut self.blocks {
            block.sum.zeroize();
            block.greatest.zeroize();
        }
    }
}

impl Weights {
    /// Weights of `logits`, none of them above `max`, at a temperature above 0.
    pub(super) fn set(&mut self, logits: &[f32], max: f32, temperature: f32) {
        let inverse = 1.0 / f64::from(temperature);
        self.weights.resize(logits.len(), 0.0);
        let blocks = logits.len().div_ceil(BLOCK);
        self.blocks.resize(blocks, Block::default());
        let (weights, blocks) = (&mut self.weights, &mut self.blocks);
        weigh(
            Isa::detect(),
            logits,
            Scale { max, inverse },
            weights,
            blocks,
        );
    }

    pub(super) fn len(&self) -> usize {
        self.weights.len()
    }

    /// Of all tokens, block after block.
    pub(super) fn total(&self) -> f64 {
        self.blocks.iter().map(|block| block.sum).sum()
    }

    /// Tokens that weigh at least `floor` and less than `ceiling`, and more than nothing, by id.
    pub(super) fn between(&self, floor: f64, ceiling: f64) -> impl Iterator<Item = (u32, f64)> {
        let wanted = move |weight: f64| weight >= floor && weight < ceiling && weight > 0.0;
        let blocks = self
            .blocks()
            .filter(move |(block, ..)| block.greatest >= floor);
        blocks
            .flat_map(|(_, first, weights)| (first..).zip(weights.iter().copied()))
            .filter(move |(_, weight)| wanted(*weight))
    }

    /// The token in whose share of the line `point` lies; the last with any weight where rounding puts it behind all.
    pub(super) fn pick(&self, point: f64) -> Option<u32> {
        let mut before = 0.0;
        let mut last = None;
        for (block, first, weights) in self.blocks().filter(|(block, ..)| block.sum > 0.0) {
            last = Some((first, weights));
            if point < before + block.sum {
                break;
            }
            before += block.sum;
        }
        let (first, weights) = last?;
        pick((first..).zip(weights.iter().copied()), point - before)
    }

    /// Blocks with the id of their first token and its weights.
    fn blocks(&self) -> impl Iterator<Item = (&Block, u32, &[f64])> {
        let firsts = (0u32..).step_by(BLOCK);
        let weights = self.weights.chunks(BLOCK);
        let blocks = self.blocks.iter().zip(firsts).zip(weights);
        blocks.map(|((block, first), weights)| (block, first, weights))
    }
}

/// As [`Weights::pick`], of these tokens in this order.
pub(super) fn pick(tokens: impl Iterator<Item = (u32, f64)>, point: f64) -> Option<u32> {
    let mut sum = 0.0;
    let mut last = None;
    for (id, weight) in tokens.filter(|(_, weight)| *weight > 0.0) {
        sum += weight;
        last = Some(id);
        if point < sum {
            break;
        }
    }
    last
}
