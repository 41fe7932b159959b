//! Against `f64`, and parity of the paths.

use super::*;

fn panels() -> Vec<f32> {
    (0..4 * 3 * 16)
        .map(|i| ((i * 71) % 193) as f32 / 8.0 - 12.0)
        .collect()
}

#[test]
fn agrees_with_f64() {
    let before = panels();
    let mut after = before.clone();
    gelu_mul(Isa::scalar(), 3, &mut after);
    for (before, after) in before.chunks(96).zip(after.chunks(96)) {
        for i in 0..48 {
            let (gate, up) = (f64::from(before[i]), f64::from(before[48 + i]));
            let inner = (2.0 / std::f64::consts::PI).sqrt() * (gate + 0.044_715 * gate.powi(3));
            let expected = gate / 2.0 * (1.0 + inner.tanh()) * up;
            assert!((f64::from(after[i]) - expected).abs() <= 1e-6 * (1.0 + expected.abs()));
        }
    }
}

#[test]
fn the_paths_agree() {
    let mut scalar = panels();
    gelu_mul(Isa::scalar(), 3, &mut scalar);
    for isa in Isa::all_here() {
        let mut got = panels();
        gelu_mul(isa, 3, &mut got);
        assert_eq!(bits(&scalar), bits(&got), "{isa:?}");
    }
}

#[test]
#[should_panic(expected = "whole pairs")]
fn half_a_pair_is_refused() {
    gelu_mul(Isa::scalar(), 3, &mut [0.0; 48]);
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|v| v.to_bits()).collect()
}
