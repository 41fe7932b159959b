//! Root-mean-square normalisation: the factor `1 / sqrt(mean(x^2) + epsilon)` of a token.
//!
//! Order: lane `i` sums columns `i, i + 16, ...` in index order with fused multiply-adds, then [`lanes::sum`].
//! The factor and the weights are applied by [`crate::quantize`], on the way into the next product.

use crate::{
    isa::{Isa, Path},
    lanes,
    quantize::Source,
};

/// Weights of a normalisation.
#[derive(Clone, Copy)]
pub struct Norm<'a> {
    /// One for each column.
    pub weights: &'a [f32],
    /// Added to the mean square.
    pub epsilon: f32,
}

/// The factor of one token of `source`.
pub(crate) fn factor(isa: Isa, source: &Source<'_>, token: usize, epsilon: f32) -> f32 {
    let squares = match isa.path() {
        Path::Scalar => squares(source, token),
        #[cfg(target_arch = "x86_64")]
        #[expect(unsafe_code, reason = "launcher")]
        // SAFETY: an `Isa` with this path exists only where its instructions were detected.
        Path::Avx512Vnni => unsafe { avx512::squares(source, token) },
    };
    1.0 / (squares / source.columns() as f32 + epsilon).sqrt()
}

fn squares(source: &Source<'_>, token: usize) -> f32 {
    let mut total = [0.0; 16];
    for panel in 0..source.panels() {
        let values = source.lanes(token, panel);
        for (total, value) in total.iter_mut().zip(values) {
            *total = value.mul_add(*value, *total);
        }
    }
    lanes::sum(&total)
}

#[cfg(target_arch = "x86_64")]
mod avx512 {
    use std::arch::x86_64::*;

    use crate::{lanes::avx512::*, quantize::Source};

    #[target_feature(enable = "avx512f")]
    pub(super) fn squares(source: &Source<'_>, token: usize) -> f32 {
        let mut total = _mm512_setzero_ps();
        for panel in 0..source.panels() {
            let values = load(source.lanes(token, panel));
            total = _mm512_fmadd_ps(values, values, total);
        }
        sum(total)
    }
}

#[cfg(test)]
mod tests;
