//! One block: attention, then the feed-forward network, each added to the residual stream.

use kernels::{
    gelu_mul::gelu_mul,
    matmul::{Activations, Matrix, Mode},
    quantize::Source,
    rms_norm::{Norm, add_normalized},
    silu_mul::silu_mul,
};

use super::{
    batch::Batch,
    crew::{Crew, Gate},
    head::HeadSteps,
    heads::Heads,
    scratch::{Buffers, Logits},
};
use crate::model::{Layer, ModelConfig, Reach, Weights};

/// The last product of attention or feed-forward network, and what becomes of it before it is added to the residual stream.
struct Last<'a> {
    matrix: &'a Matrix,
    post_norm: Option<Norm<'a>>,
}

impl Last<'_> {
    fn add(
        &self,
        crew: &mut Crew,
        activations: Activations<'_>,
        branch: &mut [f32],
        stream: &mut [f32],
    ) {
        let Some(norm) = self.post_norm else {
            return crew.multiply(self.matrix, activations, Mode::Add, stream);
        };
        crew.multiply(self.matrix, activations, Mode::Set, branch);
        add_normalized(crew.isa, norm, activations.tokens(), branch, stream);
    }
}

/// The rows of a step on their way through the blocks.
pub(super) struct Pass<'a> {
    pub(super) config: &'a ModelConfig,
    pub(super) crew: &'a mut Crew,
    pub(super) buffers: Buffers<'a>,
    pub(super) batch: &'a Batch<'a>,
}

impl Pass<'_> {
    /// Runs one block; `cache` has all pages of its layer.
    pub(super) fn block(&mut self, (index, layer): (usize, &Layer), cache: &mut [f32]) {
        self.attention(self.config.reach(index), layer, cache);
        self.feed_forward(layer);
    }

    fn attention(&mut self, reach: Reach, layer: &Layer, cache: &mut [f32]) {
        let norm = self.norm(&layer.attention_norm);
        let last = self.last(
            &layer.attention_output,
            layer.attention_post_norm.as_deref(),
        );
        let (crew, buffers, tokens) = (&mut *self.crew, &mut self.buffers, self.batch.rows);
        let source = Source::panels_of(buffers.stream, tokens);
        let normed = crew.quantize(&source, Some(norm), tokens, buffers.activations);
        crew.multiply(&layer.qkv, normed, Mode::Set, buffers.qkv);
        let turns = match reach {
            Reach::Local if !buffers.local_turns.is_empty() => &*buffers.local_turns,
            _ => &*buffers.turns,
        };
        let heads = Heads {
            config: self.config,
            qkv: Source::panels_of(buffers.qkv, tokens),
            turns,
            batch: self.batch,
            window: self.config.window(reach),
            queries: HeadSteps::queries(crew.isa, self.config, layer),
            keys: HeadSteps::keys(crew.isa, self.config, layer),
        };
        heads.append(crew, cache);
        heads.attend(crew, cache, buffers.attended);
        let source = Source::rows(buffers.attended, self.config.query_width());
        let attended = crew.quantize(&source, None, tokens, buffers.activations);
        last.add(crew, attended, buffers.branch, buffers.stream);
    }

    fn feed_forward(&mut self, layer: &Layer) {
        let norm = self.norm(&layer.ffn_norm);
        let last = self.last(&layer.down, layer.ffn_post_norm.as_deref());
        let (crew, buffers, tokens) = (&mut *self.crew, &mut self.buffers, self.batch.rows);
        let source = Source::panels_of(buffers.stream, tokens);
        let normed = crew.quantize(&source, Some(norm), tokens, buffers.activations);
        let gate: Gate = match self.config.family.has_gelu_gate() {
            true => gelu_mul,
            false => silu_mul,
        };
        crew.multiply_gated((&layer.gate_up, gate), normed, buffers.gate_up);
        let source = Source::even_panels_of(buffers.gate_up, tokens);
        let gated = crew.quantize(&source, None, tokens, buffers.activations);
        last.add(crew, gated, buffers.branch, buffers.stream);
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

    fn last<'l>(&self, matrix: &'l Matrix, post_norm: Option<&'l [f32]>) -> Last<'l> {
        Last {
            matrix,
            post_norm: post_norm.map(|weights| self.norm(weights)),
        }
    }

    fn norm<'n>(&self, weights: &'n [f32]) -> Norm<'n> {
        Norm {
            weights,
            epsilon: self.config.rms_epsilon,
        }
    }
}
