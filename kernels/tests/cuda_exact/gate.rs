//! `exact_silu_quantize` and `exact_gelu_quantize` against `kernels::silu_mul`, `kernels::gelu_mul` and `kernels::quantize`.

use kernels::{
    Isa,
    gelu_mul::gelu_mul,
    quantize::{ActivationBlock, BLOCK, Source, quantize},
    silu_mul::silu_mul,
};

use crate::{
    cuda_cpu::{Arguments, Memory, in_both_orders},
    launch::launch,
    weights::{FAULTS, floats, shown},
};

type Gate = fn(Isa, usize, &mut [f32]);

const GATES: [(&str, Gate); 2] = [
    ("exact_silu_quantize", silu_mul),
    ("exact_gelu_quantize", gelu_mul),
];

fn expected(isa: Isa, gate: Gate, row: &[f32]) -> Vec<ActivationBlock> {
    let mut row = row.to_vec();
    gate(isa, 1, &mut row);
    let mut out = vec![ActivationBlock::ZERO; row.len() / 2 / BLOCK];
    quantize(isa, &Source::even_panels_of(&row, 1), None, 0, &mut out);
    out
}

fn gated(entry: &str, values: &[f32], columns: usize) -> Vec<ActivationBlock> {
    let rows = values.len() / (2 * columns);
    let values = Memory::of(values);
    let out = Memory::unwritten(rows * columns / BLOCK);
    let arguments = Arguments::new()
        .memory(&values)
        .memory(&out)
        .value(columns as u32);
    launch(entry, (rows, columns.div_ceil(1024)), 256, arguments);
    out.read()
}

#[test]
fn gated_blocks_have_the_cpus_bits() {
    for ((entry, gate), columns) in GATES
        .into_iter()
        .flat_map(|gate| [32, 288, 1536].map(|columns| (gate, columns)))
    {
        let mut values = floats(columns as u64, 3 * 2 * columns);
        // Beyond the range of the exponential, on both sides.
        values
            .iter_mut()
            .step_by(7)
            .for_each(|value| *value *= 60.0);
        let got = in_both_orders(|| gated(entry, &values, columns));
        let rows = values.chunks(2 * columns);
        for (row, got) in rows.zip(got.chunks(columns / BLOCK)) {
            assert_eq!(got, expected(Isa::scalar(), gate, row), "{entry} {columns}");
        }
    }
}

/// A row of one block for each fault in each gate and each up, beside partners that would hide it if anything did.
fn faulty_rows() -> Vec<f32> {
    let sound = floats(3, 64);
    let mut rows = Vec::new();
    for (fault, at) in FAULTS
        .into_iter()
        .flat_map(|fault| (0..64).map(move |at| (fault, at)))
    {
        for partner in [sound[at ^ 16], 0.0, -1e-45, -200.0] {
            let mut row = sound.clone();
            (row[at], row[at ^ 16]) = (fault, partner);
            rows.extend(row);
        }
    }
    rows
}

#[test]
fn what_is_not_finite_makes_its_block_no_number() {
    let values = faulty_rows();
    for (entry, gate) in GATES {
        let got = in_both_orders(|| shown(&gated(entry, &values, 32)));
        for (row, got) in values.chunks(64).zip(&got) {
            for isa in Isa::all_here() {
                assert_eq!(*got, shown(&expected(isa, gate, row))[0], "{entry} {isa:?}");
            }
            assert_eq!(*got, shown(&[ActivationBlock::NOT_FINITE])[0], "{entry}");
        }
    }
}
