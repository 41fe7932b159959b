//! From the blocks of a GGUF file to panels of sixteen rows: what the formats have in common.

use half::f16;

use crate::{lanes::LANES, quantize::BLOCK};

/// Why a matrix was not packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PackError {
    /// The columns are no multiple of the format's block.
    #[error("{0} columns are no whole number of blocks")]
    Columns(usize),
    /// The bytes are no whole number of rows.
    #[error("{0} bytes are no whole number of rows")]
    Rows(usize),
    /// A scale, an offset or a weight is infinite or not a number.
    #[error("a scale, an offset or a weight is not finite")]
    NotFinite,
}

/// Gathers the blocks in the same place of 16 rows, panel after panel. Rows that the last panel lacks are zero bytes, which
/// in every format mean zero weights.
pub(super) fn pack<B, const BYTES: usize>(
    bytes: &[u8],
    blocks_per_row: usize,
    block: impl Fn([&[u8; BYTES]; LANES]) -> Result<B, PackError>,
) -> Result<Vec<B>, PackError> {
    let (blocks, rest) = bytes.as_chunks::<BYTES>();
    if blocks.is_empty() || !rest.is_empty() || blocks.len() % blocks_per_row != 0 {
        return Err(PackError::Rows(bytes.len()));
    }
    let panels = blocks.len().div_ceil(LANES * blocks_per_row);
    let mut packed = Vec::with_capacity(panels * blocks_per_row);
    for panel in blocks.chunks(LANES * blocks_per_row) {
        for at in 0..blocks_per_row {
            let mut rows = panel.iter().skip(at).step_by(blocks_per_row);
            packed.push(block(std::array::from_fn(|_| {
                rows.next().unwrap_or(&[0; BYTES])
            }))?);
        }
    }
    Ok(packed)
}

/// The 16-bit floats at `offset` of each row's block.
pub(super) fn halves<const BYTES: usize>(
    rows: [&[u8; BYTES]; LANES],
    offset: usize,
) -> Result<[u16; LANES], PackError> {
    let halves = rows.map(|row| u16::from_le_bytes(array(row, offset)));
    let finite = halves.iter().all(|half| f16::from_bits(*half).is_finite());
    finite.then_some(halves).ok_or(PackError::NotFinite)
}

/// One of them as a number.
pub(super) fn half(halves: &[u16; LANES], lane: usize) -> f32 {
    f16::from_bits(halves.get(lane).copied().unwrap_or(0)).to_f32()
}

/// `N` bytes from `offset` on.
pub(super) fn array<const N: usize, const BYTES: usize>(
    row: &[u8; BYTES],
    offset: usize,
) -> [u8; N] {
    let bytes = row.get(offset..).and_then(<[u8]>::first_chunk);
    bytes.copied().unwrap_or([0; N])
}

/// Gathers four bytes of each row: those of row `r` begin at byte `4 * r`.
pub(super) fn quads<const N: usize, const QUADS: usize>(
    rows: &[[u8; N]; LANES],
) -> [[u8; 64]; QUADS] {
    let mut quads = [[0; 64]; QUADS];
    for (lane, row) in rows.iter().enumerate() {
        for (quad, bytes) in quads.iter_mut().zip(row.as_chunks::<4>().0) {
            let place = quad.as_chunks_mut().0.get_mut(lane);
            place.into_iter().for_each(|place| *place = *bytes);
        }
    }
    quads
}

/// The lowest four bits of quants, two to a byte: column `j` low, `16 + j` high.
pub(super) fn join(quants: &[u8; BLOCK]) -> [u8; BLOCK / 2] {
    let mut joined = [0; BLOCK / 2];
    let (low, high) = quants.split_at(BLOCK / 2);
    for (joined, (low, high)) in joined.iter_mut().zip(low.iter().zip(high)) {
        *joined = low & 15 | high << 4;
    }
    joined
}

/// The lowest bit of each byte; bit `j` is that of byte `j`.
pub(super) fn lowest_bits(bytes: &[u8; BLOCK]) -> u32 {
    let words = bytes
        .as_chunks()
        .0
        .iter()
        .map(|bytes| u64::from_le_bytes(*bytes));
    // The product brings the lowest bits of eight bytes together in the highest byte: no two of its terms overlap.
    let gather =
        |word: u64| (word & 0x0101_0101_0101_0101).wrapping_mul(0x0102_0408_1020_4080) >> 56;
    words
        .rev()
        .fold(0, |bits, word| bits << 8 | gather(word) as u32)
}

