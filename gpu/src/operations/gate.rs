//! Gated columns, quantised for the product that follows.

use super::{activation_bytes, assert_rows, count, launch};
use crate::{Argument, Launch, Memory};

/// Columns of a block of threads.
const COLUMNS: usize = 1024;

/// What is done to a gate before it is multiplied with its column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// [`kernels::silu_mul`].
    Silu,
    /// [`kernels::gelu_mul`].
    Gelu,
}

/// [`kernels::silu_mul::silu_mul`] or [`kernels::gelu_mul::gelu_mul`], then [`kernels::quantize::quantize`].
#[derive(Clone, Copy, Debug)]
pub struct GateQuantize {
    /// Which.
    pub gate: Gate,
    /// `[row][pair][gate 16, up 16]`.
    pub gate_up: Memory,
    /// Activations of each row.
    pub out: Memory,
    /// How many rows.
    pub rows: usize,
    /// How wide the result is.
    pub columns: usize,
}

impl GateQuantize {
    /// The launch.
    pub fn launch(self) -> Launch {
        assert_rows(self.gate_up, self.rows, 2 * self.columns);
        assert!(
            self.out.bytes() >= self.rows * activation_bytes(self.columns),
            "memory for all rows"
        );
        let entry = match self.gate {
            Gate::Silu => "exact_silu_quantize",
            Gate::Gelu => "exact_gelu_quantize",
        };
        let arguments = vec![
            Argument::Memory(self.gate_up),
            Argument::Memory(self.out),
            Argument::U32(count(self.columns)),
        ];
        launch(
            entry,
            [self.rows, self.columns.div_ceil(COLUMNS)],
            256,
            arguments,
        )
    }
}
