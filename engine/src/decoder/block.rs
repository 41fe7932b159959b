//! One block of a Llama: attention, then the feed-forward network, each added to the residual stream.

use kernels::{matmul::Mode, quantize::Source, rms_norm::Norm};

use super::{
    batch::Batch,
    crew::Crew,
    heads::Heads,
    scratch::{Buffers, Logits},
};
use crate::model::{Layer, ModelConfig, Weights};

/// The rows of a step on their way through the blocks.
pub(super) struct Pass<'a> {
    pub(super) config: &'a ModelConfig,
    pub(super) crew: &'a mut Crew,
    pub(super) buffers: Buffers<'a>,
    pub(super) batch: &'a Batch<'a>,
}

impl Pass<'_> {
    /// Runs one block; `cache` has all pages of its layer.
    pub(super) fn block(&mut self, layer: &Layer, cache: &mut [f32]) {
        self.attention(layer, cache);
        self.feed_forward(layer);
    }

    fn attention(&mut self, layer: &Layer, cache: &mut [f32]) {
        let norm = self.norm(&layer.attention_norm);
        let (crew, buffers, tokens) = (&mut *self.crew, &mut self.buffers, self.batch.rows);
        let source = Source::panels_of(buffers.stream, tokens);
        let normed = crew.quantize(&source, Some(norm), tokens, buffers.activations);
        crew.multiply(&layer.qkv, normed, Mode::Set, buffers.qkv);
        let heads = Heads {
            config: self.config,
            qkv: Source::panels_of(buffers.qkv, tokens),
            turns: buffers.turns,
            batch: self.batch,
            window: usize::MAX,
        };
        heads.append(crew, cache);
        heads.attend(crew, cache, buffers.attended);
        let source = Source::rows(buffers.attended, self.config.width);
        let attended = crew.quantize(&source, None, tokens, buffers.activations);
        let matrix = &layer.attention_output;
        crew.multiply(matrix, attended, Mode::Add, buffers.stream);
    }

    fn feed_forward(&mut self, layer: &Layer) {
        let norm = self.norm(&layer.ffn_norm);
        let (crew, buffers, tokens) = (&mut *self.crew, &mut self.buffers, self.batch.rows);
        let source = Source::panels_of(buffers.stream, tokens);
        let normed = crew.quantize(&source, Some(norm), tokens, buffers.activations);
        crew.multiply_gated(&layer.gate_up, normed, buffers.gate_up);
        let source = Source::even_panels_of(buffers.gate_up, tokens);
        let gated = crew.quantize(&source, None, tokens, buffers.activations);
        crew.multiply(&layer.down, gated, Mode::Add, buffers.stream);
    }

    /// Logits after the rows where they are wanted.
    pub(super) fn logits(self, weights: &Weights, logits: &mut Logits<'_>) {
        let (norm, wanted) = (self.norm(&weights.output_norm), &self.batch.wanted);
        let stream = Source::panels_of(self.buffers.stream, self.batch.rows);
        let rows = self.buffers.last.chunks_exact_mut(self.config.width);
        for (row, last) in wanted.iter().zip(rows) {
            stream.read(*row, 0, last);
        }
        let last = Source::rows(self.buffers.last, self.config.width);
        let (count, activations) = (wanted.len(), self.buffers.activations);
        let normed = self.crew.quantize(&last, Some(norm), count, activations);
        let matrix = weights.output();
        self.crew.multiply(matrix, normed, Mode::Set, logits.panels);
        self.crew.copy_rows(logits.panels, logits.rows, count);
    }

    fn norm<'n>(&self, weights: &'n [f32]) -> Norm<'n> {
        Norm {
            weights,
            epsilon: self.config.rms_epsilon,
        }
    }
}
