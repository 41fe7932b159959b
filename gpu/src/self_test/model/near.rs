//! How near logits of the fast arithmetic have to be to a CPU's.

use engine::model::ModelConfig;

/// What bf16 rounds off a value at most, as a part of it: it keeps eight bits.
const ROUNDING: f64 = 1.0 / 512.0;
/// Roundings that follow one another in a layer: two normalised rows, four matrices, heads turned, weights of positions, what was
/// attended to, what was gated.
const LAYER_ROUNDINGS: usize = 10;
/// And of the logits: the normalised row, the matrix.
const OUTPUT_ROUNDINGS: usize = 2;
/// So many deviations off is no logit of a million, by far; the rest is for models that make errors larger on their way.
const DEVIATIONS: f64 = 8.0;

/// Bounds of single logits.
///
/// The CPU rounds activations to 16 bits, which is nothing beside bf16. A rounding is off by [`ROUNDING`] over the root of 3 as a root
/// mean square, this way or that: `n` of them by the root of `n` times that, as a part of how far logits are from their mean. The
/// sums between are of f32, and round off nothing that counts.
///
/// Of the tests' models, of up to six layers, the worst logit takes 0.6 of its bound; larger models were not measured.
#[derive(Clone, Copy)]
pub(super) struct Bound {
    /// As a part of how far logits are from their mean.
    part: f64,
}

impl Bound {
    pub(super) fn of(config: &ModelConfig) -> Self {
        // 0.03 for one layer, 0.16 for 32, 0.26 for 80.
        let roundings = LAYER_ROUNDINGS * config.layers + OUTPUT_ROUNDINGS;
        let deviation = ROUNDING * (roundings as f64 / 3.0).sqrt();
        Self {
            part: DEVIATIONS * deviation,
        }
    }

    /// Whether each of these logits (as bits) is near what is expected: off by no more than this part of how far that is from the mean
    /// of all, and of how far all are as a root mean square.
    pub(super) fn holds(self, row: &[u32], expected: &[f32]) -> bool {
        let count = expected.len() as f64;
        let mean = expected.iter().map(|v| f64::from(*v)).sum::<f64>() / count;
        let offsets = expected.iter().map(|v| f64::from(*v) - mean);
        let spread = (offsets.map(|v| v.powi(2)).sum::<f64>() / count).sqrt();
        let mut pairs = row.iter().zip(expected);
        let near = pairs.all(|(bits, expected)| {
            let (value, expected) = (f64::from(f32::from_bits(*bits)), f64::from(*expected));
            (value - expected).abs() <= self.part * (spread + (expected - mean).abs())
        });
        near && row.len() == expected.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 1, -1, 1, -1, ..: mean 0, spread 1.
    const EXPECTED: [f32; 64] = {
        let mut values = [1.0; 64];
        let mut i = 1;
        while i < 64 {
            values[i] = -1.0;
            i += 2;
        }
        values
    };

    fn holds(change: impl Fn(&mut [f32; 64])) -> bool {
        let mut row = EXPECTED;
        change(&mut row);
        let bits = row.map(f32::to_bits);
        Bound { part: 0.01 }.holds(&bits, &EXPECTED)
    }

    #[test]
    fn each_logit_is_near_for_itself() {
        assert!(holds(|_| ()));
        assert!(holds(|row| row[7] += 0.0199));
        assert!(!holds(|row| row[7] += 0.0201));
        assert!(!holds(|row| row[63] -= 0.0201));
        assert!(!holds(|row| row[0] = f32::NAN));
        let bits = EXPECTED.map(f32::to_bits);
        assert!(!Bound { part: 0.01 }.holds(&bits[..63], &EXPECTED));
        assert!(!Bound { part: 0.01 }.holds(&[], &EXPECTED));
    }
}
