//! Products of queries, keys and values on their way into attention.

use super::{assert_rows, launch};
use crate::{Argument, HeadShape, Launch, Memory};

/// Of each head the bias, the normalisation and the rotation where there are any, for queries the scale; keys and values into
/// their pages: [`kernels::bias`], [`kernels::rms_norm::normalize`], [`kernels::rope`], [`kernels::attention::append`].
#[derive(Clone, Copy, Debug)]
pub struct Turn {
    /// `[row][queries, keys, values]`.
    pub qkv: Memory,
    /// `u32` for each row.
    pub positions: Memory,
    /// `u32` for each row.
    pub sequences: Memory,
    /// `u32 [sequence][pages of a sequence]`.
    pub pages: Memory,
    /// `[position][pair][cos, sin]`, of every position that occurs.
    pub turns: Memory,
    /// As wide as a row of `qkv`.
    pub bias: Option<Memory>,
    /// Weights of the normalisation of queries and of keys, as wide as a head.
    pub norms: Option<[Memory; 2]>,
    /// `[row][head][padded width]`.
    pub queries: Memory,
    /// All pages of a layer.
    pub cache: Memory,
    /// Of the heads.
    pub shape: HeadShape,
    /// How many rows.
    pub rows: usize,
}

impl Turn {
    /// The launch.
    pub fn launch(self) -> Launch {
        let (heads, padded) = (self.shape.heads, self.shape.padded_width);
        assert_rows(self.queries, self.rows, (heads * padded) as usize);
        self.launch_as("exact_turn", padded)
    }

    /// As a launch of an entry point that takes the same arguments; who calls checks the queries.
    pub(crate) fn launch_as(self, entry: &str, block: u32) -> Launch {
        let [heads, kv_heads, width] =
            [self.shape.heads, self.shape.kv_heads, self.shape.width].map(|number| number as usize);
        let all_heads = heads + 2 * kv_heads;
        assert_rows(self.qkv, self.rows, all_heads * width);
        assert_rows(self.positions, self.rows, 1);
        assert_rows(self.sequences, self.rows, 1);
        let norms = self.norms.map_or([None; 2], |norms| norms.map(Some));
        norms
            .iter()
            .flatten()
            .for_each(|norm| assert_rows(*norm, 1, width));
        self.bias
            .iter()
            .for_each(|bias| assert_rows(*bias, 1, all_heads * width));
        launch(entry, [self.rows, all_heads], block, self.arguments(norms))
    }

    fn arguments(self, [query_norm, key_norm]: [Option<Memory>; 2]) -> Vec<Argument> {
        vec![
            Argument::Memory(self.qkv),
            Argument::Memory(self.positions),
            Argument::Memory(self.sequences),
            Argument::Memory(self.pages),
            Argument::Memory(self.turns),
            self.bias.into(),
            query_norm.into(),
            key_norm.into(),
            Argument::Memory(self.queries),
            Argument::Memory(self.cache),
            Argument::HeadShape(self.shape),
        ]
    }
}
