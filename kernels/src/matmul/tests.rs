//! Packing against ggml's own dequantisation, products against `f64`, parity of paths and of token counts.

use sha2::{Digest, Sha256};

use super::*;
use crate::quantize::{BLOCK, Source, quantize};

const COLUMNS: usize = 512;

/// Bytes that look random and are the same in every run.
fn noise(seed: u64) -> impl Iterator<Item = u8> {
    let mut state = seed;
    std::iter::repeat_with(move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 56) as u8
    })
}

/// Where a block of the file has its 16-bit floats.
fn float_offsets(format: Format) -> &'static [usize] {
    match format {
        Format::Q4_0 | Format::Q5_0 | Format::Q8_0 => &[0],
        Format::Q4_1 | Format::Q5_1 | Format::Q4K | Format::Q5K => &[0, 2],
        Format::Q6K => &[208],
        Format::F16 | Format::BF16 => &[0],
        Format::F32 => &[2],
    }
}

/// Bytes of what ggml calls a block: of floating-point formats a single weight.
fn ggml_block_bytes(format: Format) -> usize {
    match format {
        Format::F16 | Format::BF16 => 2,
        Format::F32 => 4,
        _ => format.row_bytes(format.block_columns()),
    }
}

/// Rows of noise with small scales: the exponent's upper bits are cleared.
fn file(format: Format, rows: usize) -> Vec<u8> {
    let bytes = noise(7).take(rows * format.row_bytes(COLUMNS));
    let mut bytes: Vec<u8> = bytes.collect();
    for block in bytes.chunks_mut(ggml_block_bytes(format)) {
        for offset in float_offsets(format) {
            block[offset + 1] &= 0xa7;
        }
    }
    bytes
}

fn packed(format: Format, rows: usize) -> Matrix {
    Matrix::pack(format, COLUMNS, &file(format, rows)).unwrap()
}

fn row(matrix: &Matrix, row: usize) -> Vec<f32> {
    let mut out = vec![0.0; COLUMNS];
    matrix.row(row, &mut out);
    out
}

fn activations(tokens: usize) -> (Vec<f32>, Vec<ActivationBlock>) {
    let values: Vec<f32> = noise(tokens as u64)
        .take(tokens * COLUMNS)
        .map(|b| f32::from(b as i8) / 31.0)
        .collect();
    (values.clone(), quantized(&values))
}

fn quantized(values: &[f32]) -> Vec<ActivationBlock> {
    let mut blocks = vec![ActivationBlock::ZERO; values.len() / BLOCK];
    let source = Source::rows(values, COLUMNS);
    for (tile, out) in blocks.chunks_mut(TILE * COLUMNS / BLOCK).enumerate() {
        quantize(Isa::scalar(), &source, None, tile * TILE, out);
    }
    blocks
}

fn product(isa: Isa, matrix: &Matrix, blocks: &[ActivationBlock]) -> Vec<f32> {
    let activations = Activations::new(blocks, COLUMNS / BLOCK);
    let mut out = vec![1.0; matrix.panel_count() * activations.tokens() * 16];
    let weights = matrix.panels(0..matrix.panel_count());
    matmul(isa, weights, activations, Mode::Set, &mut out);
    out
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|v| v.to_bits()).collect()
}

/// SHA-256, its first eight bytes, of what the `gguf` package makes of `file(format, 2)` (`tests/dequantized.py`).
const DEQUANTIZED: &[(Format, &str)] = &[
    (Format::Q4_0, "d4e073ee1818566c"),
    (Format::Q4_1, "04fee219e29c51d8"),
    (Format::Q5_0, "85a12d90e672a9c1"),
    (Format::Q5_1, "5069fa5422f92d77"),
    (Format::Q8_0, "cd39d8a3122d048f"),
    (Format::Q4K, "fedd5284fbfa941c"),
    (Format::Q5K, "dc53b1548f721f46"),
    (Format::Q6K, "90da88c411448a35"),
    (Format::F16, "5927563e0c7b7255"),
    (Format::BF16, "287eb358c3f5c1a1"),
    (Format::F32, "100f7779969e9f51"),
];

