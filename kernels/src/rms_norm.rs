//! Root-mean-square normalisation: the factor `1 / sqrt(mean(x^2) + epsilon)` of a token.
//!
//! Order: lane `i` sums columns `i, i + 16, ...` in index order with fused multiply-adds, then [`lanes::sum`].
//! The factor and the weights are applied by [`crate::quantize`], on the way into the next product, or here: a value is
//! multiplied with the factor, then with its weight.

use crate::{
    isa::{Isa, Path},
    lanes::{self, LANES},
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

/// Normalises one row in place.
///
/// # Panics
/// If there are not as many weights as values, or no whole vectors of them.
pub fn normalize(isa: Isa, norm: Norm<'_>, row: &mut [f32]) {
    assert_eq!(norm.weights.len(), row.len());
    assert_eq!(row.len() % LANES, 0, "whole vectors");
    let factor = factor(isa, &Source::rows(row, row.len()), 0, norm.epsilon);
    for (value, weight) in row.iter_mut().zip(norm.weights) {
        *value = *value * factor * weight;
    }
}

/// Normalises each of `tokens` tokens of `values` and adds them to `stream`; both are `[panel][token][16]`.
///
/// # Panics
/// If the lengths disagree.
pub fn add_normalized(isa: Isa, norm: Norm<'_>, tokens: usize, values: &[f32], stream: &mut [f32]) {
    assert_eq!(values.len(), norm.weights.len() * tokens);
    assert_eq!(values.len(), stream.len());
    let source = Source::panels_of(values, tokens);
    let factors: Vec<f32> = (0..tokens)
        .map(|token| factor(isa, &source, token, norm.epsilon))
        .collect();
    let rows = values.as_chunks::<LANES>().0.iter();
    let rows = rows.zip(stream.as_chunks_mut::<LANES>().0);
    for (index, (values, stream)) in rows.enumerate() {
        let weights = norm.weights.as_chunks::<LANES>().0.get(index / tokens);
        let factor = factors.get(index % tokens).copied().unwrap_or_default();
        let lanes = stream.iter_mut().zip(values);
        for ((out, value), weight) in lanes.zip(weights.unwrap_or(&[0.0; LANES])) {
            *out += value * factor * weight;
        }
    }
}

/// The factor of one token of `source`.
pub(crate) fn factor(isa: Isa, source: &Source<'_>, token: usize, epsilon: f32) -> f32 {
    let squares = match isa.path() {
        Path::Scalar => squares(source, token),
        #[cfg(target_arch = "x86_64")]
        #[expect(unsafe_code, reason = "launcher")]
        // SAFETY: an `Isa` with this path exists only where its instructions were detected.
        Path::Avx2 => unsafe { avx2::squares(source, token) },
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
mod avx2 {
    use std::arch::x86_64::*;

    use crate::{
        lanes::avx2::{halves, load, sum},
        quantize::Source,
    };

    #[target_feature(enable = "avx2,fma")]
    pub(super) fn squares(source: &Source<'_>, token: usize) -> f32 {
        let mut total = [_mm256_setzero_ps(); 2];
        for panel in 0..source.panels() {
            for (total, half) in total.iter_mut().zip(halves(source.lanes(token, panel))) {
                let values = load(half);
                *total = _mm256_fmadd_ps(values, values, *total);
            }
        }
        sum(total)
    }
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
