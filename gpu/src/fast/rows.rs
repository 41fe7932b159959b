//! What is done to rows beside products and attention.

use super::{FastMatrix, VALUE_BYTES};
use crate::{
    Argument, Launch, Memory,
    operations::{DeviceNorm, Turn, assert_rows, count, launch},
};

/// Rows of the embedding, times a scale.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FastEmbed {
    pub(crate) embedding: FastMatrix,
    /// `u32` for each row.
    pub(crate) tokens: Memory,
    /// `[row][column]`.
    pub(crate) stream: Memory,
    pub(crate) scale: f32,
    pub(crate) rows: usize,
}

impl FastEmbed {
    pub(crate) fn launch(self) -> Launch {
        let columns = self.embedding.columns;
        assert_rows(self.tokens, self.rows, 1);
        assert_rows(self.stream, self.rows, columns);
        let arguments = vec![
            Argument::Memory(self.embedding.memory),
            Argument::Memory(self.tokens),
            Argument::Memory(self.stream),
            Argument::U32(count(columns)),
            Argument::F32(self.scale),
        ];
        launch("fast_embed", [self.rows, 1], 128, arguments)
    }
}

/// Rows of floats, normalised.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FastNorm {
    /// `[row][column]`.
    pub(crate) values: Memory,
    /// `u32` for each row of the result: which row it is made of; the row of the same number where there are none.
    pub(crate) source_rows: Option<Memory>,
    pub(crate) norm: DeviceNorm,
    /// bf16, `[row][column]`.
    pub(crate) out: Memory,
    pub(crate) rows: usize,
    pub(crate) columns: usize,
}

impl FastNorm {
    pub(crate) fn launch(self) -> Launch {
        match self.source_rows {
            Some(rows) => assert_rows(rows, self.rows, 1),
            None => assert_rows(self.values, self.rows, self.columns),
        }
        assert_rows(self.norm.weights, 1, self.columns);
        assert_values(self.out, self.rows, self.columns);
        let arguments = vec![
            Argument::Memory(self.values),
            self.source_rows.into(),
            Argument::Memory(self.norm.weights),
            Argument::Memory(self.out),
            Argument::U32(count(self.columns)),
            Argument::F32(self.norm.epsilon),
        ];
        launch("fast_rms_norm", [self.rows, 1], 256, arguments)
    }
}

/// `silu(gate) * up`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FastGate {
    /// `[row][gate columns, up columns]`.
    pub(crate) gate_up: Memory,
    /// bf16, `[row][column]`.
    pub(crate) out: Memory,
    pub(crate) rows: usize,
    /// Of the result.
    pub(crate) columns: usize,
}

impl FastGate {
    pub(crate) fn launch(self) -> Launch {
        assert_rows(self.gate_up, self.rows, 2 * self.columns);
        assert_values(self.out, self.rows, self.columns);
        let arguments = vec![
            Argument::Memory(self.gate_up),
            Argument::Memory(self.out),
            Argument::U32(count(self.columns)),
        ];
        let grid = [self.rows, self.columns.div_ceil(512)];
        launch("fast_silu_mul", grid, 256, arguments)
    }
}

/// As [`Turn`], with bf16 queries, keys and values.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FastTurn(pub(crate) Turn);

impl FastTurn {
    pub(crate) fn launch(self) -> Launch {
        let Self(turn) = self;
        let width = turn.shape.width as usize;
        assert!(matches!(width, 64 | 128), "a width of the fast operations");
        assert_values(turn.queries, turn.rows, turn.shape.heads as usize * width);
        turn.launch_as("fast_turn", turn.shape.width / 2)
    }
}

/// Checks that `memory` holds `rows` rows of `columns` bf16 values.
pub(super) fn assert_values(memory: Memory, rows: usize, columns: usize) {
    let bytes = VALUE_BYTES * rows * columns;
    assert!(memory.bytes() >= bytes, "memory for all rows");
}
