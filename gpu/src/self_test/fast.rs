//! Operations of the fast arithmetic on rows. Sums are of integers, which no order rounds: they have to be right to the bit.

use super::{Answers, SelfTestError, bench::Bench, noise::Noise};
use crate::{
    Device, DeviceError, Memory,
    fast::{FastEmbed, FastGate, FastMatrix, FastMultiply, FastNorm, Kernel, bf16_bytes},
    operations::{Accumulate, DeviceNorm},
};

/// No whole number of steps of any kernel.
const COLUMNS: usize = 520;
const MATRIX_ROWS: usize = 48;
/// A tile of rows and one more.
const ROWS: usize = 17;
/// What bf16 rounds off, and what a device's own functions may.
const TOLERANCE: f32 = 1.0 / 128.0;

pub(super) fn test<D: Device>(
    bench: &mut Bench<D>,
    answers: &mut Answers,
) -> Result<(), SelfTestError> {
    let weights = Noise::new(401).integers(MATRIX_ROWS * COLUMNS);
    let matrix = matrix(bench, &weights)?;
    for kernel in [Kernel::Gemv, Kernel::Gemm] {
        for (variant, mode) in [Accumulate::Set, Accumulate::Add].into_iter().enumerate() {
            product(bench, answers, (matrix, &weights), (kernel, variant, mode))?;
        }
    }
    embedding(bench, answers, (matrix, &weights))?;
    norm(bench, answers)?;
    gate(bench, answers)
}

fn matrix<D: Device>(bench: &mut Bench<D>, weights: &[f32]) -> Result<FastMatrix, DeviceError> {
    let mut rows = weights.chunks_exact(COLUMNS);
    FastMatrix::of_rows(&mut bench.arena, [MATRIX_ROWS, COLUMNS], |_, out| {
        out.copy_from_slice(rows.next().unwrap_or(&[0.0; COLUMNS]));
    })
}

/// Memory with the nearest bf16 values.
pub(super) fn halves<D: Device>(
    bench: &mut Bench<D>,
    values: &[f32],
) -> Result<Memory, DeviceError> {
    bench.arena.copied(&bf16_bytes(values).collect::<Vec<_>>())
}

fn product<D: Device>(
    bench: &mut Bench<D>,
    answers: &mut Answers,
    (matrix, weights): (FastMatrix, &[f32]),
    (kernel, variant, mode): (Kernel, usize, Accumulate),
) -> Result<(), SelfTestError> {
    let mut noise = Noise::new(402);
    let activations = noise.integers(ROWS * COLUMNS);
    let before = noise.integers(ROWS * MATRIX_ROWS);
    let multiply = FastMultiply {
        matrix,
        activations: halves(bench, &activations)?,
        out: bench.arena.floats(&before)?,
        mode,
        rows: ROWS,
        kernel,
    };
    let launch = multiply.variant(variant);
    bench.run(std::slice::from_ref(&launch))?;
    let products = activations.chunks_exact(COLUMNS).flat_map(|row| {
        let columns = weights.chunks_exact(COLUMNS);
        columns.map(|column| row.iter().zip(column).map(|(x, w)| x * w).sum::<f32>())
    });
    let expected = products.zip(&before).map(|(product, before)| match mode {
        Accumulate::Set => product,
        Accumulate::Add => product + before,
    });
    let expected: Vec<_> = expected.collect();
    let answer = bench.floats(multiply.out, expected.len())?;
    answers.take(&launch.entry, &answer, &expected)
}

fn embedding<D: Device>(
    bench: &mut Bench<D>,
    answers: &mut Answers,
    (embedding, weights): (FastMatrix, &[f32]),
) -> Result<(), SelfTestError> {
    const TOKENS: [u32; 3] = [17, 0, 31];
    const SCALE: f32 = 11.3125;
    let embed = FastEmbed {
        embedding,
        tokens: bench.arena.numbers(&TOKENS)?,
        stream: bench.arena.words(TOKENS.len() * COLUMNS)?,
        scale: SCALE,
        rows: TOKENS.len(),
    };
    bench.run(&[embed.launch()])?;
    let rows = TOKENS.iter().flat_map(|token| {
        let row = weights.chunks_exact(COLUMNS).nth(*token as usize);
        row.into_iter().flatten().map(|value| value * SCALE)
    });
    let expected: Vec<_> = rows.collect();
    let answer = bench.floats(embed.stream, expected.len())?;
    answers.take("fast_embed", &answer, &expected)
}

fn norm<D: Device>(bench: &mut Bench<D>, answers: &mut Answers) -> Result<(), SelfTestError> {
    const SOURCE_ROWS: [u32; 4] = [3, 0, 4, 3];
    const EPSILON: f32 = 1e-5;
    let mut noise = Noise::new(403);
    let (values, weights) = (noise.floats(5 * COLUMNS), noise.floats(COLUMNS));
    let norm = FastNorm {
        values: bench.arena.floats(&values)?,
        source_rows: Some(bench.arena.numbers(&SOURCE_ROWS)?),
        norm: DeviceNorm {
            weights: bench.arena.floats(&weights)?,
            epsilon: EPSILON,
        },
        out: bench.arena.words(SOURCE_ROWS.len() * COLUMNS / 2)?,
        rows: SOURCE_ROWS.len(),
        columns: COLUMNS,
    };
    bench.run(&[norm.launch()])?;
    let rows = SOURCE_ROWS.iter().flat_map(|row| {
        let row = values.chunks_exact(COLUMNS).nth(*row as usize);
        normalized(row.unwrap_or(&[]), &weights, EPSILON)
    });
    let expected: Vec<_> = rows.collect();
    let answer = bench.halves(norm.out, expected.len())?;
    answers.take_near("fast_rms_norm", &answer, &expected, TOLERANCE)
}

/// A row by its root mean square.
pub(super) fn normalized(row: &[f32], weights: &[f32], epsilon: f32) -> Vec<f32> {
    let squares: f32 = row.iter().map(|value| value * value).sum();
    let factor = 1.0 / (squares / row.len() as f32 + epsilon).sqrt();
    let pairs = row.iter().zip(weights);
    pairs
        .map(|(value, weight)| value * factor * weight)
        .collect()
}

fn gate<D: Device>(bench: &mut Bench<D>, answers: &mut Answers) -> Result<(), SelfTestError> {
    let values = Noise::new(404).floats(2 * 2 * COLUMNS);
    let values: Vec<_> = values.iter().map(|value| 4.0 * value).collect();
    let gate = FastGate {
        gate_up: bench.arena.floats(&values)?,
        out: bench.arena.words(COLUMNS)?,
        rows: 2,
        columns: COLUMNS,
    };
    bench.run(&[gate.launch()])?;
    let rows = values.chunks_exact(2 * COLUMNS).flat_map(|row| {
        let (gates, ups) = row.split_at(COLUMNS);
        let pairs = gates.iter().zip(ups);
        pairs.map(|(gate, up)| gate / (1.0 + (-gate).exp()) * up)
    });
    let expected: Vec<_> = rows.collect();
    let answer = bench.halves(gate.out, expected.len())?;
    answers.take_near("fast_silu_mul", &answer, &expected, TOLERANCE)
}
