//! `exact_matmul_*` against `kernels::matmul`.

use kernels::{
    Isa,
    matmul::{Activations, Format, Matrix, Mode, matmul},
    quantize::{ActivationBlock, BLOCK, Source, quantize},
};

use crate::{
    cuda_cpu::{Arguments, Memory, in_both_orders},
    launch::launch,
    weights::{FAULTS, activations, bits, bits_of_numbers, floats, matrix, packed},
};

/// Two stretches of blocks, the second one short, for one row and for eight.
const COLUMNS: usize = 1280;

/// Which variant of the kernel, by the rows that share a weight, and what becomes of what was there.
#[derive(Clone, Copy, Debug)]
struct Variant {
    rows: usize,
    mode: Mode,
}

const fn variant(rows: usize, mode: Mode) -> Variant {
    Variant { rows, mode }
}

const PLAIN: Variant = variant(1, Mode::Set);

const VARIANTS: [Variant; 4] = [
    PLAIN,
    variant(1, Mode::Add),
    variant(8, Mode::Set),
    variant(8, Mode::Add),
];

/// What a product is made of.
#[derive(Clone, Copy)]
struct Factors<'a> {
    format: Format,
    weights: &'a [u8],
    /// `[row][block]`.
    blocks: &'a [ActivationBlock],
    columns: usize,
}

/// `[row][column]` on the device, where `before` was.
fn product(variant: Variant, factors: Factors<'_>, before: &[f32]) -> Vec<f32> {
    let per_row = factors.columns / BLOCK;
    let rows = factors.blocks.len() / per_row;
    let out_columns = before.len() / rows;
    let weights = Memory::of(factors.weights);
    let blocks = Memory::of(factors.blocks);
    let out = Memory::of(before);
    let arguments = Arguments::new()
        .memory(&weights)
        .memory(&blocks)
        .memory(&out)
        .value(per_row as u32)
        .value(rows as u32)
        .value(out_columns as u32)
        .value(0_u32)
        .value(1_u32)
        .value(u32::from(variant.mode == Mode::Add));
    let entry = format!("exact_matmul_{}_x{}", factors.format.name(), variant.rows);
    let grid = (out_columns / 16, rows.div_ceil(variant.rows));
    launch(&entry, grid, 128, arguments);
    out.read()
}

/// The same on the CPU, row after row.
fn expected(mode: Mode, matrix: &Matrix, blocks: &[ActivationBlock], before: &[f32]) -> Vec<f32> {
    expected_on(Isa::scalar(), mode, (matrix, blocks), before)
}

fn expected_on(
    isa: Isa,
    mode: Mode,
    (matrix, blocks): (&Matrix, &[ActivationBlock]),
    before: &[f32],
) -> Vec<f32> {
    let per_row = matrix.blocks_per_row();
    let mut out = before.to_vec();
    let rows = out.chunks_mut(16 * matrix.panel_count());
    for (blocks, out) in blocks.chunks(per_row).zip(rows) {
        let activations = Activations::new(blocks, per_row);
        let panels = matrix.panels(0..matrix.panel_count());
        matmul(isa, panels, activations, mode, out);
    }
    out
}

#[test]
fn products_have_the_cpus_bits() {
    for format in Format::ALL {
        let matrix = matrix(*format, 40, COLUMNS);
        let weights = packed(&matrix);
        for rows in [1, 7, 8, 17] {
            let factors = Factors {
                format: *format,
                weights: &weights,
                blocks: &activations(rows as u64, rows, COLUMNS),
                columns: COLUMNS,
            };
            let before = floats(3, rows * 48);
            for variant in VARIANTS {
                let got = in_both_orders(|| bits(&product(variant, factors, &before)));
                let wanted = expected(variant.mode, &matrix, factors.blocks, &before);
                assert_eq!(got, bits(&wanted), "{format:?} {rows} {variant:?}");
            }
        }
    }
}

/// One block among a row's makes all products with the row no numbers, and no others; so does what was there before.
#[test]
fn a_block_that_is_not_finite_makes_its_row_no_number() {
    for format in Format::ALL {
        let matrix = matrix(*format, 40, COLUMNS);
        let mut blocks = activations(21, 7, COLUMNS);
        for (row, block) in [(1, 0), (3, COLUMNS / BLOCK - 1), (6, 17)] {
            blocks[row * COLUMNS / BLOCK + block] = ActivationBlock::NOT_FINITE;
        }
        let factors = Factors {
            format: *format,
            weights: &packed(&matrix),
            blocks: &blocks,
            columns: COLUMNS,
        };
        let mut before = floats(22, 7 * 48);
        before[2 * 48..][..FAULTS.len()].copy_from_slice(&FAULTS);
        for variant in VARIANTS {
            let got = in_both_orders(|| bits_of_numbers(&product(variant, factors, &before)));
            for isa in Isa::all_here() {
                let wanted = expected_on(isa, variant.mode, (&matrix, &blocks), &before);
                assert!(
                    got == bits_of_numbers(&wanted),
                    "{format:?} {variant:?} {isa:?}"
                );
            }
            let is_nan = |bits: &&u32| f32::from_bits(**bits).is_nan();
            let counts = got.chunks(48).map(|row| row.iter().filter(is_nan).count());
            let before = if variant.mode == Mode::Add { 3 } else { 0 };
            let wanted = [0, 48, before, 48, 0, 0, 48];
            assert!(counts.eq(wanted), "{format:?} {variant:?}");
        }
    }
}

