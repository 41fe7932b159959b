//! Products of packed weight matrices with quantised activations.
//!
//! `out[panel][token][lane] = sum over k of weight[16 * panel + lane][k] * activation[token][k]`, stored or added.
//!
//! Order, for each output: block after block of 32 columns, from zero. In formats of integers, a block (in Q6_K each half of
//! one) is an exact integer sum `i`; then `acc = fma(i as f32, weight_scale * activation_scale, acc)` and, for formats with
//! an offset, `acc = fma(weight_offset, activation_sum, acc)`. In floating-point formats, a block is
//! `s = fma(weight, activation_integer as f32, s)` from zero, column after column; then `acc = fma(s, activation_scale, acc)`.
//! None of it depends on the path or on how many tokens share a pass: the bits are the same for every format.

mod formats;
mod matrix;
mod pack;
mod scalar;

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;

pub use formats::Format;
pub use matrix::{Matrix, PackedPanel, Panels};
pub use pack::PackError;

use crate::{
    isa::{Isa, Path},
    lanes::LANES,
    quantize::{ActivationBlock, TILE},
};

/// Quantised activations of some tokens, `[tile][block][token of the tile]`, tiles of [`TILE`] tokens but the last.
#[derive(Clone, Copy)]
pub struct Activations<'a> {
    blocks: &'a [ActivationBlock],
    blocks_per_token: usize,
}

impl<'a> Activations<'a> {
    /// Activations of a whole number of tokens.
    ///
    /// # Panics
    /// If it is not whole.
    pub fn new(blocks: &'a [ActivationBlock], blocks_per_token: usize) -> Self {
        assert_eq!(blocks.len() % blocks_per_token, 0, "whole tokens");
        Self {
            blocks,
            blocks_per_token,
        }
    }

    /// How many tokens there are.
    pub fn tokens(&self) -> usize {
        self.blocks.len() / self.blocks_per_token
    }

    fn tiles(&self) -> impl Iterator<Item = &'a [ActivationBlock]> {
        self.blocks.chunks(TILE * self.blocks_per_token)
    }
}

/// What becomes of the output's former contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// They are replaced.
    Set,
    /// They are added to the product.
    Add,
}

/// Multiplies; `out` is `[panel][token][16]` for the panels of `weights`.
///
/// # Panics
/// If the lengths disagree.
pub fn matmul(
    isa: Isa,
    weights: Panels<'_>,
    activations: Activations<'_>,
    mode: Mode,
    out: &mut [f32],
) {
    assert_eq!(weights.blocks_per_row(), activations.blocks_per_token);
    assert_eq!(out.len(), weights.count() * activations.tokens() * LANES);
    match isa.path() {
        Path::Scalar => scalar::matmul(weights, activations, mode, out),
        #[cfg(target_arch = "x86_64")]
        #[expect(unsafe_code, reason = "launcher")]
        // SAFETY: an `Isa` with this path exists only where its instructions were detected.
        Path::Avx2 => unsafe { avx2::matmul(weights, activations, mode, out) },
        #[cfg(target_arch = "x86_64")]
        #[expect(unsafe_code, reason = "launcher")]
        // SAFETY: an `Isa` with this path exists only where its instructions were detected.
        Path::Avx512Vnni => unsafe { avx512::matmul(weights, activations, mode, out) },
    }
}

#[cfg(test)]
mod tests;
