//! Packing against the file's formats, products against `f64`, parity of paths and of token counts.

use half::f16;

use super::*;
use crate::quantize::{BLOCK, Source, quantize};

const COLUMNS: usize = 96;

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

/// Blocks of a format with small scales, and the weights they mean.
fn file(format: Format, rows: usize) -> (Vec<u8>, Vec<f32>) {
    let (mut bytes, mut weights) = (Vec::new(), Vec::new());
    let mut noise = noise(rows as u64 + 7);
    for _ in 0..rows * COLUMNS / BLOCK {
        let d = f16::from_f32(f32::from(noise.next().unwrap()) / 4096.0);
        let m = f16::from_f32(f32::from(noise.next().unwrap()) / -512.0);
        let quants: Vec<u8> = noise
            .by_ref()
            .take(if format == Format::Q8_0 { 32 } else { 16 })
            .collect();
        bytes.extend(d.to_le_bytes());
        if format == Format::Q4_1 {
            bytes.extend(m.to_le_bytes());
        }
        for i in 0..32 {
            let nibble = f32::from(quants[i % 16] >> (4 * (i / 16)) & 15);
            weights.push(match format {
                Format::Q4_0 => d.to_f32() * (nibble - 8.0),
                Format::Q4_1 => d.to_f32() * nibble + m.to_f32(),
                Format::Q8_0 => d.to_f32() * f32::from(quants[i] as i8),
            });
        }
        bytes.extend(quants);
    }
    (bytes, weights)
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
    matmul(
        isa,
        matrix.panels(0..matrix.panel_count()),
        activations,
        Mode::Set,
        &mut out,
    );
    out
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|v| v.to_bits()).collect()
}

const FORMATS: [Format; 3] = [Format::Q4_0, Format::Q4_1, Format::Q8_0];

#[test]
fn rows_are_those_of_the_file() {
    for format in FORMATS {
        let (bytes, weights) = file(format, 32);
        let matrix = Matrix::pack(format, COLUMNS, &bytes).unwrap();
        for (row, expected) in weights.chunks(COLUMNS).enumerate() {
            let mut got = [0.0; COLUMNS];
            matrix.row(row, &mut got);
            assert_eq!(got, expected, "{format:?} row {row}");
        }
    }
}

#[test]
fn products_agree_with_f64() {
    for format in FORMATS {
        let (bytes, weights) = file(format, 32);
        let (values, blocks) = activations(11);
        let got = product(
            Isa::scalar(),
            &Matrix::pack(format, COLUMNS, &bytes).unwrap(),
            &blocks,
        );
        for (row, weights) in weights.chunks(COLUMNS).enumerate() {
            for (token, values) in values.chunks(COLUMNS).enumerate() {
                let pairs = weights.iter().zip(values);
                let exact: f64 = pairs.map(|(w, v)| f64::from(*w) * f64::from(*v)).sum();
                let got = f64::from(got[(row / 16 * 11 + token) * 16 + row % 16]);
                assert!(
                    (got - exact).abs() < 2e-3 * (1.0 + exact.abs()),
                    "{format:?} {row} {token}: {got} {exact}"
                );
            }
        }
    }
}

#[test]
fn the_paths_agree_for_every_number_of_tokens() {
    for format in FORMATS {
        let matrix = Matrix::pack(format, COLUMNS, &file(format, 48).0).unwrap();
        for tokens in 1..=17 {
            let (_, blocks) = activations(tokens);
            let scalar = product(Isa::scalar(), &matrix, &blocks);
            let fast = product(Isa::detect(), &matrix, &blocks);
            assert_eq!(bits(&scalar), bits(&fast), "{format:?} {tokens}");
        }
    }
}

#[test]
fn a_token_has_the_same_product_alone() {
    let matrix = Matrix::pack(Format::Q4_1, COLUMNS, &file(Format::Q4_1, 16).0).unwrap();
    let (values, blocks) = activations(13);
    let together = product(Isa::detect(), &matrix, &blocks);
    for (token, values) in values.chunks(COLUMNS).enumerate() {
        let alone = product(Isa::detect(), &matrix, &quantized(values));
        assert_eq!(bits(&alone), bits(&together[token * 16..token * 16 + 16]));
    }
}

