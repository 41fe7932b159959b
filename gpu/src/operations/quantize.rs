//! Rows to activations.

use super::{DeviceNorm, activation_bytes, assert_rows, count, launch};
use crate::{Argument, Launch, Memory};

/// [`kernels::quantize::quantize`] of rows, normalised first where there is a norm.
#[derive(Clone, Copy, Debug)]
pub struct Quantize {
    /// `[row][column]`.
    pub values: Memory,
    /// `u32` for each row of the result: which row it is made of; the row of the same number where there are none.
    pub source_rows: Option<Memory>,
    /// How rows are normalised.
    pub norm: Option<DeviceNorm>,
    /// Activations of each row.
    pub out: Memory,
    /// How many rows the result has.
    pub rows: usize,
    /// How wide they are.
    pub columns: usize,
}

impl Quantize {
    /// The launch.
    pub fn launch(self) -> Launch {
        assert_rows(self.values, 1, self.columns);
        match self.source_rows {
            Some(rows) => assert_rows(rows, self.rows, 1),
            None => assert_rows(self.values, self.rows, self.columns),
        }
        assert!(
            self.out.bytes() >= self.rows * activation_bytes(self.columns),
            "memory for all rows"
        );
        let weights = self.norm.map(|norm| norm.weights);
        weights
            .iter()
            .for_each(|weights| assert_rows(*weights, 1, self.columns));
        let arguments = vec![
            Argument::Memory(self.values),
            self.source_rows.into(),
            weights.into(),
            Argument::Memory(self.out),
            Argument::U32(count(self.columns)),
            Argument::F32(self.norm.map_or(0.0, |norm| norm.epsilon)),
        ];
        launch("exact_quantize", [self.rows, 1], 256, arguments)
    }
}
