//! The factor against `f64`, and parity of the paths.

use super::*;

#[test]
fn agrees_with_f64_on_every_path() {
    let values: Vec<f32> = (0..3 * 96)
        .map(|i| ((i * 37) % 101) as f32 / 50.0 - 1.0)
        .collect();
    let source = Source::rows(&values, 96);
    for (token, row) in values.chunks(96).enumerate() {
        let mean = row.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>() / 96.0;
        let expected = 1.0 / (mean + 1e-5).sqrt();
        let scalar = factor(Isa::scalar(), &source, token, 1e-5);
        assert!((f64::from(scalar) / expected - 1.0).abs() < 1e-6);
        let fast = factor(Isa::detect(), &source, token, 1e-5);
        assert_eq!(scalar.to_bits(), fast.to_bits());
    }
}
