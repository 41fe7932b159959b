//! The launches of a step in the fast arithmetic.

use engine::model::{ModelConfig, Reach};

use super::{
    FastAttend, FastAttendParts, FastEmbed, FastGate, FastHeads, FastMatrix, FastMultiply,
    FastNorm, FastTurn, Kernel, Parts, VALUE_BYTES,
};
use crate::{
    Launch, Memory,
    buffers::Buffers,
    operations::{Accumulate, DeviceNorm, Turn},
    plan::{StepShape, head_shape},
    weights::{DeviceLayer, DeviceWeights},
};

/// Up to so many sequences, single tokens are multiplied by `fast_gemv`, which reads each weight once for them; where there can be
/// more, by `fast_gemm`, like all other rows.
const GEMV_SEQUENCES: usize = 8;

/// What a step is made of: first the rows of single tokens, then all others.
pub(crate) struct FastPlan<'a> {
    pub(crate) config: &'a ModelConfig,
    pub(crate) weights: &'a DeviceWeights<FastMatrix>,
    pub(crate) buffers: &'a Buffers,
    /// Of single tokens.
    pub(crate) parts: &'a Parts,
    /// All pages of each layer.
    pub(crate) caches: &'a [Memory],
    pub(crate) shape: StepShape,
}

impl FastPlan<'_> {
    /// The launches, in their order.
    pub(crate) fn launches(&self) -> Vec<Launch> {
        let embed = FastEmbed {
            embedding: self.weights.embedding,
            tokens: self.buffers.input.tokens(),
            stream: self.buffers.stream,
            scale: self.config.embedding_scale(),
            rows: self.rows(),
        };
        let mut launches = vec![embed.launch()];
        let layers = self.weights.layers.iter().zip(self.caches);
        for (index, (layer, cache)) in layers.enumerate() {
            self.attention(&mut launches, (self.config.reach(index), *cache), layer);
            self.feed_forward(&mut launches, layer);
        }
        if self.shape.wanted > 0 {
            self.output(&mut launches);
        }
        launches
    }

    fn rows(&self) -> usize {
        self.shape.singles + self.shape.rows
    }

    /// How single tokens, and logits, are multiplied: whatever a step's size, the same.
    fn single_kernel(&self) -> Kernel {
        match self.buffers.input.sequences() <= GEMV_SEQUENCES {
            true => Kernel::Gemv,
            false => Kernel::Gemm,
        }
    }

    fn attention(
        &self,
        launches: &mut Vec<Launch>,
        (reach, cache): (Reach, Memory),
        layer: &DeviceLayer<FastMatrix>,
    ) {
        let buffers = self.buffers;
        launches.push(self.normed(layer.attention_norm));
        let activations = buffers.activations;
        launches.extend(self.product(layer.qkv, (activations, buffers.qkv), Accumulate::Set));
        launches.push(self.turn((reach, cache), layer));
        launches.extend(self.attend((reach, cache)));
        let output = (buffers.attended, buffers.stream);
        launches.extend(self.product(layer.attention_output, output, Accumulate::Add));
    }

    fn feed_forward(&self, launches: &mut Vec<Launch>, layer: &DeviceLayer<FastMatrix>) {
        let buffers = self.buffers;
        launches.push(self.normed(layer.ffn_norm));
        let activations = buffers.activations;
        let gate_up = (activations, buffers.gate_up);
        launches.extend(self.product(layer.gate_up, gate_up, Accumulate::Set));
        let gated = FastGate {
            gate_up: buffers.gate_up,
            out: activations,
            rows: self.rows(),
            columns: self.config.ffn_width,
        };
        launches.push(gated.launch());
        let down = (activations, buffers.stream);
        launches.extend(self.product(layer.down, down, Accumulate::Add));
    }

    fn turn(&self, (reach, cache): (Reach, Memory), layer: &DeviceLayer<FastMatrix>) -> Launch {
        let (buffers, input) = (self.buffers, &self.buffers.input);
        let turn = Turn {
            qkv: buffers.qkv,
            positions: input.positions(),
            sequences: input.row_sequences(),
            pages: input.pages(),
            turns: self.weights.turns(reach),
            bias: layer.qkv_bias,
            norms: layer.head_norms,
            queries: buffers.queries,
            cache,
            shape: head_shape(self.config, input),
            rows: self.rows(),
        };
        FastTurn(turn).launch()
    }

    /// Of single tokens by parts, of all others at once.
    fn attend(&self, (reach, cache): (Reach, Memory)) -> Vec<Launch> {
        let (buffers, input) = (self.buffers, &self.buffers.input);
        let heads = FastHeads {
            queries: buffers.queries,
            cache,
            pages: input.pages(),
            out: buffers.attended,
            shape: head_shape(self.config, input),
            window: self.config.window(reach),
            rows: self.rows(),
        };
        let singles = FastAttendParts {
            heads,
            spans: input.single_spans(),
            count: self.shape.singles,
            parts: *self.parts,
        };
        let others = FastAttend {
            heads,
            spans: input.spans(),
            // Each has two rows at least.
            count: input.sequences().min(self.shape.rows / 2),
            longest: self.shape.rows,
        };
        let singles = (self.shape.singles > 0).then(|| singles.launches());
        let others = (self.shape.rows > 0).then(|| others.launch());
        singles.into_iter().flatten().chain(others).collect()
    }

    fn output(&self, launches: &mut Vec<Launch>) {
        let buffers = self.buffers;
        let normed = FastNorm {
            values: buffers.stream,
            source_rows: Some(buffers.input.wanted()),
            norm: self.norm(self.weights.output_norm),
            out: buffers.activations,
            rows: self.shape.wanted,
            columns: self.config.width,
        };
        launches.push(normed.launch());
        let product = FastMultiply {
            matrix: *self.weights.output(),
            activations: buffers.activations,
            out: buffers.logits,
            mode: Accumulate::Set,
            rows: self.shape.wanted,
            kernel: self.single_kernel(),
        };
        launches.push(product.launch());
        let choose = buffers.choose(self.config, self.shape.wanted);
        launches.extend(choose.launches());
    }

    /// The residual stream, normalised.
    fn normed(&self, weights: Memory) -> Launch {
        let norm = FastNorm {
            values: self.buffers.stream,
            source_rows: None,
            norm: self.norm(weights),
            out: self.buffers.activations,
            rows: self.rows(),
            columns: self.config.width,
        };
        norm.launch()
    }

    /// Of all rows: a launch for those of each kernel.
    fn product(
        &self,
        matrix: FastMatrix,
        (activations, out): (Memory, Memory),
        mode: Accumulate,
    ) -> Vec<Launch> {
        let StepShape { singles, rows, .. } = self.shape;
        let ranges = match self.single_kernel() {
            Kernel::Gemm => vec![(0, singles + rows, Kernel::Gemm)],
            Kernel::Gemv => vec![(0, singles, Kernel::Gemv), (singles, rows, Kernel::Gemm)],
        };
        let ranges = ranges.into_iter().filter(|(_, rows, _)| *rows > 0);
        let launches = ranges.map(|(first, rows, kernel)| {
            let product = FastMultiply {
                matrix,
                activations: from(activations, VALUE_BYTES * first * matrix.columns),
                out: from(out, size_of::<f32>() * first * matrix.rows),
                mode,
                rows,
                kernel,
            };
            product.launch()
        });
        launches.collect()
    }

    fn norm(&self, weights: Memory) -> DeviceNorm {
        DeviceNorm {
            weights,
            epsilon: self.config.rms_epsilon,
        }
    }
}

/// Memory without its first bytes.
fn from(memory: Memory, offset: usize) -> Memory {
    memory.part(offset, memory.bytes() - offset)
}
