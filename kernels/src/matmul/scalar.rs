//! The reference: the contract, output by output.

use super::{Activations, Mode, formats::PackedBlock, matrix::Panels};
use crate::lanes::LANES;

pub(super) fn matmul(
    weights: Panels<'_>,
    activations: Activations<'_>,
    mode: Mode,
    out: &mut [f32],
) {
    let outs = out.chunks_exact_mut(activations.tokens() * LANES);
    for (out, panel) in outs.zip(weights.iter()) {
        panel.multiply(activations, mode, out);
    }
}

/// Multiplies by sixteen rows.
pub(super) fn panel<B: PackedBlock>(
    blocks: &[B],
    activations: Activations<'_>,
    mode: Mode,
    out: &mut [f32],
) {
    let columns = activations.tiles().flat_map(|tile| {
        let tokens = tile.len() / (blocks.len() * B::PARTS);
        (0..tokens).map(move |token| tile.iter().skip(token).step_by(tokens))
    });
    for (column, out) in columns.zip(out.as_chunks_mut::<LANES>().0) {
        let mut total = [0.0; LANES];
        let parts = blocks
            .iter()
            .flat_map(|block| (0..B::PARTS).map(move |part| (block, part)));
        for ((block, part), activations) in parts.zip(column) {
            for (lane, total) in total.iter_mut().enumerate() {
                *total = block.accumulate(part, lane, activations, *total);
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
