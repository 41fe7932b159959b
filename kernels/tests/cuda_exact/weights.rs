//! Numbers that look random and are the same in every run; matrices made of them.

use kernels::{
    Isa,
    matmul::{Format, Matrix},
    quantize::{ActivationBlock, BLOCK, Source, quantize},
};

/// Bytes.
pub(crate) fn noise(seed: u64) -> impl Iterator<Item = u8> {
    let mut state = seed;
    std::iter::repeat_with(move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 56) as u8
    })
}

/// Floats of many sizes, from -4 to 4.
pub(crate) fn floats(seed: u64, count: usize) -> Vec<f32> {
    let bytes: Vec<u8> = noise(seed).take(4 * count).collect();
    let words = bytes.as_chunks::<4>().0.iter().copied();
    words
        .map(|word| i32::from_le_bytes(word) as f32 / 536_870_912.0)
        .collect()
}

/// Where a block of the file has its 16-bit floats.
pub(crate) fn float_offsets(format: Format) -> &'static [usize] {
    match format {
        Format::Q4_0 | Format::Q5_0 | Format::Q8_0 => &[0],
        Format::Q4_1 | Format::Q5_1 | Format::Q4K | Format::Q5K => &[0, 2],
        Format::Q6K => &[208],
        Format::F16 | Format::BF16 => &[0],
        Format::F32 => &[2],
    }
}

/// Bytes between two of these places.
pub(crate) fn float_distance(format: Format) -> usize {
    match format {
        Format::F16 | Format::BF16 => 2,
        Format::F32 => 4,
        _ => format.row_bytes(format.block_columns()),
    }
}

/// Noise with small scales.
pub(crate) fn matrix(format: Format, rows: usize, columns: usize) -> Matrix {
    Matrix::pack(format, columns, &file_rows(format, rows, columns)).unwrap()
}

/// Rows as a file has them, of noise; the upper bits of scales' exponents are cleared.
pub(crate) fn file_rows(format: Format, rows: usize, columns: usize) -> Vec<u8> {
    let bytes = noise(7).take(rows * format.row_bytes(columns));
    let mut bytes: Vec<u8> = bytes.collect();
    for block in bytes.chunks_mut(float_distance(format)) {
        for offset in float_offsets(format) {
            block[offset + 1] &= 0xa7;
        }
    }
    bytes
}

/// All panels as they go to a device.
pub(crate) fn packed(matrix: &Matrix) -> Vec<u8> {
    let panels = (0..matrix.panel_count()).map(|panel| matrix.packed_panel(panel).bytes);
    panels.flatten().copied().collect()
}

/// `[row][block]`.
pub(crate) fn activations(seed: u64, rows: usize, columns: usize) -> Vec<ActivationBlock> {
    let values = floats(seed, rows * columns);
    let mut blocks = vec![ActivationBlock::ZERO; values.len() / BLOCK];
    let source = Source::rows(&values, columns);
    for (row, out) in blocks.chunks_mut(columns / BLOCK).enumerate() {
        quantize(Isa::scalar(), &source, None, row, out);
    }
    blocks
}

pub(crate) fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

/// What is not finite: numbers that are none, of both signs, one of them signalling, and infinities.
pub(crate) const FAULTS: [f32; 5] = [
    f32::NAN,
    -f32::NAN,
    f32::from_bits(0x7f80_0001),
    f32::INFINITY,
    f32::NEG_INFINITY,
];

/// [`bits`], but those of everything that is no number are the same.
pub(crate) fn bits_of_numbers(values: &[f32]) -> Vec<u32> {
    let one_nan = |value: &f32| if value.is_nan() { f32::NAN } else { *value };
    values
        .iter()
        .map(|value| one_nan(value).to_bits())
        .collect()
}

/// Blocks so that they can be compared where their scale is no number.
pub(crate) fn shown(blocks: &[ActivationBlock]) -> Vec<String> {
    blocks.iter().map(|block| format!("{block:?}")).collect()
}
