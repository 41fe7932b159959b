//! Attention over cached pages.

use super::{assert_rows, count, launch};
use crate::{Argument, HeadShape, Launch, Memory};

/// [`kernels::attention::attend`] of every row and head.
#[derive(Clone, Copy, Debug)]
pub struct Attend {
    /// `[row][head][padded width]`.
    pub queries: Memory,
    /// All pages of a layer.
    pub cache: Memory,
    /// `u32` for each row.
    pub positions: Memory,
    /// `u32` for each row.
    pub sequences: Memory,
    /// `u32 [sequence][pages of a sequence]`.
    pub pages: Memory,
    /// `[row][head][width]`.
    pub out: Memory,
    /// Of the heads.
    pub shape: HeadShape,
    /// How many positions a row attends to at most; `usize::MAX`: all.
    pub window: usize,
    /// How many rows.
    pub rows: usize,
}

impl Attend {
    /// The launch.
    pub fn launch(self) -> Launch {
        let heads = self.shape.heads as usize;
        assert_rows(
            self.queries,
            self.rows,
            heads * self.shape.padded_width as usize,
        );
        assert_rows(self.out, self.rows, heads * self.shape.width as usize);
        assert_rows(self.positions, self.rows, 1);
        assert_rows(self.sequences, self.rows, 1);
        let window = match self.window {
            usize::MAX => u32::MAX,
            window => count(window),
        };
        let arguments = vec![
            Argument::Memory(self.queries),
            Argument::Memory(self.cache),
            Argument::Memory(self.positions),
            Argument::Memory(self.sequences),
            Argument::Memory(self.pages),
            Argument::Memory(self.out),
            Argument::HeadShape(self.shape),
            Argument::U32(window),
        ];
        launch("exact_attend", [self.rows, heads], 256, arguments)
    }
}
