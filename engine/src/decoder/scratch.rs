//! Memory of a forward pass, allocated once. It holds what the prompt became, so it is wiped when dropped.

use kernels::quantize::ActivationBlock;
use zeroize::Zeroize;

use super::blocks;
use crate::model::ModelConfig;

/// Memory for the largest chunk of tokens.
pub(super) struct Scratch {
    stream: Vec<f32>,
    qkv: Vec<f32>,
    attended: Vec<f32>,
    gate_up: Vec<f32>,
    turns: Vec<f32>,
    row: Vec<f32>,
    activations: Vec<ActivationBlock>,
    pub(super) logits: Vec<f32>,
    config: ModelConfig,
}

/// The parts of it that a chunk of tokens needs.
pub(super) struct Buffers<'a> {
    /// Residual stream, `[panel][token][16]`.
    pub(super) stream: &'a mut [f32],
    /// Queries, keys and values, `[panel][token][16]`.
    pub(super) qkv: &'a mut [f32],
    /// Outputs of the attention, `[token][head][column]`.
    pub(super) attended: &'a mut [f32],
    /// Gate and up, `[pair][gate, up][token][16]`.
    pub(super) gate_up: &'a mut [f32],
    /// Cosines and sines, `[token][pair][cos, sin]`.
    pub(super) turns: &'a mut [f32],
    /// One row of the embedding.
    pub(super) row: &'a mut [f32],
    /// What matrix products take; as long as the longest of them.
    pub(super) activations: &'a mut [ActivationBlock],
}

impl Scratch {
    pub(super) fn new(config: &ModelConfig, tokens: usize) -> Self {
        let floats = |columns| vec![0.0; columns * tokens];
        let widest = config.width.max(config.ffn_width);
        Self {
            stream: floats(config.width),
            qkv: floats(config.width + 2 * config.kv_width()),
            attended: floats(config.width),
            gate_up: floats(2 * config.ffn_width),
            turns: floats(config.head_width),
            row: vec![0.0; config.width],
            activations: vec![ActivationBlock::ZERO; blocks(widest) * tokens],
            logits: vec![0.0; config.vocabulary],
            config: *config,
        }
    }

    pub(super) fn buffers(&mut self, tokens: usize) -> Buffers<'_> {
        self.with_logits(tokens).0
    }

    pub(super) fn with_logits(&mut self, tokens: usize) -> (Buffers<'_>, &mut [f32]) {
        let config = &self.config;
        let buffers = Buffers {
            stream: part(&mut self.stream, config.width * tokens),
            qkv: part(
                &mut self.qkv,
                (config.width + 2 * config.kv_width()) * tokens,
            ),
            attended: part(&mut self.attended, config.width * tokens),
            gate_up: part(&mut self.gate_up, 2 * config.ffn_width * tokens),
            turns: part(&mut self.turns, config.head_width * tokens),
            row: &mut self.row,
            activations: &mut self.activations,
        };
        (buffers, &mut self.logits)
    }
}

/// The first `length` values.
pub(super) fn part<T>(values: &mut [T], length: usize) -> &mut [T] {
    values.split_at_mut(length).0
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let all = [
            &mut self.stream,
            &mut self.qkv,
            &mut self.attended,
            &mut self.gate_up,
            &mut self.row,
            &mut self.logits,
        ];
        all.into_iter().for_each(Zeroize::zeroize);
        self.activations.iter_mut().for_each(Zeroize::zeroize);
    }
}
