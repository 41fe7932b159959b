//! `exact_quantize` and `exact_add_normalized` against `kernels::quantize` and `kernels::rms_norm`.

use kernels::{
    Isa,
    quantize::{ActivationBlock, BLOCK, Source, quantize},
    rms_norm::{Norm, add_normalized},
};

use crate::{
    cuda_cpu::{Arguments, Memory, in_both_orders},
    launch::{launch, memory_or_null},
    weights::{FAULTS, bits, bits_of_numbers, floats, shown},
};

const EPSILON: f32 = 1e-5;

/// One block, less than a warp has, more than the threads have, more than shared memory has.
const WIDTHS: [usize; 5] = [32, 96, 576, 2048, 4160];

/// Rows of so many columns, which of them, and the weights of a normalisation.
#[derive(Clone, Copy)]
struct Rows<'a> {
    values: &'a [f32],
    columns: usize,
    named: Option<&'a [u32]>,
    weights: Option<&'a [f32]>,
}

impl<'a> Rows<'a> {
    fn plain(values: &'a [f32], columns: usize) -> Self {
        Self {
            values,
            columns,
            named: None,
            weights: None,
        }
    }

    /// `T` is as large as a block.
    fn quantized<T: Copy>(self) -> Vec<T> {
        let rows = self
            .named
            .map_or(self.values.len() / self.columns, <[u32]>::len);
        let (values, named) = (Memory::of(self.values), self.named.map(Memory::of));
        let weights = self.weights.map(Memory::of);
        let out = Memory::<T>::unwritten(rows * self.columns / BLOCK);
        let arguments = Arguments::new().memory(&values);
        let arguments = memory_or_null(arguments, named.as_ref());
        let arguments = memory_or_null(arguments, weights.as_ref())
            .memory(&out)
            .value(self.columns as u32)
            .value(EPSILON);
        launch("exact_quantize", (rows, 1), 256, arguments);
        out.read()
    }

    fn expected(self, row: usize) -> Vec<ActivationBlock> {
        self.expected_on(Isa::scalar(), row)
    }

    fn expected_on(self, isa: Isa, row: usize) -> Vec<ActivationBlock> {
        let norm = self.weights.map(|weights| Norm {
            weights,
            epsilon: EPSILON,
        });
        let mut out = vec![ActivationBlock::ZERO; self.columns / BLOCK];
        let source = Source::rows(self.values, self.columns);
        quantize(isa, &source, norm, row, &mut out);
        out
    }
}

#[test]
fn blocks_have_the_cpus_bits() {
    for columns in WIDTHS {
        let (values, weights) = (floats(columns as u64, 5 * columns), floats(1, columns));
        for weights in [None, Some(&weights[..])] {
            let rows = Rows {
                weights,
                ..Rows::plain(&values, columns)
            };
            let got = in_both_orders(|| rows.quantized::<ActivationBlock>());
            for (row, got) in got.chunks(columns / BLOCK).enumerate() {
                assert_eq!(got, rows.expected(row), "{columns} {row}");
            }
        }
    }
}

#[test]
fn rows_are_taken_where_they_are_named() {
    let (values, weights) = (floats(8, 6 * 96), floats(9, 96));
    let named = [5, 0, 5];
    let rows = Rows {
        named: Some(&named),
        weights: Some(&weights),
        ..Rows::plain(&values, 96)
    };
    for (row, got) in named
        .into_iter()
        .zip(rows.quantized::<ActivationBlock>().chunks(3))
    {
        assert_eq!(got, rows.expected(row as usize));
    }
}

#[test]
fn blocks_at_the_edges_have_the_cpus_bits() {
    let mut values = vec![0.0; 32];
    values.extend([9e-31; 32]);
    values.extend([-1e-30; 32]);
    values.extend((0..32).map(|column| {
        if column == 3 {
            32639.0
        } else {
            column as f32 + 0.5
        }
    }));
    values.extend((0..32).map(|column| if column == 30 { -3e38 } else { 1e30 }));
    let rows = Rows::plain(&values, 160);
    let got: Vec<ActivationBlock> = rows.quantized();
    assert_eq!(got, rows.expected(0));
    assert_eq!(got[..2], [ActivationBlock::ZERO; 2]);
    assert_ne!(got[2], ActivationBlock::ZERO);
}

