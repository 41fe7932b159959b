//! What each token weighs against the best: `exp((logit - max) * inverse)` in f64, 0 where the exponent is below -700; and of each block of 64
//! tokens the sum and the greatest weight.
//!
//! Order of a block's sum: eight lanes, each with every eighth weight, in index order, without fused operations; then lane after lane.
//! The paths are one loop compiled for wider registers: there is nothing in it that a compiler may reorder.

use crate::isa::{Isa, Path};

/// Tokens of a block; the last may have fewer.
pub const BLOCK: usize = 64;

const LANES: usize = 8;
/// Below this the result is less than 1e-304: nothing.
const SMALLEST: f64 = -700.0;
/// ln 2 in two parts; the first has 21 zero bits at its end, so that its product with a small integer is exact.
const LN_2_HIGH: f64 = 0.693_147_180_369_123_8;
const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;
/// 1.5 * 2^52: a number of which the last bits count ones, so that adding it rounds to an integer (ties to even) and shows it there.
const ROUNDING: f64 = 6_755_399_441_055_744.0;
/// 1/n! for n = 9 down to 0.
const COEFFICIENTS: [f64; 10] = [
    1.0 / 362_880.0,
    1.0 / 40_320.0,
    1.0 / 5_040.0,
    1.0 / 720.0,
    1.0 / 120.0,
    1.0 / 24.0,
    1.0 / 6.0,
    0.5,
    1.0,
    1.0,
];

/// Of one block of weights.
#[derive(Clone, Copy, Default)]
pub struct Block {
    /// All of them.
    pub sum: f64,
    /// The greatest.
    pub greatest: f64,
}

/// What logits are held against.
#[derive(Clone, Copy)]
pub struct Scale {
    /// The greatest logit.
    pub max: f32,
    /// One by the temperature.
    pub inverse: f64,
}

/// Weighs `logits`, none of them above `scale.max`.
///
/// # Panics
/// If there is not one weight for each logit and one block for each [`BLOCK`] of them.
pub fn weigh(isa: Isa, logits: &[f32], scale: Scale, weights: &mut [f64], blocks: &mut [Block]) {
    assert_eq!(weights.len(), logits.len(), "a weight for each logit");
    assert_eq!(blocks.len(), logits.len().div_ceil(BLOCK), "every block");
    match isa.path() {
        Path::Scalar => all(logits, scale, weights, blocks),
        #[cfg(target_arch = "x86_64")]
        #[expect(unsafe_code, reason = "launcher")]
        // SAFETY: an `Isa` with this path exists only where its instructions were detected.
        Path::Avx2 => unsafe { wide::avx2(logits, scale, weights, blocks) },
        #[cfg(target_arch = "x86_64")]
        #[expect(unsafe_code, reason = "launcher")]
        // SAFETY: an `Isa` with this path exists only where its instructions were detected.
        Path::Avx512Vnni => unsafe { wide::avx512(logits, scale, weights, blocks) },
    }
}

#[inline(always)]
fn all(logits: &[f32], scale: Scale, weights: &mut [f64], blocks: &mut [Block]) {
    let logits = logits.chunks(BLOCK);
    let weights = weights.chunks_mut(BLOCK);
    for ((logits, weights), block) in logits.zip(weights).zip(blocks) {
        for (weight, logit) in weights.iter_mut().zip(logits) {
            *weight = exp((f64::from(*logit) - f64::from(scale.max)) * scale.inverse);
        }
        *block = of_block(weights);
    }
}

#[inline(always)]
fn of_block(weights: &[f64]) -> Block {
    let (mut sums, mut greatest) = ([0.0; LANES], [0.0; LANES]);
    let (rows, rest) = weights.as_chunks::<LANES>();
    for row in rows {
        add(&mut sums, &mut greatest, row);
    }
    add(&mut sums, &mut greatest, rest);
    Block {
        sum: sums.iter().sum(),
        greatest: greatest.iter().copied().fold(0.0, f64::max),
    }
}

#[inline(always)]
fn add(sums: &mut [f64; LANES], greatest: &mut [f64; LANES], weights: &[f64]) {
    for ((sum, greatest), weight) in sums.iter_mut().zip(greatest).zip(weights) {
        *sum += weight;
        *greatest = if *weight > *greatest {
            *weight
        } else {
            *greatest
        };
    }
}

/// e to the power of `x` for `x` at most 0, within one part in 10^11.
#[inline(always)]
fn exp(x: f64) -> f64 {
    let shifted = x * std::f64::consts::LOG2_E + ROUNDING;
    let power = shifted - ROUNDING;
    let rest = (x - power * LN_2_HIGH) - power * LN_2_LOW;
    let fraction = COEFFICIENTS.iter().fold(0.0, |sum, c| sum * rest + c);
    let scaled = fraction * power_of_two(shifted);
    if x < SMALLEST { 0.0 } else { scaled }
}

/// 2 to the power of the integer in the last bits of `shifted`, which is from -1022 to 1023.
#[inline(always)]
fn power_of_two(shifted: f64) -> f64 {
    f64::from_bits(shifted.to_bits().wrapping_add(1023) << 52)
}

#[cfg(target_arch = "x86_64")]
mod wide {
    use super::{Block, Scale, all};

    #[target_feature(enable = "avx2")]
    pub(super) fn avx2(logits: &[f32], scale: Scale, weights: &mut [f64], blocks: &mut [Block]) {
        all(logits, scale, weights, blocks);
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512vl,avx512bw")]
    pub(super) fn avx512(logits: &[f32], scale: Scale, weights: &mut [f64], blocks: &mut [Block]) {
        all(logits, scale, weights, blocks);
    }
}

#[cfg(test)]
mod tests;
