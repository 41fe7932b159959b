//! Quantised rows times matrices of every format, and rows of embeddings.

use kernels::{
    matmul::{Activations, Format, Matrix, Mode, matmul},
    quantize::{ActivationBlock, BLOCK, Source, quantize},
    rms_norm::Norm,
};

use super::{Answers, SelfTestError, bench::Bench, noise::Noise};
use crate::{
    Device, DeviceError, Launch, Memory,
    operations::{
        Accumulate, DeviceMatrix, DeviceNorm, Embed, Multiply, Quantize, activation_bytes,
    },
};

/// Two super-blocks of the widest format.
const COLUMNS: usize = 512;
/// Two panels.
const MATRIX_ROWS: usize = 32;
/// A tile of rows and one more.
const ROWS: usize = 9;
const EPSILON: f32 = 1e-5;
/// Rows that are quantised, in this order.
const SOURCE_ROWS: [u32; ROWS] = [3, 0, 8, 1, 1, 7, 2, 6, 4];

pub(super) fn test<D: Device>(
    bench: &mut Bench<D>,
    answers: &mut Answers,
) -> Result<(), SelfTestError> {
    for (seed, format) in (1..).zip(Format::ALL) {
        let case = Case::new(*format, seed)?;
        for (name, launches, expected) in case.products(bench)? {
            bench.run(&launches.0)?;
            let answer = bench.floats(launches.1, expected.len())?;
            answers.take(&name, &answer, &expected)?;
        }
        case.embedding(bench, answers)?;
    }
    Ok(())
}

/// A matrix, and rows to be multiplied with it.
struct Case {
    matrix: Matrix,
    values: Vec<f32>,
    weights: Vec<f32>,
    before: Vec<f32>,
}

/// A name, launches with where their result is, and what it has to be.
type Product = (String, (Vec<Launch>, Memory), Vec<f32>);

impl Case {
    fn new(format: Format, seed: u64) -> Result<Self, SelfTestError> {
        let mut noise = Noise::new(seed);
        let bytes = noise.blocks(MATRIX_ROWS * format.row_bytes(COLUMNS));
        let matrix = Matrix::pack(format, COLUMNS, &bytes);
        Ok(Self {
            matrix: matrix.map_err(|error| SelfTestError::WrongAnswer(error.to_string()))?,
            values: noise.floats(ROWS * COLUMNS),
            weights: noise.floats(COLUMNS),
            before: noise.floats(ROWS * MATRIX_ROWS),
        })
    }

    /// Both variants: one row at a time replaces, rows that share weights add.
    fn products<D: Device>(&self, bench: &mut Bench<D>) -> Result<Vec<Product>, DeviceError> {
        let matrix = DeviceMatrix::upload(&mut bench.arena, &self.matrix)?;
        let quantize = self.quantize(bench)?;
        let mut products = Vec::new();
        for (variant, mode) in [Accumulate::Set, Accumulate::Add].into_iter().enumerate() {
            let multiply = Multiply {
                matrix: &matrix,
                activations: quantize.out,
                out: bench.arena.floats(&self.before)?,
                mode,
                rows: ROWS,
            };
            for product in matrix.products() {
                let launch = multiply.variants(product).into_iter().nth(variant);
                let launches = [quantize.launch()].into_iter().chain(launch);
                let name = format!("{} {mode:?}", product.format.name());
                let expected = self.expected(bench, mode);
                products.push((name, (launches.collect(), multiply.out), expected));
            }
        }
        Ok(products)
    }

    fn quantize<D: Device>(&self, bench: &mut Bench<D>) -> Result<Quantize, DeviceError> {
        Ok(Quantize {
            values: bench.arena.floats(&self.values)?,
            source_rows: Some(bench.arena.numbers(&SOURCE_ROWS)?),
            norm: Some(DeviceNorm {
                weights: bench.arena.floats(&self.weights)?,
                epsilon: EPSILON,
            }),
            out: bench.arena.bytes(ROWS * activation_bytes(COLUMNS))?,
            rows: ROWS,
            columns: COLUMNS,
        })
    }

    fn expected<D: Device>(&self, bench: &Bench<D>, mode: Accumulate) -> Vec<f32> {
        let mode = match mode {
            Accumulate::Set => Mode::Set,
            Accumulate::Add => Mode::Add,
        };
        let source = Source::rows(&self.values, COLUMNS);
        let norm = Norm {
            weights: &self.weights,
            epsilon: EPSILON,
        };
        let mut out = self.before.clone();
        for (row, out) in SOURCE_ROWS.iter().zip(out.chunks_exact_mut(MATRIX_ROWS)) {
            let mut blocks = [ActivationBlock::ZERO; COLUMNS / BLOCK];
            quantize(bench.isa, &source, Some(norm), *row as usize, &mut blocks);
            let activations = Activations::new(&blocks, COLUMNS / BLOCK);
            let panels = self.matrix.panels(0..self.matrix.panel_count());
            matmul(bench.isa, panels, activations, mode, out);
        }
        out
    }

    fn embedding<D: Device>(
        &self,
        bench: &mut Bench<D>,
        answers: &mut Answers,
    ) -> Result<(), SelfTestError> {
        const TOKENS: [u32; 3] = [17, 0, 31];
        const SCALE: f32 = 11.3125;
        let embedding = DeviceMatrix::upload(&mut bench.arena, &self.matrix)?;
        let embed = Embed {
            embedding: &embedding,
            tokens: bench.arena.numbers(&TOKENS)?,
            stream: bench.arena.words(TOKENS.len() * COLUMNS)?,
            scale: SCALE,
            rows: TOKENS.len(),
        };
        let launches: Vec<_> = embed.launch().into_iter().collect();
        bench.run(&launches)?;
        let mut expected = vec![0.0; TOKENS.len() * COLUMNS];
        for (token, row) in TOKENS.iter().zip(expected.chunks_exact_mut(COLUMNS)) {
            self.matrix.row(*token as usize, row);
            row.iter_mut().for_each(|value| *value *= SCALE);
        }
        let answer = bench.floats(embed.stream, expected.len())?;
        let entries = launches.iter().map(|launch| launch.entry.as_str());
        answers.take(&entries.collect::<String>(), &answer, &expected)
    }
}
