//! A weight matrix in bf16.

use kernels::{lanes::LANES, matmul::Matrix, quantize::BLOCK};

use super::{VALUE_BYTES, bf16_bytes};
use crate::{Device, DeviceError, Memory, arena::Arena, weights::WeightMatrix};

/// Rows that are copied together.
const PIECE_ROWS: usize = 256;

/// A weight matrix, `[row][column]`, with rows of zeros behind the last that fill up a panel.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FastMatrix {
    pub(crate) memory: Memory,
    /// With those that fill up.
    pub(crate) rows: usize,
    pub(crate) columns: usize,
}

impl FastMatrix {
    /// Copies the nearest values of what `row` writes for each row number, piece by piece, and reads each piece back: a device
    /// that does not keep it is refused.
    pub(crate) fn of_rows<D: Device>(
        arena: &mut Arena<D>,
        [rows, columns]: [usize; 2],
        mut row: impl FnMut(usize, &mut [f32]),
    ) -> Result<Self, DeviceError> {
        let filled = rows.next_multiple_of(LANES);
        let row_bytes = VALUE_BYTES * columns;
        let memory = arena.bytes(filled * row_bytes)?;
        let mut values = vec![0.0; columns];
        for first in (0..rows).step_by(PIECE_ROWS) {
            let mut piece = Vec::with_capacity(PIECE_ROWS * row_bytes);
            for index in first..rows.min(first + PIECE_ROWS) {
                row(index, &mut values);
                piece.extend(bf16_bytes(&values));
            }
            let place = memory.part(first * row_bytes, piece.len());
            write(&**arena.device(), place, &piece)?;
        }
        Ok(Self {
            memory,
            rows: filled,
            columns,
        })
    }
}

impl WeightMatrix for FastMatrix {
    fn upload<D: Device>(arena: &mut Arena<D>, matrix: &Matrix) -> Result<Self, DeviceError> {
        let columns = matrix.blocks_per_row() * BLOCK;
        Self::of_rows(arena, [matrix.rows(), columns], |row, out| {
            matrix.row(row, out);
        })
    }

    /// All gates, then all ups.
    fn upload_gate_up<D: Device>(
        arena: &mut Arena<D>,
        matrix: &Matrix,
    ) -> Result<Self, DeviceError> {
        let (rows, columns) = (matrix.rows(), matrix.blocks_per_row() * BLOCK);
        let place = |row| {
            let (part, row) = (row / (rows / 2), row % (rows / 2));
            (2 * (row / LANES) + part) * LANES + row % LANES
        };
        Self::of_rows(arena, [rows, columns], |row, out| {
            matrix.row(place(row), out);
        })
    }
}

/// Writes, and reads back.
fn write(device: &impl Device, memory: Memory, bytes: &[u8]) -> Result<(), DeviceError> {
    device.upload(memory, bytes)?;
    let mut kept = vec![0; bytes.len()];
    device.download(memory, &mut kept)?;
    match kept == bytes {
        true => Ok(()),
        false => Err(DeviceError::Corrupted),
    }
}
