//! Formats with one scale, and perhaps one offset, for 32 columns: `weight = scale * quant + offset`.

use super::PackedBlock;
use crate::quantize::{ActivationBlock, BLOCK};

/// A block of such a format.
pub(in crate::matmul) trait Affine {
    /// [`PackedBlock::PARTS`].
    const PARTS: usize;

    /// Integers of one row, column by column.
    fn quants(&self, part: usize, lane: usize) -> [i32; BLOCK];

    fn scale(&self, part: usize, lane: usize) -> f32;

    fn offset(&self, part: usize, lane: usize) -> Option<f32>;
}

/// `scale * quant`, rounded, then `+ offset`, rounded. Products: an exact integer sum, one fused multiply-add with the
/// product of the scales, and, with an offset, one with the sum of the activations.
impl<B: Affine> PackedBlock for B {
    const PARTS: usize = <B as Affine>::PARTS;

    fn row(&self, part: usize, lane: usize) -> [f32; BLOCK] {
        let scale = self.scale(part, lane);
        let scaled = self.quants(part, lane).map(|quant| scale * quant as f32);
        match self.offset(part, lane) {
            Some(offset) => scaled.map(|weight| weight + offset),
            None => scaled,
        }
    }

    fn accumulate(&self, part: usize, lane: usize, activations: &ActivationBlock, sum: f32) -> f32 {
        let pairs = activations.integers().into_iter();
        let products = pairs.zip(self.quants(part, lane)).map(|(a, w)| a * w);
        let exact: i32 = products.sum();
        let sum = (exact as f32).mul_add(self.scale(part, lane) * activations.scale, sum);
        match self.offset(part, lane) {
            Some(offset) => offset.mul_add(activations.sum, sum),
            None => sum,
        }
    }
}
