//! Memory of a step on a device, allocated once for the largest.

use engine::model::ModelConfig;
use kernels::lanes::LANES;

use crate::{
    Device, DeviceError, Memory,
    arena::Arena,
    input::Input,
    operations::{Choose, sum_bytes, weight_bytes},
};

/// Memory of the largest step.
pub(crate) struct Buffers {
    /// What the host tells of a step.
    pub(crate) input: Input,
    /// Residual stream, `[row][column]`.
    pub(crate) stream: Memory,
    /// What matrix products take; as wide as the widest of them.
    pub(crate) activations: Memory,
    /// `[row][queries, keys, values]`.
    pub(crate) qkv: Memory,
    /// `[row][head][padded width]`.
    pub(crate) queries: Memory,
    /// `[row][head][width]`.
    pub(crate) attended: Memory,
    /// `[row][pair][gate 16, up 16]`.
    pub(crate) gate_up: Memory,
    /// What is normalised before it is added to the residual stream, as that.
    pub(crate) branch: Option<Memory>,
    /// `[wanted row][vocabulary, rounded up to whole panels]`.
    pub(crate) logits: Memory,
    /// What tokens weigh where one is chosen at a temperature, `f64 [wanted row][token]`.
    pub(crate) token_weights: Memory,
    /// Sums of them by blocks.
    pub(crate) weight_sums: Memory,
    /// Tokens that are kept, `u32 [wanted row][token]`.
    pub(crate) kept_tokens: Memory,
    /// What they weigh, `f64 [wanted row][token]`.
    pub(crate) kept_weights: Memory,
    /// `u32` for each wanted row.
    pub(crate) chosen: Memory,
}

/// What arithmetics differ in.
#[derive(Clone, Copy)]
pub(crate) struct Sizes {
    /// Bytes of a row of so many columns that a matrix product takes.
    pub(crate) activation_bytes: fn(usize) -> usize,
    /// Bytes of each column of queries, and of what heads attended to.
    pub(crate) head_value_bytes: usize,
    /// Most rows of a step.
    pub(crate) rows: usize,
    /// Most of them that want logits.
    pub(crate) wanted: usize,
}

impl Buffers {
    /// For steps of up to these sizes.
    pub(crate) fn new<D: Device>(
        arena: &mut Arena<D>,
        config: &ModelConfig,
        input: Input,
        sizes: Sizes,
    ) -> Result<Self, DeviceError> {
        let Sizes { rows, wanted, .. } = sizes;
        let widest = config.width.max(config.ffn_width);
        let widest = widest.max(config.query_width());
        let padded_queries = config.heads * config.padded_head_width();
        let head_row_bytes = sizes.head_value_bytes * rows;
        let queries = arena.bytes(head_row_bytes * padded_queries)?;
        let attended = arena.bytes(head_row_bytes * config.query_width())?;
        let mut floats = |columns| arena.words(rows * columns);
        Ok(Self {
            input,
            queries,
            attended,
            stream: floats(config.width)?,
            qkv: floats(config.query_width() + 2 * config.kv_width())?,
            gate_up: floats(2 * config.ffn_width)?,
            branch: match config.family.has_post_norms() {
                true => Some(floats(config.width)?),
                false => None,
            },
            activations: arena.bytes(rows * (sizes.activation_bytes)(widest))?,
            logits: arena.words(wanted * logit_columns(config))?,
            token_weights: arena.bytes(wanted * weight_bytes(config.vocabulary))?,
            weight_sums: arena.bytes(wanted * sum_bytes(config.vocabulary))?,
            kept_tokens: arena.words(wanted * config.vocabulary)?,
            kept_weights: arena.bytes(wanted * weight_bytes(config.vocabulary))?,
            chosen: arena.words(wanted)?,
        })
    }

    /// The choice of tokens of so many rows of logits.
    pub(crate) fn choose(&self, config: &ModelConfig, rows: usize) -> Choose {
        Choose {
            logits: self.logits,
            stride: logit_columns(config),
            vocabulary: config.vocabulary,
            choices: self.input.choices(),
            weights: self.token_weights,
            sums: self.weight_sums,
            tokens: self.kept_tokens,
            kept: self.kept_weights,
            chosen: self.chosen,
            rows,
        }
    }
}

/// From one row of logits to the next.
pub(crate) fn logit_columns(config: &ModelConfig) -> usize {
    config.vocabulary.next_multiple_of(LANES)
}
