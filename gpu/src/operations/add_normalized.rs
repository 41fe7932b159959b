//! A normalised branch added to the residual stream.

use super::{DeviceNorm, assert_rows, count, launch};
use crate::{Argument, Launch, Memory};

/// [`kernels::rms_norm::add_normalized`].
#[derive(Clone, Copy, Debug)]
pub struct AddNormalized {
    /// `[row][column]`.
    pub values: Memory,
    /// Of the values.
    pub norm: DeviceNorm,
    /// `[row][column]`; they are added to it.
    pub stream: Memory,
    /// How many rows.
    pub rows: usize,
    /// How wide they are.
    pub columns: usize,
}

impl AddNormalized {
    /// The launch.
    pub fn launch(self) -> Launch {
        assert_rows(self.values, self.rows, self.columns);
        assert_rows(self.stream, self.rows, self.columns);
        assert_rows(self.norm.weights, 1, self.columns);
        let arguments = vec![
            Argument::Memory(self.values),
            Argument::Memory(self.norm.weights),
            Argument::Memory(self.stream),
            Argument::U32(count(self.columns)),
            Argument::F32(self.norm.epsilon),
        ];
        launch("exact_add_normalized", [self.rows, 1], 256, arguments)
    }
}
