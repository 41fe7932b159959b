//! What is done to rows between two products: gates, and normalised branches.

use kernels::{
    Isa,
    gelu_mul::gelu_mul,
    lanes::LANES,
    matmul::{Activations, Format, Matrix, Mode, matmul},
    quantize::{ActivationBlock, BLOCK, Source, quantize},
    rms_norm::{Norm, add_normalized},
    silu_mul::silu_mul,
};

use super::{Answers, SelfTestError, bench::Bench, noise::Noise};
use crate::{
    Device,
    operations::{
        Accumulate, AddNormalized, DeviceMatrix, DeviceNorm, Gate, GateQuantize, Multiply,
        activation_bytes,
    },
};

/// More than a block of threads has.
const COLUMNS: usize = 1056;
const ROWS: usize = 3;
const EPSILON: f32 = 1e-6;

/// What the CPU does to pairs of panels.
type Function = fn(Isa, usize, &mut [f32]);

pub(super) fn test<D: Device>(
    bench: &mut Bench<D>,
    answers: &mut Answers,
) -> Result<(), SelfTestError> {
    gate(bench, answers, (Gate::Silu, silu_mul))?;
    gate(bench, answers, (Gate::Gelu, gelu_mul))?;
    added(bench, answers)
}

/// A gate's result, by what a product makes of it.
fn gate<D: Device>(
    bench: &mut Bench<D>,
    answers: &mut Answers,
    (gate, function): (Gate, Function),
) -> Result<(), SelfTestError> {
    let mut noise = Noise::new(101);
    let gate_up: Vec<f32> = noise.floats(ROWS * 2 * COLUMNS);
    let gate_up: Vec<f32> = gate_up.iter().map(|value| 8.0 * value).collect();
    let bytes = noise.blocks(LANES * Format::Q8_0.row_bytes(COLUMNS));
    let matrix = Matrix::pack(Format::Q8_0, COLUMNS, &bytes);
    let matrix = matrix.map_err(|error| SelfTestError::WrongAnswer(error.to_string()))?;
    let on_device = DeviceMatrix::upload(&mut bench.arena, &matrix)?;
    let quantize = GateQuantize {
        gate,
        gate_up: bench.arena.floats(&gate_up)?,
        out: bench.arena.bytes(ROWS * activation_bytes(COLUMNS))?,
        rows: ROWS,
        columns: COLUMNS,
    };
    let multiply = Multiply {
        matrix: &on_device,
        activations: quantize.out,
        out: bench.arena.words(ROWS * LANES)?,
        mode: Accumulate::Set,
        rows: ROWS,
    };
    bench.run(&[quantize.launch()])?;
    bench.run(&multiply.launches().collect::<Vec<_>>())?;
    let answer = bench.floats(multiply.out, ROWS * LANES)?;
    let rows = gate_up.chunks_exact(2 * COLUMNS);
    let expected = rows.flat_map(|row| gated(bench.isa, function, row, &matrix));
    answers.take(&format!("{gate:?}"), &answer, &expected.collect::<Vec<_>>())
}

fn gated(isa: Isa, function: Function, row: &[f32], matrix: &Matrix) -> [f32; LANES] {
    let (mut row, mut out) = (row.to_vec(), [0.0; LANES]);
    function(isa, 1, &mut row);
    let mut blocks = [ActivationBlock::ZERO; COLUMNS / BLOCK];
    let source = Source::even_panels_of(&row, 1);
    quantize(isa, &source, None, 0, &mut blocks);
    let activations = Activations::new(&blocks, COLUMNS / BLOCK);
    matmul(isa, matrix.panels(0..1), activations, Mode::Set, &mut out);
    out
}

fn added<D: Device>(bench: &mut Bench<D>, answers: &mut Answers) -> Result<(), SelfTestError> {
    let mut noise = Noise::new(102);
    let (values, weights) = (noise.floats(ROWS * COLUMNS), noise.floats(COLUMNS));
    let mut stream = noise.floats(ROWS * COLUMNS);
    let add = AddNormalized {
        values: bench.arena.floats(&values)?,
        norm: DeviceNorm {
            weights: bench.arena.floats(&weights)?,
            epsilon: EPSILON,
        },
        stream: bench.arena.floats(&stream)?,
        rows: ROWS,
        columns: COLUMNS,
    };
    bench.run(&[add.launch()])?;
    let answer = bench.floats(add.stream, stream.len())?;
    let norm = Norm {
        weights: &weights,
        epsilon: EPSILON,
    };
    let rows = values.chunks_exact(COLUMNS);
    for (values, stream) in rows.zip(stream.chunks_exact_mut(COLUMNS)) {
        add_normalized(bench.isa, norm, 1, values, stream);
    }
    answers.take("exact_add_normalized", &answer, &stream)
}
