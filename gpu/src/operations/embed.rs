//! Rows of the embedding to the residual stream.

use super::{DeviceMatrix, assert_rows, count, launch};
use crate::{Argument, Launch, Memory};

/// [`kernels::matmul::Matrix::row`] of each token, times a scale.
#[derive(Clone, Copy, Debug)]
pub struct Embed<'a> {
    /// A row for each token of the vocabulary, all in one format.
    pub embedding: &'a DeviceMatrix,
    /// `u32` for each row.
    pub tokens: Memory,
    /// `[row][column]`.
    pub stream: Memory,
    /// What each value is multiplied with.
    pub scale: f32,
    /// How many rows.
    pub rows: usize,
}

impl Embed<'_> {
    /// The launch; none if the embedding is not in one format.
    pub fn launch(self) -> Option<Launch> {
        let [weights] = self.embedding.products() else {
            return None;
        };
        let columns = self.embedding.columns();
        assert_rows(self.tokens, self.rows, 1);
        assert_rows(self.stream, self.rows, columns);
        let arguments = vec![
            Argument::Memory(weights.memory),
            Argument::Memory(self.tokens),
            Argument::Memory(self.stream),
            Argument::U32(count(columns)),
            Argument::F32(self.scale),
        ];
        let entry = format!("exact_embed_{}", weights.format.name());
        Some(launch(entry, [self.rows, 1], 128, arguments))
    }
}
