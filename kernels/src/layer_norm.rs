//! Layer normalisation in place: `(x - mean) / sqrt(variance + epsilon) * weight + bias`, token by token.
//!
//! Layout `[panel][token][16]`. Order: lane `i` sums columns `i, i + 16, ...` in index order, then [`lanes::sum`]; so does the
//! variance, of the squares of `x - mean`. Every operation is rounded: plain code gives the same bits on every path, so there
//! is no other.

use crate::lanes::{self, LANES, Lanes};

/// Weights of a layer normalisation.
#[derive(Clone, Copy)]
pub struct LayerNorm<'a> {
    /// One for each column.
    pub weights: &'a [f32],
    /// One for each column.
    pub bias: &'a [f32],
    /// Added to the variance.
    pub epsilon: f32,
}

/// Normalises each of `tokens` tokens.
///
/// # Panics
/// If the lengths disagree.
pub fn layer_norm(norm: LayerNorm<'_>, tokens: usize, values: &mut [f32]) {
    assert_eq!(values.len(), norm.weights.len() * tokens);
    assert_eq!(norm.weights.len(), norm.bias.len());
    (0..tokens).for_each(|token| normalize(norm, token, tokens, values));
}

fn normalize(norm: LayerNorm<'_>, token: usize, tokens: usize, values: &mut [f32]) {
    let columns = norm.weights.len() as f32;
    let rows = values.as_chunks_mut::<LANES>().0;
    let mean = total(rows.iter().skip(token).step_by(tokens), |x| x) / columns;
    let squares = total(rows.iter().skip(token).step_by(tokens), |x| {
        (x - mean) * (x - mean)
    });
    let factor = 1.0 / (squares / columns + norm.epsilon).sqrt();
    let scales = norm.weights.as_chunks::<LANES>().0.iter();
    let scales = scales.zip(norm.bias.as_chunks::<LANES>().0);
    let rows = rows.iter_mut().skip(token).step_by(tokens);
    for (row, (weights, bias)) in rows.zip(scales) {
        for (x, (weight, bias)) in row.iter_mut().zip(weights.iter().zip(bias)) {
            *x = (*x - mean) * factor * weight + bias;
        }
    }
}

fn total<'a>(rows: impl Iterator<Item = &'a Lanes>, term: impl Fn(f32) -> f32) -> f32 {
    let mut total = [0.0; LANES];
    for row in rows {
        for (total, x) in total.iter_mut().zip(row) {
            *total += term(*x);
        }
    }
    lanes::sum(&total)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(i: usize) -> f32 {
        (i * 7919 % 2003) as f32 / 500.0 - 1.0
    }

    #[test]
    fn agrees_with_f64() {
        let (columns, tokens) = (96, 3);
        let weights: Vec<f32> = (0..columns).map(|i| 1.0 + noise(i) / 8.0).collect();
        let bias: Vec<f32> = (0..columns).map(|i| noise(i + 50)).collect();
        let before: Vec<f32> = (0..columns * tokens).map(|i| noise(i + 99)).collect();
        let mut after = before.clone();
        let norm = LayerNorm {
            weights: &weights,
            bias: &bias,
            epsilon: 1e-12,
        };
        layer_norm(norm, tokens, &mut after);
        let at = |column: usize, token| column / 16 * 16 * tokens + token * 16 + column % 16;
        for token in 0..tokens {
            let x: Vec<f64> = (0..columns)
                .map(|column| f64::from(before[at(column, token)]))
                .collect();
            let mean = x.iter().sum::<f64>() / x.len() as f64;
            let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / x.len() as f64;
            for (column, x) in x.iter().enumerate() {
                let exact = (x - mean) / variance.sqrt() * f64::from(weights[column])
                    + f64::from(bias[column]);
                let got = f64::from(after[at(column, token)]);
                assert!(
                    (got - exact).abs() < 2e-6,
                    "{token} {column}: {got} {exact}"
                );
            }
        }
    }

    #[test]
    fn a_token_is_normalised_alike_alone_and_among_others() {
        let weights = [1.5; 32];
        let norm = LayerNorm {
            weights: &weights,
            bias: &[0.25; 32],
            epsilon: 1e-12,
        };
        let mut together: Vec<f32> = (0..64).map(noise).collect();
        let mut alone: Vec<f32> = [&together[16..32], &together[48..64]].concat();
        layer_norm(norm, 2, &mut together);
        layer_norm(norm, 1, &mut alone);
        assert_eq!(alone, [&together[16..32], &together[48..64]].concat());
    }
}
