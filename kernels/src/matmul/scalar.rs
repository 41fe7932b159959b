//! The reference: the contract, output by output.

use super::{
    Activations, Mode, Panels,
    matrix::{BlockSlice, Q4Block, Q8Block},
};
use crate::{
    lanes::{self, LANES, Lanes},
    quantize::{ActivationBlock, BLOCK},
};

pub(super) fn matmul(
    weights: Panels<'_>,
    activations: Activations<'_>,
    mode: Mode,
    out: &mut [f32],
) {
    let blocks_per_row = weights.blocks_per_row();
    let panels = out.chunks_exact_mut(activations.tokens() * LANES);
    match weights.blocks {
        BlockSlice::Q4(blocks) => panels
            .zip(blocks.chunks_exact(blocks_per_row))
            .for_each(|(out, blocks)| panel(blocks, activations, mode, out)),
        BlockSlice::Q8(blocks) => panels
            .zip(blocks.chunks_exact(blocks_per_row))
            .for_each(|(out, blocks)| panel(blocks, activations, mode, out)),
    }
}

/// What a format adds to the sum of each lane for one block.
trait Accumulate {
    fn accumulate(&self, activations: &ActivationBlock, lane: usize, sum: f32) -> f32;
}

impl Accumulate for Q4Block {
    fn accumulate(&self, activations: &ActivationBlock, lane: usize, sum: f32) -> f32 {
        let integer = dot(activations, self.quants(lane));
        let sum = (integer as f32).mul_add(self.scale(lane) * activations.scale, sum);
        self.offset(lane).mul_add(activations.sum, sum)
    }
}

impl Accumulate for Q8Block {
    fn accumulate(&self, activations: &ActivationBlock, lane: usize, sum: f32) -> f32 {
        let integer = dot(activations, self.quants(lane));
        (integer as f32).mul_add(self.scale(lane) * activations.scale, sum)
    }
}

fn dot(activations: &ActivationBlock, weights: [i32; BLOCK]) -> i32 {
    let pairs = activations.integers().into_iter().zip(weights);
    pairs.map(|(activation, weight)| activation * weight).sum()
}

fn panel<B: Accumulate>(blocks: &[B], activations: Activations<'_>, mode: Mode, out: &mut [f32]) {
    let columns = activations.tiles().flat_map(|tile| {
        let tokens = tile.len() / blocks.len();
        (0..tokens).map(move |token| tile.iter().skip(token).step_by(tokens))
    });
    for (column, out) in columns.zip(out.as_chunks_mut::<LANES>().0) {
        let mut total: Lanes = lanes::from_fn(|_| 0.0);
        for (block, activations) in blocks.iter().zip(column) {
            for (lane, total) in total.iter_mut().enumerate() {
                *total = block.accumulate(activations, lane, *total);
            }
        }
        for (out, total) in out.iter_mut().zip(total) {
            *out = match mode {
                Mode::Set => total,
                Mode::Add => total + *out,
            };
        }
    }
}
