//! Normalisation and gates: fast_rms_norm, fast_silu_mul. The results are bf16: within 2^-8 of the exact ones.

use crate::{
    cuda_cpu::{Arguments, Memory, Shape, in_both_orders, library},
    values, widened,
};

const TOLERANCE: f64 = 1.0 / 256.0;

fn assert_near(got: &[u16], exact: impl Iterator<Item = f64>) {
    for (index, (got, exact)) in got.iter().zip(exact).enumerate() {
        let error = (widened(*got) - exact).abs();
        assert!(
            error <= TOLERANCE * exact.abs(),
            "{index}: {exact}, off by {error}"
        );
    }
}

/// Of the rows of those numbers; of all where there are none.
fn rms_norm(stream: &[f32], source_rows: &[u32], weights: &[f32]) -> Vec<u16> {
    let columns = weights.len();
    let rows = match source_rows.len() {
        0 => stream.len() / columns,
        rows => rows,
    };
    in_both_orders(|| {
        let (stream, scales) = (Memory::of(stream), Memory::of(weights));
        let (numbers, out) = (Memory::of(source_rows), Memory::unwritten(rows * columns));
        let arguments = Arguments::new().memory(&stream);
        let arguments = match source_rows {
            [] => arguments.null(),
            _ => arguments.memory(&numbers),
        };
        let arguments = arguments.memory(&scales).memory(&out);
        let arguments = arguments.value(columns as u32).value(1e-5_f32);
        let rows = rows as u32;
        let launched = library().launch("fast_rms_norm", Shape::plane(rows, 1, 256), arguments);
        launched.unwrap();
        out.read()
    })
}

#[test]
fn rms_norm_is_near_and_batch_invariant() {
    for columns in [576, 64, 1_030] {
        let (stream, weights) = (values(3, 5 * columns), values(4, columns));
        let got = rms_norm(&stream, &[], &weights);
        let row = |row: usize| &got[row * columns..][..columns];
        assert_eq!(
            rms_norm(&stream[3 * columns..][..columns], &[], &weights),
            row(3)
        );
        assert_eq!(
            rms_norm(&stream, &[4, 1], &weights),
            [row(4), row(1)].concat()
        );
        for (row, got) in stream.chunks(columns).zip(got.chunks(columns)) {
            let squares: f64 = row.iter().map(|x| f64::from(*x).powi(2)).sum();
            let factor = 1.0 / (squares / columns as f64 + 1e-5).sqrt();
            let pairs = row.iter().zip(&weights);
            assert_near(
                got,
                pairs.map(|(x, w)| f64::from(*x) * factor * f64::from(*w)),
            );
        }
    }
}

fn silu_mul(gate_up: &[f32], columns: usize) -> Vec<u16> {
    let rows = gate_up.len() / 2 / columns;
    in_both_orders(|| {
        let (gate_up, out) = (Memory::of(gate_up), Memory::unwritten(rows * columns));
        let arguments = Arguments::new().memory(&gate_up).memory(&out);
        let arguments = arguments.value(columns as u32);
        let shape = Shape::plane(rows as u32, columns.div_ceil(512) as u32, 256);
        library().launch("fast_silu_mul", shape, arguments).unwrap();
        out.read()
    })
}

#[test]
fn silu_mul_is_near_and_batch_invariant() {
    for columns in [1_536, 6] {
        let gate_up: Vec<f32> = values(5, 6 * columns).iter().map(|x| x * 8.0).collect();
        let got = silu_mul(&gate_up, columns);
        assert_eq!(
            silu_mul(&gate_up[2 * columns..][..2 * columns], columns),
            got[columns..][..columns]
        );
        for (row, got) in gate_up.chunks(2 * columns).zip(got.chunks(columns)) {
            let (gate, up) = row.split_at(columns);
            let pairs = gate.iter().zip(up);
            let silu = |gate: f64| gate / (1.0 + (-gate).exp());
            assert_near(
                got,
                pairs.map(|(gate, up)| silu(f64::from(*gate)) * f64::from(*up)),
            );
        }
    }
}