/// A row for each fault in each column of three blocks.
fn faulty_rows() -> Vec<f32> {
    let sound = floats(11, 96);
    let places = FAULTS
        .into_iter()
        .flat_map(|fault| (0..96).map(move |column| (fault, column)));
    let with_fault = |(fault, column): (f32, usize)| {
        let mut row = sound.clone();
        row[column] = fault;
        row
    };
    places.flat_map(with_fault).collect()
}

#[test]
fn what_is_not_finite_makes_the_blocks_that_it_makes_on_every_path_of_the_cpu() {
    let (values, weights) = (faulty_rows(), floats(12, 96));
    for weights in [None, Some(&weights[..])] {
        let rows = Rows {
            weights,
            ..Rows::plain(&values, 96)
        };
        let got = in_both_orders(|| shown(&rows.quantized()));
        for (row, got) in got.chunks(3).enumerate() {
            for isa in Isa::all_here() {
                assert_eq!(got, shown(&rows.expected_on(isa, row)), "{isa:?} {row}");
            }
            let fault = row % 96 / BLOCK;
            let not_finite = shown(&[ActivationBlock::NOT_FINITE]);
            assert_eq!(got[fault..=fault], not_finite, "{row}");
        }
    }
}

#[test]
fn a_block_that_is_not_finite_has_the_cpus_bytes() {
    let values = faulty_rows();
    let mut not_finite = [0; 20];
    not_finite[18..].fill(f32::NAN.to_bits());
    let blocks: Vec<[u32; 20]> = Rows::plain(&values, 96).quantized();
    for (row, blocks) in blocks.chunks(3).enumerate() {
        let faults = blocks.iter().map(|block| *block == not_finite);
        let wanted = [0, 1, 2].map(|block| block == row % 96 / BLOCK);
        assert!(faults.eq(wanted), "{row}");
    }
}

#[test]
fn what_is_not_finite_is_added_with_the_cpus_bits() {
    let (weights, before) = (floats(13, 96), faulty_rows());
    let norm = Norm {
        weights: &weights,
        epsilon: EPSILON,
    };
    let (values, sound) = (faulty_rows(), floats(14, before.len()));
    for (values, before) in [(&values, &sound), (&sound, &before)] {
        let got = in_both_orders(|| bits_of_numbers(&added(values, &weights, before)));
        for isa in Isa::all_here() {
            let mut wanted = before.clone();
            let rows = values.chunks(96).zip(wanted.chunks_mut(96));
            rows.for_each(|(values, stream)| add_normalized(isa, norm, 1, values, stream));
            assert!(got == bits_of_numbers(&wanted), "{isa:?}");
        }
    }
}

/// The comparison is no comparison if it does not see another order of a sum.
#[test]
fn another_order_has_other_bits() {
    let (values, weights) = (floats(4, 4160), vec![1.0; 4160]);
    let mut turned = values.clone();
    turned.rotate_left(BLOCK);
    let rows = |values| Rows {
        weights: Some(&weights),
        ..Rows::plain(values, 4160)
    };
    let mut got: Vec<ActivationBlock> = rows(&turned).quantized();
    got.rotate_right(1);
    assert_ne!(got, rows(&values).expected(0));
}

#[test]
fn branches_are_added_with_the_cpus_bits() {
    for columns in WIDTHS {
        let (values, weights) = (floats(2, 3 * columns), floats(3, columns));
        let before = floats(4, 3 * columns);
        let mut wanted = before.clone();
        let norm = Norm {
            weights: &weights,
            epsilon: EPSILON,
        };
        let rows = values.chunks(columns).zip(wanted.chunks_mut(columns));
        rows.for_each(|(values, stream)| add_normalized(Isa::scalar(), norm, 1, values, stream));
        let got = in_both_orders(|| bits(&added(&values, &weights, &before)));
        assert_eq!(got, bits(&wanted), "{columns}");
    }
}

fn added(values: &[f32], weights: &[f32], before: &[f32]) -> Vec<f32> {
    let columns = weights.len();
    let (values, weights, stream) = (Memory::of(values), Memory::of(weights), Memory::of(before));
    let arguments = Arguments::new()
        .memory(&values)
        .memory(&weights)
        .memory(&stream)
        .value(columns as u32)
        .value(EPSILON);
    launch(
        "exact_add_normalized",
        (before.len() / columns, 1),
        256,
        arguments,
    );
    stream.read()
}
