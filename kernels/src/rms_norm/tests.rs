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
        for isa in Isa::all_here() {
            let got = factor(isa, &source, token, 1e-5);
            assert_eq!(scalar.to_bits(), got.to_bits(), "{isa:?}");
        }
    }
}

#[test]
fn a_row_and_panels_are_normalised_alike() {
    let rows: Vec<f32> = (0..2 * 64)
        .map(|i| ((i * 37) % 101) as f32 / 50.0 - 1.0)
        .collect();
    let weights: Vec<f32> = (0..64).map(|i| 1.0 + i as f32 / 64.0).collect();
    let norm = Norm {
        weights: &weights,
        epsilon: 1e-6,
    };
    let mut panels = vec![0.0; rows.len()];
    for (index, value) in rows.iter().enumerate() {
        let (token, column) = (index / 64, index % 64);
        panels[column / 16 * 32 + token * 16 + column % 16] = *value;
    }
    for isa in Isa::all_here() {
        let mut stream = vec![0.25; rows.len()];
        add_normalized(isa, norm, 2, &panels, &mut stream);
        for (token, row) in rows.chunks(64).enumerate() {
            let mut row = row.to_vec();
            normalize(isa, norm, &mut row);
            for (column, value) in row.into_iter().enumerate() {
                let got = stream[column / 16 * 32 + token * 16 + column % 16];
                assert_eq!(got.to_bits(), (0.25 + value).to_bits());
            }
        }
    }
}

#[test]
#[should_panic(expected = "left == right")]
fn weights_of_another_width_are_refused() {
    let norm = Norm {
        weights: &[1.0; 16],
        epsilon: 1e-6,
    };
    normalize(Isa::scalar(), norm, &mut [0.0; 32]);
}
