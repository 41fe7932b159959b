//! Activations to 16-bit integers in blocks of 32, the form in which matrix products take them.
//!
//! A value is `scale * integer` with `scale = max |x| / 32639` of its block, rounded to the nearest (ties to even): the
//! error is half a step, give or take what `f32` rounds. Eight bits would be faster, and show in the answer: the mean
//! divergence from exact activations is 0.004 nats with 8 bits and not measurable with 16.
//!
//! A block with a value that is infinite or no number is [`ActivationBlock::NOT_FINITE`]: every product with it is no number.

mod scalar;

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;

use zeroize::Zeroize;

use crate::{
    isa::{Isa, Path},
    lanes::{LANES, Lanes},
    rms_norm::{self, Norm},
};

/// Columns in a block.
pub const BLOCK: usize = 32;
/// Tokens in a tile: they share each unpacked weight.
pub const TILE: usize = 8;
/// Blocks whose values are all below this become zero: their scale's inverse would overflow.
const TINY: f32 = 1e-30;

/// Largest integer: `256 * 127 + 127`, so that it can be cut into two signed bytes.
const LARGEST: f32 = 32639.0;

/// Thirty-two quantised columns of one token: `256 * high + low`, both signed bytes, four columns to a word.
#[derive(Clone, Copy, Debug, PartialEq, Zeroize)]
#[repr(C)]
pub struct ActivationBlock {
    pub(crate) high: [u32; BLOCK / 4],
    pub(crate) low: [u32; BLOCK / 4],
    /// Sum of the integers.
    pub(crate) total: i32,
    /// Sum of the first sixteen of them, for weights with a scale for each half.
    pub(crate) half_total: i32,
    /// What one step is worth.
    pub(crate) scale: f32,
    /// `scale * total`, for weights that have an offset.
    pub(crate) sum: f32,
}

impl ActivationBlock {
    /// All zero.
    pub const ZERO: Self = Self {
        high: [0; BLOCK / 4],
        low: [0; BLOCK / 4],
        total: 0,
        half_total: 0,
        scale: 0.0,
        sum: 0.0,
    };

    /// What becomes of values that are not finite.
    pub const NOT_FINITE: Self = Self {
        scale: f32::NAN,
        sum: f32::NAN,
        ..Self::ZERO
    };

    /// The integers, column by column.
    pub(crate) fn integers(&self) -> [i32; BLOCK] {
        let words = self.high.iter().zip(&self.low);
        let pairs =
            words.flat_map(|(high, low)| high.to_le_bytes().into_iter().zip(low.to_le_bytes()));
        let mut integers =
            pairs.map(|(high, low)| 256 * i32::from(high as i8) + i32::from(low as i8));
        std::array::from_fn(|_| integers.next().unwrap_or(0))
    }

    /// Cuts integers into bytes.
    fn from_integers(integers: [i32; BLOCK], scale: f32) -> Self {
        let words = |shift: u32, round: i32| {
            let mut quads = integers.as_chunks::<4>().0.iter();
            std::array::from_fn(|_| {
                let quad = quads.next().copied().unwrap_or_default();
                u32::from_le_bytes(quad.map(|integer| ((integer + round) >> shift) as u8))
            })
        };
        let total = integers.iter().sum();
        Self {
            high: words(8, 128),
            low: words(0, 0),
            total,
            half_total: integers.iter().take(BLOCK / 2).sum(),
            scale,
            sum: scale * total as f32,
        }
    }
}

/// Where values come from: vectors of sixteen columns at `token * token_stride + panel * panel_stride`.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    values: &'a [f32],
    panels: usize,
    token_stride: usize,
    panel_stride: usize,
}

impl<'a> Source<'a> {
    /// Layout `[token][column]`.
    pub fn rows(values: &'a [f32], columns: usize) -> Self {
        Self {
            values,
            panels: columns / LANES,
            token_stride: columns,
            panel_stride: LANES,
        }
    }