#[test]
fn a_row_has_the_same_product_alone() {
    for format in Format::ALL {
        let factors = Factors {
            format: *format,
            weights: &packed(&matrix(*format, 16, COLUMNS)),
            blocks: &activations(5, 11, COLUMNS),
            columns: COLUMNS,
        };
        let together = product(variant(8, Mode::Set), factors, &[0.0; 11 * 16]);
        let rows = factors.blocks.chunks(COLUMNS / BLOCK);
        for (blocks, together) in rows.zip(together.chunks(16)) {
            let alone = product(PLAIN, Factors { blocks, ..factors }, &[0.0; 16]);
            assert_eq!(bits(&alone), bits(together), "{format:?}");
        }
    }
}

/// Rows whose bytes are all the same but for scales, in formats of integers.
fn extreme(format: Format, byte: u8) -> Matrix {
    let mut file = vec![byte; 16 * format.row_bytes(COLUMNS)];
    let scales: &[usize] = match format {
        Format::Q6K => &[208],
        _ => &[0, 2],
    };
    for block in file.chunks_mut(format.row_bytes(format.block_columns())) {
        for at in scales {
            block[*at..at + 2].copy_from_slice(&[0x12, 0x25]);
        }
    }
    Matrix::pack(format, COLUMNS, &file).unwrap()
}

#[test]
fn the_largest_products_do_not_overflow() {
    let values: Vec<f32> = (0..COLUMNS)
        .map(|column| if column / 64 % 2 == 0 { 1.0 } else { -1.0 })
        .collect();
    let mut blocks = vec![ActivationBlock::ZERO; COLUMNS / BLOCK];
    let source = Source::rows(&values, COLUMNS);
    quantize(Isa::scalar(), &source, None, 0, &mut blocks);
    let integers = Format::ALL
        .iter()
        .filter(|format| !format.name().contains('f'));
    for (format, byte) in integers.flat_map(|format| [0x00, 0x80, 0xff].map(|byte| (format, byte)))
    {
        let matrix = extreme(*format, byte);
        let factors = Factors {
            format: *format,
            weights: &packed(&matrix),
            blocks: &blocks,
            columns: COLUMNS,
        };
        let got = product(PLAIN, factors, &[0.0; 16]);
        let wanted = expected(Mode::Set, &matrix, &blocks, &[0.0; 16]);
        assert_eq!(bits(&got), bits(&wanted), "{format:?} {byte}");
    }
}

/// The comparison is no comparison if it does not see another order of a sum.
#[test]
fn another_order_has_other_bits() {
    for format in Format::ALL {
        let matrix = matrix(*format, 16, COLUMNS);
        let blocks = activations(9, 1, COLUMNS);
        let wanted = expected(Mode::Set, &matrix, &blocks, &[0.0; 16]);
        let parts = format.block_columns() / BLOCK;
        let mut weights = packed(&matrix);
        let block_bytes = weights.len() / (COLUMNS / BLOCK / parts);
        let mut swapped = blocks.clone();
        weights[..3 * block_bytes].rotate_left(block_bytes);
        swapped[..3 * parts].rotate_left(parts);
        let factors = Factors {
            format: *format,
            weights: &weights,
            blocks: &swapped,
            columns: COLUMNS,
        };
        let got = product(PLAIN, factors, &[0.0; 16]);
        assert_ne!(bits(&got), bits(&wanted), "{format:?}");
        let size = wanted.iter().fold(0.0_f32, |size, w| size.max(w.abs()));
        for (got, wanted) in got.into_iter().zip(wanted) {
            assert!((got - wanted).abs() < 1e-4 * size, "{format:?}");
        }
    }
}

#[test]
fn panels_go_where_they_are_wanted() {
    let factors = Factors {
        format: Format::Q4_1,
        weights: &packed(&matrix(Format::Q4_1, 32, 64)),
        blocks: &activations(2, 2, 64),
        columns: 64,
    };
    let whole = product(PLAIN, factors, &[0.0; 2 * 32]);
    let (weights, blocks) = (Memory::of(factors.weights), Memory::of(factors.blocks));
    let out = Memory::of(&[7.0_f32; 2 * 80]);
    let arguments = Arguments::new()
        .memory(&weights)
        .memory(&blocks)
        .memory(&out)
        .value(2_u32)
        .value(2_u32)
        .value(80_u32)
        .value(1_u32)
        .value(2_u32)
        .value(0_u32);
    launch("exact_matmul_q4_1_x8", (2, 1), 128, arguments);
    for (spread, whole) in out.read().chunks(80).zip(whole.chunks(32)) {
        assert_eq!(spread[16..32], whole[..16]);
        assert_eq!(spread[48..64], whole[16..]);
        let others = [&spread[..16], &spread[32..48], &spread[64..]].concat();
        assert!(others.iter().all(|value| *value == 7.0));
    }
}
