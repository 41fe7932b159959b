//! Products of bf16 weights with bf16 activations.

use super::{FastMatrix, VALUE_BYTES};
use crate::{
    Argument, Launch, Memory,
    operations::{Accumulate, assert_rows, count, launch},
};

/// From so many rows on, tiles are as large as they get.
const MANY_ROWS: usize = 33;

/// In which order products are summed. Each has two variants that give the same bits, for few rows and for more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kernel {
    /// `fast_gemv`: each weight is read again for every eight rows.
    Gemv,
    /// `fast_gemm`: on tensor cores.
    Gemm,
}

/// `out[row][column] = activations[row] . matrix[column]`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FastMultiply {
    pub(crate) matrix: FastMatrix,
    /// bf16, `[row][column]`, as wide as the matrix.
    pub(crate) activations: Memory,
    /// `[row][column]`, as many columns as the matrix has rows.
    pub(crate) out: Memory,
    pub(crate) mode: Accumulate,
    pub(crate) rows: usize,
    pub(crate) kernel: Kernel,
}

impl FastMultiply {
    pub(crate) fn launch(self) -> Launch {
        match self.kernel {
            Kernel::Gemv => self.variant(usize::from(self.rows > 1)),
            Kernel::Gemm => self.variant(usize::from(self.rows >= MANY_ROWS)),
        }
    }

    /// The one for few rows (0) or the one for more.
    pub(crate) fn variant(self, more: usize) -> Launch {
        let (entry, [columns, rows], block) = match (self.kernel, more) {
            (Kernel::Gemv, 0) => ("fast_gemv_x1", [8, 1], 256),
            (Kernel::Gemv, _) => ("fast_gemv_x8", [8, 8], 256),
            (Kernel::Gemm, 0) => ("fast_gemm_x16", [32, 16], 128),
            (Kernel::Gemm, _) => ("fast_gemm_x128", [128, 128], 256),
        };
        let activation_bytes = VALUE_BYTES * self.rows * self.matrix.columns;
        assert!(
            self.activations.bytes() >= activation_bytes,
            "memory for all rows"
        );
        assert_rows(self.out, self.rows, self.matrix.rows);
        let grid = [self.matrix.rows.div_ceil(columns), self.rows.div_ceil(rows)];
        launch(entry, grid, block, self.arguments())
    }

    fn arguments(self) -> Vec<Argument> {
        let columns = Argument::U32(count(self.matrix.rows));
        let mut arguments = vec![
            Argument::Memory(self.matrix.memory),
            Argument::Memory(self.activations),
            Argument::Memory(self.out),
            Argument::U32(count(self.matrix.columns)),
            columns,
            Argument::U32(count(self.rows)),
        ];
        if self.kernel == Kernel::Gemm {
            arguments.push(columns);
        }
        arguments.push(Argument::U32(u32::from(self.mode == Accumulate::Add)));
        arguments
    }
}
