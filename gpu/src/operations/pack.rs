//! Rows of a model file to packed panels.

use kernels::{lanes::LANES, matmul::Format};

use super::{count, launch};
use crate::{Argument, Launch, Memory};

/// Threads of a block, each of which makes a word.
const THREADS: usize = 256;

/// [`kernels::matmul::Matrix::pack`] of rows in a device's memory.
#[derive(Clone, Copy, Debug)]
pub struct Pack {
    /// How the weights are stored.
    pub format: Format,
    /// The rows, as a file has them.
    pub file: Memory,
    /// How many.
    pub rows: usize,
    /// How wide they are.
    pub columns: usize,
    /// Where panels go: `[panel][block]`.
    pub panels: Memory,
    /// Place of the first of them.
    pub first_panel: usize,
    /// From one to the next.
    pub panel_step: usize,
    /// `u32`: becomes 1 where a number is not finite, and stays otherwise.
    pub not_finite: Memory,
}

impl Pack {
    /// The launch.
    pub fn launch(self) -> Launch {
        let (format, panels) = (self.format, self.rows.div_ceil(LANES));
        let panel_bytes = format.panel_bytes(self.columns);
        assert!(
            self.file.bytes() >= self.rows * format.row_bytes(self.columns),
            "all rows"
        );
        let places = self.first_panel + panels.saturating_sub(1) * self.panel_step + 1;
        assert!(
            self.panels.bytes() >= places * panel_bytes,
            "memory for all panels"
        );
        assert!(self.not_finite.bytes() >= 4, "memory for a word");
        let row_blocks = self.columns / format.block_columns();
        let numbers = [row_blocks, self.rows, self.first_panel, self.panel_step];
        let memory = [self.file, self.panels, self.not_finite].map(Argument::Memory);
        let numbers = numbers.map(|number| Argument::U32(count(number)));
        let arguments = memory.into_iter().chain(numbers).collect();
        let grid = [panels, panel_bytes.div_ceil(4 * THREADS)];
        let entry = format!("exact_pack_{}", format.name());
        launch(entry, grid, THREADS as u32, arguments)
    }
}
