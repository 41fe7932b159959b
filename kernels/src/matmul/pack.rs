//! From the blocks of a GGUF file to panels of sixteen rows.
//!
//! Blocks of 32 weights, little-endian (ggml `block_q4_0`, `block_q4_1`, `block_q8_0`):
//! Q4_0 is `f16 d, u8 qs[16]`, Q4_1 is `f16 d, f16 m, u8 qs[16]`, Q8_0 is `f16 d, i8 qs[32]`; in `qs[j]` of the four-bit
//! formats the low nibble is weight `j`, the high nibble weight `j + 16`. Q4_0 is `d * (q - 8)`: as Q4_1 with `m = -8 d`.

use half::f16;

use super::matrix::{Q4Block, Q8Block};
use crate::lanes::LANES;

/// How weights are stored in a model file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "names of the specification")]
pub enum Format {
    Q4_0,
    Q4_1,
    Q8_0,
}

/// Why a matrix was not packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PackError {
    /// The columns are no multiple of 32.
    #[error("{0} columns are no multiple of 32")]
    Columns(usize),
    /// The bytes are no whole number of panels of 16 rows.
    #[error("{0} bytes are no whole number of panels of 16 rows")]
    Rows(usize),
    /// A scale or offset is infinite or not a number.
    #[error("a scale or offset is not finite")]
    NotFinite,
}

/// Four-bit blocks without an offset of their own.
pub(super) fn pack_q4_0(bytes: &[u8], blocks_per_row: usize) -> Result<Vec<Q4Block>, PackError> {
    pack(bytes, blocks_per_row, |rows: [&[u8; 18]; LANES]| {
        let scales = halves(rows, 0)?;
        let offsets = scales.map(|d| f16::from_f32(-8.0 * f16::from_bits(d).to_f32()));
        if offsets.iter().any(|offset| !offset.is_finite()) {
            return Err(PackError::NotFinite);
        }
        Ok(Q4Block {
            quants: nibbles(rows.map(|row| quants::<16, 18>(row, 2))),
            scales,
            offsets: offsets.map(f16::to_bits),
        })
    })
}

/// Four-bit blocks with an offset.
pub(super) fn pack_q4_1(bytes: &[u8], blocks_per_row: usize) -> Result<Vec<Q4Block>, PackError> {
    pack(bytes, blocks_per_row, |rows: [&[u8; 20]; LANES]| {
        Ok(Q4Block {
            quants: nibbles(rows.map(|row| quants::<16, 20>(row, 4))),
            scales: halves(rows, 0)?,
            offsets: halves(rows, 2)?,
        })
    })
}

/// Eight-bit blocks.
pub(super) fn pack_q8_0(bytes: &[u8], blocks_per_row: usize) -> Result<Vec<Q8Block>, PackError> {
    pack(bytes, blocks_per_row, |rows: [&[u8; 34]; LANES]| {
        let quants = rows.map(|row| quants::<32, 34>(row, 2));
        Ok(Q8Block {
            quants: std::array::from_fn(|quad| {
                std::array::from_fn(|i| byte(&quants, i / 4, 4 * quad + i % 4) ^ 128)
            }),
            scales: halves(rows, 0)?,
        })
    })
}

/// Gathers the blocks in the same place of 16 rows, panel after panel.
fn pack<B, const BYTES: usize>(
    bytes: &[u8],
    blocks_per_row: usize,
    block: impl Fn([&[u8; BYTES]; LANES]) -> Result<B, PackError>,
) -> Result<Vec<B>, PackError> {
    let (blocks, rest) = bytes.as_chunks::<BYTES>();
    let panel_blocks = LANES * blocks_per_row;
    if blocks.is_empty() || !rest.is_empty() || blocks.len() % panel_blocks != 0 {
        return Err(PackError::Rows(bytes.len()));
    }
    let places = blocks
        .chunks_exact(panel_blocks)
        .flat_map(|panel| (0..blocks_per_row).map(move |at| (panel, at)));
    places
        .map(|(panel, at)| {
            let mut rows = panel.iter().skip(at).step_by(blocks_per_row);
            block(std::array::from_fn(|_| rows.next().unwrap_or(&[0; BYTES])))
        })
        .collect()
}

/// The 16-bit floats at `offset` of each row's block.
fn halves<const BYTES: usize>(
    rows: [&[u8; BYTES]; LANES],
    offset: usize,
) -> Result<[u16; LANES], PackError> {
    let halves = rows.map(|row| u16::from_le_bytes(quants::<2, BYTES>(row, offset)));
    let finite = halves.iter().all(|half| f16::from_bits(*half).is_finite());
    finite.then_some(halves).ok_or(PackError::NotFinite)
}

/// `N` bytes from `offset` on.
fn quants<const N: usize, const BYTES: usize>(row: &[u8; BYTES], offset: usize) -> [u8; N] {
    let mut bytes = row.iter().skip(offset).copied();
    std::array::from_fn(|_| bytes.next().unwrap_or(0))
}

/// Gathers four columns (and, in the high nibbles, four more) of each row: see [`Q4Block`].
fn nibbles(rows: [[u8; 16]; LANES]) -> [[u8; 64]; 4] {
    std::array::from_fn(|quad| std::array::from_fn(|i| byte(&rows, i / 4, 4 * quad + i % 4)))
}

fn byte<const N: usize>(rows: &[[u8; N]; LANES], row: usize, at: usize) -> u8 {
    rows.get(row)
        .and_then(|row| row.get(at))
        .copied()
        .unwrap_or(0)
}