    /// Layout `[panel][token][16]`, as matrix products write it.
    pub fn panels_of(values: &'a [f32], tokens: usize) -> Self {
        Self {
            values,
            panels: values.len() / (tokens * LANES),
            token_stride: LANES,
            panel_stride: tokens * LANES,
        }
    }

    /// The first panel of each pair of panels, as [`crate::silu_mul`] writes it.
    pub fn even_panels_of(values: &'a [f32], tokens: usize) -> Self {
        let all = Self::panels_of(values, tokens);
        Self {
            panels: all.panels / 2,
            panel_stride: 2 * all.panel_stride,
            ..all
        }
    }

    /// Copies columns of a token, `first_column` on; both that and their number are multiples of 16.
    pub fn read(&self, token: usize, first_column: usize, out: &mut [f32]) {
        for (panel, out) in out.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
            *out = *self.lanes(token, first_column / LANES + panel);
        }
    }

    /// Columns of a token.
    pub fn columns(&self) -> usize {
        self.panels * LANES
    }

    pub(crate) fn panels(&self) -> usize {
        self.panels
    }

    #[inline]
    #[expect(
        clippy::indexing_slicing,
        reason = "a wrong shape is the caller's mistake"
    )]
    pub(crate) fn lanes(&self, token: usize, panel: usize) -> &'a Lanes {
        let start = token * self.token_stride + panel * self.panel_stride;
        &self.values[start..].as_chunks().0[0]
    }
}

/// Quantises one tile of tokens, `first_token` on, with or without normalising first.
///
/// `out` is `[block][token]`; its length says how many tokens (1 to [`TILE`]) there are.
///
/// # Panics
/// If `out` is no whole number of tokens, the columns no whole number of blocks, or the weights of `norm` too few.
pub fn quantize(
    isa: Isa,
    source: &Source<'_>,
    norm: Option<Norm<'_>>,
    first_token: usize,
    out: &mut [ActivationBlock],
) {
    let blocks = source.columns() / BLOCK;
    assert_eq!(source.columns() % BLOCK, 0, "whole blocks");
    assert_eq!(out.len() % blocks, 0, "whole tokens");
    assert!(norm.is_none_or(|norm| norm.weights.len() == source.columns()));
    let tokens = out.len() / blocks;
    for token in 0..tokens {
        let at = first_token + token;
        let factor = norm.map(|norm| rms_norm::factor(isa, source, at, norm.epsilon));
        let scaling = norm.zip(factor).map(|(norm, factor)| Scaling {
            factor,
            weights: norm.weights.as_chunks().0,
        });
        let mut out = out.iter_mut().skip(token).step_by(tokens);
        row(isa, source, at, scaling, &mut out);
    }
}

/// What a token's values are multiplied with before they are quantised: first the factor, then the column's weight.
#[derive(Clone, Copy)]
struct Scaling<'a> {
    factor: f32,
    weights: &'a [Lanes],
}

fn row<'b>(
    isa: Isa,
    source: &Source<'_>,
    token: usize,
    scaling: Option<Scaling<'_>>,
    out: &mut impl Iterator<Item = &'b mut ActivationBlock>,
) {
    match isa.path() {
        Path::Scalar => scalar::row(source, token, scaling, out),
        #[cfg(target_arch = "x86_64")]
        #[expect(unsafe_code, reason = "launcher")]
        // SAFETY: an `Isa` with this path exists only where its instructions were detected.
        Path::Avx2 => unsafe { avx2::row(source, token, scaling, out) },
        #[cfg(target_arch = "x86_64")]
        #[expect(unsafe_code, reason = "launcher")]
        // SAFETY: an `Isa` with this path exists only where its instructions were detected.
        Path::Avx512Vnni => unsafe { avx512::row(source, token, scaling, out) },
    }
}

#[cfg(test)]
mod tests;
