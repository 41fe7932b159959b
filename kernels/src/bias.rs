//! A bias added to products: `out[panel][token][lane] += bias[16 * panel + lane]`, one rounded addition each: plain code gives
//! the same bits on every path, so there is no other.

use crate::lanes::LANES;

/// Adds to the panels of `tokens` tokens that `out` holds.
///
/// # Panics
/// If the lengths disagree.
pub fn add_bias(tokens: usize, bias: &[f32], out: &mut [f32]) {
    assert_eq!(out.len(), bias.len() * tokens);
    let panels = out.chunks_exact_mut(tokens * LANES);
    for (panel, bias) in panels.zip(bias.as_chunks::<LANES>().0) {
        for row in panel.as_chunks_mut::<LANES>().0 {
            row.iter_mut()
                .zip(bias)
                .for_each(|(out, bias)| *out += bias);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_token_gets_the_bias_of_its_column() {
        let mut out = vec![1.0; 2 * 3 * LANES];
        let bias: Vec<f32> = (0..2 * LANES).map(|column| column as f32).collect();
        add_bias(3, &bias, &mut out);
        for (index, value) in out.into_iter().enumerate() {
            let column = index / (3 * LANES) * LANES + index % LANES;
            assert_eq!(value, 1.0 + column as f32);
        }
    }

    #[test]
    #[should_panic(expected = "assertion")]
    fn a_bias_of_another_width_is_refused() {
        add_bias(1, &[0.0; 16], &mut [0.0; 32]);
    }
}