#[test]
fn rows_are_those_of_ggml() {
    let formats: Vec<Format> = DEQUANTIZED.iter().map(|(format, _)| *format).collect();
    assert_eq!(formats, Format::ALL);
    for (format, expected) in DEQUANTIZED {
        let matrix = packed(*format, 2);
        let weights = [row(&matrix, 0), row(&matrix, 1)].concat();
        let mut digest = Sha256::new();
        weights.iter().for_each(|w| digest.update(w.to_le_bytes()));
        let digest = digest.finalize();
        let digest = u64::from_be_bytes(*digest.first_chunk().unwrap());
        assert_eq!(format!("{digest:016x}"), *expected, "{format:?}");
    }
}

#[test]
fn products_agree_with_f64() {
    for format in Format::ALL {
        let matrix = packed(*format, 32);
        let (values, blocks) = activations(11);
        let got = product(Isa::scalar(), &matrix, &blocks);
        for index in 0..32 {
            let weights = row(&matrix, index);
            for (token, values) in values.chunks(COLUMNS).enumerate() {
                let pairs = weights.iter().zip(values);
                let products = pairs.map(|(w, v)| f64::from(*w) * f64::from(*v));
                let (exact, size) = products.fold((0.0, 0.0), |(e, s), p| (e + p, s + p.abs()));
                let got = f64::from(got[(index / 16 * 11 + token) * 16 + index % 16]);
                let error = (got - exact).abs();
                assert!(
                    error < 2e-5 * size,
                    "{format:?} {index} {token}: {got} {exact}"
                );
            }
        }
    }
}

#[test]
fn the_paths_agree_for_every_number_of_tokens() {
    for format in Format::ALL {
        let matrix = packed(*format, 40);
        for tokens in 1..=17 {
            let (_, blocks) = activations(tokens);
            let scalar = product(Isa::scalar(), &matrix, &blocks);
            for isa in Isa::all_here() {
                let got = product(isa, &matrix, &blocks);
                assert_eq!(bits(&scalar), bits(&got), "{isa:?} {format:?} {tokens}");
            }
        }
    }
}

/// A panel whose quants are all ones, or all zeros.
fn extreme(format: Format, byte: u8) -> Matrix {
    let mut bytes = vec![byte; 16 * format.row_bytes(COLUMNS)];
    for block in bytes.chunks_mut(ggml_block_bytes(format)) {
        for offset in float_offsets(format) {
            block[*offset..offset + 2].copy_from_slice(&[0x12, 0x25]);
        }
    }
    Matrix::pack(format, COLUMNS, &bytes).unwrap()
}

#[test]
fn the_largest_products_do_not_overflow() {
    // As integers: 127 * 256 + 127, and 127 * 256 - 128.
    let (largest, lowest_low) = (1.0, 32384.0 / 32639.0);
    let mut values = vec![largest; 4 * COLUMNS];
    values[COLUMNS..2 * COLUMNS].fill(-largest);
    values[2 * COLUMNS..].fill(lowest_low);
    for (column, value) in values[2 * COLUMNS..].iter_mut().enumerate() {
        *value *= if column < COLUMNS { 1.0 } else { -1.0 };
        if column % BLOCK == 5 {
            *value = largest;
        }
    }
    let blocks = quantized(&values);
    for format in Format::ALL {
        for byte in [0, 0x80, 0xff] {
            let matrix = extreme(*format, byte);
            let scalar = product(Isa::scalar(), &matrix, &blocks);
            for isa in Isa::all_here() {
                let got = product(isa, &matrix, &blocks);
                assert_eq!(bits(&scalar), bits(&got), "{isa:?} {format:?} {byte}");
            }
        }
    }
}

