//! One block of a Llama: attention, then the feed-forward network, each added to the residual stream.

use kernels::{matmul::Mode, quantize::Source, rms_norm::Norm};

use super::{crew::Crew, heads::Heads, scratch::Buffers};
use crate::model::{Layer, ModelConfig, Weights};

/// A chunk of tokens on its way through the blocks.
pub(super) struct Pass<'a> {
    pub(super) config: &'a ModelConfig,
    pub(super) crew: &'a mut Crew,
    pub(super) buffers: Buffers<'a>,
    /// Position of the first token.
    pub(super) first: usize,
    pub(super) tokens: usize,
}

impl Pass<'_> {
    /// Runs one block; `cache` is its layer's.
    pub(super) fn block(&mut self, layer: &Layer, cache: &mut [f32]) {
        self.attention(layer, cache);
        self.feed_forward(layer);
    }

    fn attention(&mut self, layer: &Layer, cache: &mut [f32]) {
        let norm = self.norm(&layer.attention_norm);
        let (crew, buffers, tokens) = (&mut *self.crew, &mut self.buffers, self.tokens);
        let source = Source::panels_of(buffers.stream, tokens);
        let normed = crew.quantize(&source, Some(norm), tokens, buffers.activations);
        crew.multiply(&layer.qkv, normed, Mode::Set, buffers.qkv);
        let heads = Heads {
            config: self.config,
            qkv: Source::panels_of(buffers.qkv, tokens),
            turns: buffers.turns,
            first: self.first,
            tokens,
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
        let (crew, buffers, tokens) = (&mut *self.crew, &mut self.buffers, self.tokens);
        let source = Source::panels_of(buffers.stream, tokens);
        let normed = crew.quantize(&source, Some(norm), tokens, buffers.activations);
        crew.multiply_gated(&layer.gate_up, normed, buffers.gate_up);
        let source = Source::even_panels_of(buffers.gate_up, tokens);
        let gated = crew.quantize(&source, None, tokens, buffers.activations);
        crew.multiply(&layer.down, gated, Mode::Add, buffers.stream);
    }

    /// Logits after the last token.
    pub(super) fn logits(self, weights: &Weights, logits: &mut [f32]) {
        let norm = self.norm(&weights.output_norm);
        let source = Source::panels_of(self.buffers.stream, self.tokens);
        let last = source.from_token(self.tokens - 1);
        let normed = self
            .crew
            .quantize(&last, Some(norm), 1, self.buffers.activations);
        self.crew
            .multiply(weights.output(), normed, Mode::Set, logits);
    }

    fn norm<'n>(&self, weights: &'n [f32]) -> Norm<'n> {
        Norm {
            weights,
            epsilon: self.config.rms_epsilon,
        }
    }
}