/// Four bits of each weight: byte `4 * row + i` of the `quad`-th has column `4 * quad + i` in its low nibble,
/// `16 + 4 * quad + i` in its high one.
#[repr(transparent)]
pub(super) struct Nibbles(pub(super) [[u8; 64]; 4]);

impl Nibbles {
    /// From rows that have column `j` in the low nibble of byte `j`, `16 + j` in the high one.
    pub(super) fn pack(rows: &[[u8; BLOCK / 2]; LANES]) -> Self {
        Self(quads(rows))
    }

    /// One row, column by column.
    pub(super) fn row(&self, lane: usize) -> [u8; BLOCK] {
        std::array::from_fn(|column| {
            let byte = byte(&self.0, column % 16 / 4, 4 * lane + column % 4);
            if column < 16 { byte & 15 } else { byte >> 4 }
        })
    }
}

/// The fifth bit of each weight: bit `4 * row + i` of the `quad`-th is that of column `4 * quad + i`.
#[repr(transparent)]
pub(super) struct FifthBits(pub(super) [u64; BLOCK / 4]);

impl FifthBits {
    /// From rows whose bit `j` is that of column `j`.
    pub(super) fn pack(rows: &[u32; LANES]) -> Self {
        let bits = |quad, lane, row| u64::from(row >> (4 * quad) & 15) << (4 * lane);
        Self(std::array::from_fn(|quad| {
            let rows = rows.iter().enumerate();
            rows.fold(0, |all, (lane, row)| all | bits(quad, lane, *row))
        }))
    }

    /// Puts them on top of one row's quants.
    pub(super) fn add_to(&self, quants: [u8; BLOCK], lane: usize) -> [u8; BLOCK] {
        let mut columns = quants.into_iter().enumerate();
        std::array::from_fn(|_| {
            let (column, quant) = columns.next().unwrap_or_default();
            let bits = self.0.get(column / 4).copied().unwrap_or(0);
            quant | ((bits >> (4 * lane + column % 4) & 1) as u8) << 4
        })
    }
}

/// The fifth and sixth bit of each weight: bits `2 * f` and `2 * f + 1` of byte `4 * row + i` of the `k`-th are those of
/// column `16 * k + 4 * f + i`.
#[repr(transparent)]
pub(super) struct TopPairs(pub(super) [[u8; 64]; 2]);

impl TopPairs {
    /// From rows that have column `j` in the lowest two bits of byte `j`.
    pub(super) fn pack(rows: &[[u8; BLOCK]; LANES]) -> Self {
        Self(quads(&rows.map(|row| {
            let mut joined = [0; 8];
            let halves = joined.as_chunks_mut::<4>().0.iter_mut();
            for (joined, columns) in halves.zip(row.as_chunks::<16>().0) {
                for (f, pairs) in columns.as_chunks::<4>().0.iter().enumerate() {
                    let both = joined.iter_mut().zip(pairs);
                    both.for_each(|(joined, pair)| *joined |= (pair & 3) << (2 * f));
                }
            }
            joined
        })))
    }

    /// Puts them on top of one row's quants.
    pub(super) fn add_to(&self, quants: [u8; BLOCK], lane: usize) -> [u8; BLOCK] {
        let mut columns = quants.into_iter().enumerate();
        std::array::from_fn(|_| {
            let (column, quant) = columns.next().unwrap_or_default();
            let pairs = byte(&self.0, column / 16, 4 * lane + column % 4);
            quant | (pairs >> (column % 16 / 4 * 2) & 3) << 4
        })
    }
}

/// One of a super-block's parts.
///
/// # Panics
/// If there is none of that number.
#[expect(
    clippy::indexing_slicing,
    reason = "a wrong part is the caller's mistake"
)]
pub(super) fn nth_part<T, const N: usize>(parts: &[T; N], part: usize) -> &T {
    &parts[part]
}

/// A byte of a table; none is outside.
pub(super) fn byte<const N: usize>(rows: &[[u8; N]], row: usize, at: usize) -> u8 {
    rows.get(row)
        .and_then(|row| row.get(at))
        .copied()
        .unwrap_or(0)
}