#[test]
fn a_token_has_the_same_product_alone() {
    for (format, isa) in Format::ALL
        .iter()
        .flat_map(|f| Isa::all_here().map(move |i| (f, i)))
    {
        let matrix = packed(*format, 16);
        let (values, blocks) = activations(13);
        let together = product(isa, &matrix, &blocks);
        for (token, values) in values.chunks(COLUMNS).enumerate() {
            let alone = product(isa, &matrix, &quantized(values));
            let expected = &together[token * 16..token * 16 + 16];
            assert_eq!(bits(&alone), bits(expected), "{isa:?} {format:?}");
        }
    }
}

#[test]
fn adds_to_what_was_there() {
    for format in Format::ALL {
        let matrix = packed(*format, 16);
        let (_, blocks) = activations(3);
        let product = product(Isa::scalar(), &matrix, &blocks);
        let activations = Activations::new(&blocks, COLUMNS / BLOCK);
        for isa in Isa::all_here() {
            let mut out = vec![0.75; product.len()];
            matmul(isa, matrix.panels(0..1), activations, Mode::Add, &mut out);
            let expected: Vec<f32> = product.iter().map(|p| p + 0.75).collect();
            assert_eq!(bits(&out), bits(&expected), "{format:?}");
        }
    }
}

#[test]
fn the_last_panel_may_be_short() {
    for format in Format::ALL {
        let (short, whole) = (packed(*format, 37), packed(*format, 48));
        assert_eq!((short.rows(), short.panel_count()), (37, 3));
        assert_eq!(row(&short, 36), row(&whole, 36));
        let (_, blocks) = activations(2);
        let got = product(Isa::detect(), &short, &blocks);
        let expected = product(Isa::detect(), &whole, &blocks);
        for (at, (got, expected)) in got.iter().zip(&expected).enumerate() {
            let row = at / 32 * 16 + at % 16;
            let expected = if row < 37 { *expected } else { 0.0 };
            assert_eq!(*got, expected, "{format:?} {row}");
        }
    }
}

#[test]
fn matrices_are_joined_whatever_their_formats() {
    let (above, below) = (packed(Format::Q4_1, 32), packed(Format::Q8_0, 32));
    let (_, blocks) = activations(1);
    let product = |matrix: &Matrix| product(Isa::detect(), matrix, &blocks);
    let (first, second) = (product(&above), product(&below));
    let stacked = above.stack(below);
    assert_eq!((stacked.rows(), stacked.panel_count()), (64, 4));
    assert_eq!(product(&stacked), [&first[..], &second].concat());
    assert_eq!(row(&stacked, 40), row(&packed(Format::Q8_0, 16), 8));
    let twins = packed(Format::Q4_1, 32).interleave(packed(Format::Q8_0, 32));
    let expected = [&first[..16], &second[..16], &first[16..], &second[16..]].concat();
    assert_eq!(product(&twins), expected);
}

#[test]
#[should_panic = "whole panels"]
fn nothing_goes_below_a_short_panel() {
    packed(Format::Q4_1, 37).stack(packed(Format::Q4_1, 16));
}

#[test]
fn bad_bytes_are_refused() {
    for format in Format::ALL {
        let bytes = file(*format, 16);
        let row = bytes.len() / 16;
        let refused = |columns, bytes: &[u8]| Matrix::pack(*format, columns, bytes).err();
        assert_eq!(refused(COLUMNS, &bytes), None);
        for columns in [0, 40, COLUMNS + format.block_columns() / 2] {
            let expected = Some(PackError::Columns(columns));
            assert_eq!(refused(columns, &bytes), expected, "{format:?}");
        }
        for length in [0, 1, row / 2, row - 1, row + 1, bytes.len() - 1] {
            let expected = Some(PackError::Rows(length));
            assert_eq!(refused(COLUMNS, &bytes[..length]), expected, "{format:?}");
        }
        for offset in float_offsets(*format) {
            for bad in [0x7f80_u16, 0xffff] {
                let mut bytes = bytes.clone();
                let at = bytes.len() - ggml_block_bytes(*format) + offset;
                bytes[at..at + 2].copy_from_slice(&bad.to_le_bytes());
                let expected = Some(PackError::NotFinite);
                assert_eq!(refused(COLUMNS, &bytes), expected, "{format:?} {offset}");
            }
        }
    }
}
