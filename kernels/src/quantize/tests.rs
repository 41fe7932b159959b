//! Error bound, layouts, and parity of the paths.

use super::*;

const COLUMNS: usize = 96;
const TOKENS: usize = 5;

fn rows() -> Vec<f32> {
    let value = |i: usize| ((i * 7919) % 1009) as f32 / 100.0 - 5.0;
    let mut rows: Vec<f32> = (0..TOKENS * COLUMNS).map(value).collect();
    rows[32..64].fill(0.0);
    rows[64..96].fill(-1e-35);
    rows[96..128].fill(3e30);
    rows
}

fn tile(isa: Isa, source: &Source<'_>, norm: Option<Norm<'_>>) -> Vec<ActivationBlock> {
    let mut out = vec![ActivationBlock::ZERO; TOKENS * COLUMNS / BLOCK];
    quantize(isa, source, norm, 0, &mut out);
    out
}

fn value(tile: &[ActivationBlock], token: usize, column: usize) -> f32 {
    let block = &tile[column / BLOCK * TOKENS + token];
    block.integers()[column % BLOCK] as f32 * block.scale
}

#[test]
fn the_error_is_at_most_half_a_step() {
    let rows = rows();
    let tile = tile(Isa::scalar(), &Source::rows(&rows, COLUMNS), None);
    for (at, exact) in rows.iter().enumerate() {
        let (token, column) = (at / COLUMNS, at % COLUMNS);
        let step = tile[column / BLOCK * TOKENS + token].scale;
        let error = (value(&tile, token, column) - exact).abs();
        assert!(error <= 0.51 * step.max(TINY), "{at}: {error}");
    }
}

#[test]
fn the_sum_is_that_of_the_quantised_values() {
    let rows = rows();
    for block in tile(Isa::scalar(), &Source::rows(&rows, COLUMNS), None) {
        let total: i32 = block.integers().iter().sum();
        assert_eq!(block.total, total);
        let half: i32 = block.integers()[..16].iter().sum();
        assert_eq!(block.half_total, half);
        assert_eq!(block.sum, block.scale * total as f32);
    }
}

#[test]
fn normalises_before_it_rounds() {
    let rows: Vec<f32> = rows().into_iter().map(|v| v.clamp(-5.0, 5.0)).collect();
    let weights: Vec<f32> = (0..COLUMNS).map(|i| 0.5 + i as f32 / 64.0).collect();
    let norm = Norm {
        weights: &weights,
        epsilon: 1e-5,
    };
    let source = Source::rows(&rows, COLUMNS);
    let tile = tile(Isa::scalar(), &source, Some(norm));
    let factor = rms_norm::factor(Isa::scalar(), &source, 3, 1e-5);
    let exact = rows[3 * COLUMNS + 40] * factor * weights[40];
    assert!((value(&tile, 3, 40) - exact).abs() < 1e-3);
}

#[test]
fn layouts_agree() {
    let rows = rows();
    let mut panels = vec![0.0; rows.len()];
    let mut pairs = vec![9.0; 2 * rows.len()];
    for (at, value) in rows.iter().enumerate() {
        let (token, panel, lane) = (at / COLUMNS, at % COLUMNS / 16, at % 16);
        panels[(panel * TOKENS + token) * 16 + lane] = *value;
        pairs[(2 * panel * TOKENS + token) * 16 + lane] = *value;
    }
    let expected = tile(Isa::scalar(), &Source::rows(&rows, COLUMNS), None);
    assert_eq!(
        expected,
        tile(Isa::scalar(), &Source::panels_of(&panels, TOKENS), None)
    );
    assert_eq!(
        expected,
        tile(Isa::scalar(), &Source::even_panels_of(&pairs, TOKENS), None)
    );
}

#[test]
fn the_paths_agree() {
    let rows = rows();
    let weights: Vec<f32> = (0..COLUMNS).map(|i| 1.5 - i as f32 / 64.0).collect();
    let source = Source::rows(&rows, COLUMNS);
    for norm in [
        None,
        Some(Norm {
            weights: &weights,
            epsilon: 1e-5,
        }),
    ] {
        let scalar = tile(Isa::scalar(), &source, norm);
        for isa in Isa::all_here() {
            assert_eq!(scalar, tile(isa, &source, norm), "{isa:?}");
        }
    }
}

#[test]
fn what_is_not_finite_makes_its_block_no_number_on_every_path() {
    for fault in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        for at in 0..BLOCK {
            let mut row = [0.25; 2 * BLOCK];
            row[at] = fault;
            let source = Source::rows(&row, 2 * BLOCK);
            for isa in Isa::all_here() {
                let mut out = [ActivationBlock::ZERO; 2];
                quantize(isa, &source, None, 0, &mut out);
                let [first, second] = &out;
                assert!(first.scale.is_nan() && first.sum.is_nan(), "{isa:?} {at}");
                assert_eq!((first.total, first.half_total), (0, 0));
                assert_eq!(first.integers(), [0; BLOCK]);
                assert_eq!(second.integers(), [32639; BLOCK], "{isa:?}");
            }
        }
    }
}

#[test]
#[should_panic(expected = "whole tokens")]
fn part_of_a_token_is_refused() {
    quantize(
        Isa::scalar(),
        &Source::rows(&rows(), COLUMNS),
        None,
        0,
        &mut [ActivationBlock::ZERO; 4],
    );
}

#[test]
fn the_largest_value_is_cut_into_two_bytes() {
    let mut row = [0.25; BLOCK];
    (row[3], row[31]) = (-1.0, 1.0);
    for isa in Isa::all_here() {
        let mut out = [ActivationBlock::ZERO];
        quantize(isa, &Source::rows(&row, BLOCK), None, 0, &mut out);
        let integers = out[0].integers();
        assert_eq!(
            (integers[3], integers[31], integers[0]),
            (-32639, 32639, 8160)
        );
    }
}
