//! Memory of a forward pass, allocated once. It holds what the prompt became, so it is wiped when dropped.

use std::slice::ChunksExact;

use kernels::{lanes::LANES, quantize::ActivationBlock};
use zeroize::Zeroize;

use super::blocks;
use crate::model::ModelConfig;

/// Memory for the largest step; that for logits grows with the rows that want them.
pub(super) struct Scratch {
    stream: Vec<f32>,
    qkv: Vec<f32>,
    attended: Vec<f32>,
    gate_up: Vec<f32>,
    branch: Vec<f32>,
    turns: Vec<f32>,
    local_turns: Vec<f32>,
    row: Vec<f32>,
    activations: Vec<ActivationBlock>,
    last: Vec<f32>,
    logit_panels: Vec<f32>,
    logits: Vec<f32>,
    config: ModelConfig,
}

/// The parts of it that a step of so many rows needs.
pub(super) struct Buffers<'a> {
    /// Residual stream, `[panel][row][16]`.
    pub(super) stream: &'a mut [f32],
    /// Queries, keys and values, `[panel][row][16]`.
    pub(super) qkv: &'a mut [f32],
    /// Outputs of the attention, `[row][head][column]`.
    pub(super) attended: &'a mut [f32],
    /// Gate and up, `[pair][gate, up][row][16]`.
    pub(super) gate_up: &'a mut [f32],
    /// What is normalised before it is added to the residual stream, as that; empty where nothing is.
    pub(super) branch: &'a mut [f32],
    /// Cosines and sines, `[row][pair][cos, sin]`.
    pub(super) turns: &'a mut [f32],
    /// Those of layers with a sliding window; empty where they have no others.
    pub(super) local_turns: &'a mut [f32],
    /// One row of the embedding.
    pub(super) row: &'a mut [f32],
    /// Residual stream of the rows that want logits, `[row][column]`.
    pub(super) last: &'a mut [f32],
    /// What matrix products take; as long as the longest of them.
    pub(super) activations: &'a mut [ActivationBlock],
}

/// Memory for the logits of some rows.
pub(super) struct Logits<'a> {
    /// As the product gives them, `[panel][row][16]`.
    pub(super) panels: &'a mut [f32],
    /// As they are given out, `[row][token of the vocabulary]`.
    pub(super) rows: &'a mut [f32],
}

impl Scratch {
    pub(super) fn new(config: &ModelConfig, tokens: usize) -> Self {
        let floats = |columns| vec![0.0; columns * tokens];
        let widest = config.width.max(config.ffn_width);
        let widest = widest.max(config.query_width());
        Self {
            stream: floats(config.width),
            qkv: floats(config.query_width() + 2 * config.kv_width()),
            attended: floats(config.query_width()),
            gate_up: floats(2 * config.ffn_width),
            branch: floats(branch_width(config)),
            turns: floats(config.head_width),
            local_turns: floats(local_turns_width(config)),
            row: vec![0.0; config.width],
            activations: vec![ActivationBlock::ZERO; blocks(widest) * tokens],
            last: Vec::new(),
            logit_panels: Vec::new(),
            logits: Vec::new(),
            config: *config,
        }
    }

    pub(super) fn buffers(&mut self, rows: usize) -> Buffers<'_> {
        self.with_logits(rows, 0).0
    }

    /// As [`Self::buffers`], and memory for the logits of so many of the rows.
    pub(super) fn with_logits(&mut self, rows: usize, wanted: usize) -> (Buffers<'_>, Logits<'_>) {
        let config = &self.config;
        let padded = config.vocabulary.next_multiple_of(LANES);
        let logits = Logits {
            panels: grown(&mut self.logit_panels, padded * wanted),
            rows: grown(&mut self.logits, config.vocabulary * wanted),
        };
        let qkv_width = config.query_width() + 2 * config.kv_width();
        let buffers = Buffers {
            stream: part(&mut self.stream, config.width * rows),
            qkv: part(&mut self.qkv, qkv_width * rows),
            attended: part(&mut self.attended, config.query_width() * rows),
            gate_up: part(&mut self.gate_up, 2 * config.ffn_width * rows),
            branch: part(&mut self.branch, branch_width(config) * rows),
            turns: part(&mut self.turns, config.head_width * rows),
            local_turns: part(&mut self.local_turns, local_turns_width(config) * rows),
            row: &mut self.row,
            last: grown(&mut self.last, config.width * wanted),
            activations: &mut self.activations,
        };
        (buffers, logits)
    }

    /// Logits of the last step's rows that wanted them.
    pub(super) fn logits(&self, wanted: usize) -> ChunksExact<'_, f32> {
        let length = self.config.vocabulary * wanted;
        let logits = self.logits.get(..length).unwrap_or_default();
        logits.chunks_exact(self.config.vocabulary)
    }
}

fn branch_width(config: &ModelConfig) -> usize {
    match config.family.has_post_norms() {
        true => config.width,
        false => 0,
    }
}

fn local_turns_width(config: &ModelConfig) -> usize {
    match config.local_rope_base() {
        Some(_) => config.head_width,
        None => 0,
    }
}

/// The first `length` values, of which there become as many as that takes.
fn grown(values: &mut Vec<f32>, length: usize) -> &mut [f32] {
    if values.len() < length {
        values.zeroize();
        *values = vec![0.0; length];
    }
    part(values, length)
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
            &mut self.branch,
            &mut self.row,
            &mut self.last,
            &mut self.logit_panels,
            &mut self.logits,
        ];
        all.into_iter().for_each(Zeroize::zeroize);
        self.activations.iter_mut().for_each(Zeroize::zeroize);
    }
}