#[test]
fn adds_to_what_was_there() {
    let matrix = Matrix::pack(Format::Q4_1, COLUMNS, &file(Format::Q4_1, 16).0).unwrap();
    let (_, blocks) = activations(3);
    let product = product(Isa::scalar(), &matrix, &blocks);
    for isa in [Isa::scalar(), Isa::detect()] {
        let mut out = vec![0.75; product.len()];
        matmul(
            isa,
            matrix.panels(0..1),
            Activations::new(&blocks, 3),
            Mode::Add,
            &mut out,
        );
        let expected: Vec<f32> = product.iter().map(|p| p + 0.75).collect();
        assert_eq!(bits(&out), bits(&expected));
    }
}

#[test]
fn matrices_are_joined() {
    let (bytes, _) = file(Format::Q4_1, 32);
    let pack = |bytes: &[u8]| Matrix::pack(Format::Q4_1, COLUMNS, bytes).unwrap();
    let (first, second) = bytes.split_at(bytes.len() / 2);
    let (_, blocks) = activations(1);
    let whole = product(Isa::scalar(), &pack(&bytes), &blocks);
    let stacked = pack(first).stack(pack(second)).unwrap();
    assert_eq!(whole, product(Isa::scalar(), &stacked, &blocks));
    let twins = pack(&bytes).interleave(&pack(&bytes)).unwrap();
    let expected = [&whole[..16], &whole[..16], &whole[16..], &whole[16..]].concat();
    assert_eq!(expected, product(Isa::scalar(), &twins, &blocks));
}

#[test]
fn mixed_matrices_are_not_joined() {
    let pack = |format| Matrix::pack(format, COLUMNS, &file(format, 16).0).unwrap();
    let narrow = || Matrix::pack(Format::Q4_1, COLUMNS / 3, &file(Format::Q4_1, 16).0).unwrap();
    assert_eq!(
        pack(Format::Q4_1).stack(pack(Format::Q8_0)).err(),
        Some(MixedFormats)
    );
    assert_eq!(pack(Format::Q4_1).stack(narrow()).err(), Some(MixedFormats));
    assert_eq!(
        pack(Format::Q4_1).interleave(&pack(Format::Q8_0)).err(),
        Some(MixedFormats)
    );
    assert_eq!(
        pack(Format::Q4_1).interleave(&narrow()).err(),
        Some(MixedFormats)
    );
}

#[test]
fn bad_bytes_are_refused() {
    let (bytes, _) = file(Format::Q4_1, 16);
    let pack = |columns, bytes: &[u8]| Matrix::pack(Format::Q4_1, columns, bytes).err();
    assert_eq!(pack(COLUMNS, &bytes), None);
    assert_eq!(pack(0, &bytes), Some(PackError::Columns(0)));
    assert_eq!(pack(40, &bytes), Some(PackError::Columns(40)));
    assert_eq!(pack(COLUMNS, &[]), Some(PackError::Rows(0)));
    assert_eq!(
        pack(COLUMNS, &bytes[1..]),
        Some(PackError::Rows(bytes.len() - 1))
    );
    assert_eq!(
        pack(COLUMNS, &bytes[60..]),
        Some(PackError::Rows(bytes.len() - 60))
    );
    for offset in [0, 2] {
        let mut infinite = bytes.clone();
        infinite[offset..offset + 2].copy_from_slice(&f16::INFINITY.to_le_bytes());
        assert_eq!(pack(COLUMNS, &infinite), Some(PackError::NotFinite));
    }
    let mut overflows = file(Format::Q4_0, 16).0;
    overflows[..2].copy_from_slice(&f16::MAX.to_le_bytes());
    assert_eq!(
        Matrix::pack(Format::Q4_0, COLUMNS, &overflows).err(),
        Some(PackError::NotFinite)
    );
}
