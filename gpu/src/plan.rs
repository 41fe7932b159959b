//! A step as launches, from tokens to logits: the same order of operations as [`engine::decoder::Decoder`]'s.

use engine::model::{ModelConfig, Reach, RopePairs};

use crate::{
    HeadShape, Launch, Memory,
    buffers::Buffers,
    input::Input,
    operations::{
        Accumulate, AddNormalized, Attend, DeviceMatrix, DeviceNorm, Embed, Gate, GateQuantize,
        Multiply, Quantize, Turn,
    },
    weights::{DeviceLayer, DeviceWeights},
};

/// How large a step is. A smaller one is filled up with rows of no sequence, and logits that nobody wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StepShape {
    /// Rows of single tokens, where those are apart.
    pub(crate) singles: usize,
    /// All other rows.
    pub(crate) rows: usize,
    /// Rows of which logits are computed.
    pub(crate) wanted: usize,
}

impl StepShape {
    /// Whether a step is no larger.
    pub(crate) fn holds(self, step: Self) -> bool {
        self.singles >= step.singles && self.rows >= step.rows && self.wanted >= step.wanted
    }
}

/// What a step is made of.
pub(crate) struct Plan<'a> {
    pub(crate) config: &'a ModelConfig,
    pub(crate) weights: &'a DeviceWeights<DeviceMatrix>,
    pub(crate) buffers: &'a Buffers,
    /// All pages of each layer.
    pub(crate) caches: &'a [Memory],
    pub(crate) shape: StepShape,
}

impl Plan<'_> {
    /// The launches, in their order; none if the embedding is in a form that no model has.
    pub(crate) fn launches(&self) -> Option<Vec<Launch>> {
        let embed = Embed {
            embedding: &self.weights.embedding,
            tokens: self.buffers.input.tokens(),
            stream: self.buffers.stream,
            scale: self.config.embedding_scale(),
            rows: self.shape.rows,
        };
        let mut launches = vec![embed.launch()?];
        let layers = self.weights.layers.iter().zip(self.caches);
        for (index, (layer, cache)) in layers.enumerate() {
            self.attention(&mut launches, (self.config.reach(index), *cache), layer);
            self.feed_forward(&mut launches, layer);
        }
        if self.shape.wanted > 0 {
            self.output(&mut launches);
        }
        Some(launches)
    }

    fn attention(
        &self,
        launches: &mut Vec<Launch>,
        (reach, cache): (Reach, Memory),
        layer: &DeviceLayer<DeviceMatrix>,
    ) {
        let buffers = self.buffers;
        launches.push(self.normed(layer.attention_norm));
        launches.extend(self.product(&layer.qkv, buffers.qkv, Accumulate::Set));
        launches.push(self.turn((reach, cache), layer));
        launches.push(self.attend((reach, cache)));
        let attended = Quantize {
            values: buffers.attended,
            source_rows: None,
            norm: None,
            out: buffers.activations,
            rows: self.shape.rows,
            columns: self.config.query_width(),
        };
        launches.push(attended.launch());
        self.branch(launches, &layer.attention_output, layer.attention_post_norm);
    }

    fn feed_forward(&self, launches: &mut Vec<Launch>, layer: &DeviceLayer<DeviceMatrix>) {
        let buffers = self.buffers;
        launches.push(self.normed(layer.ffn_norm));
        launches.extend(self.product(&layer.gate_up, buffers.gate_up, Accumulate::Set));
        let gated = GateQuantize {
            gate: match self.config.family.has_gelu_gate() {
                true => Gate::Gelu,
                false => Gate::Silu,
            },
            gate_up: buffers.gate_up,
            out: buffers.activations,
            rows: self.shape.rows,
            columns: self.config.ffn_width,
        };
        launches.push(gated.launch());
        self.branch(launches, &layer.down, layer.ffn_post_norm);
    }

    /// The last product of attention or feed-forward network, added to the residual stream.
    fn branch(&self, launches: &mut Vec<Launch>, matrix: &DeviceMatrix, post_norm: Option<Memory>) {
        let stream = self.buffers.stream;
        let Some((weights, values)) = post_norm.zip(self.buffers.branch) else {
            return launches.extend(self.product(matrix, stream, Accumulate::Add));
        };
        launches.extend(self.product(matrix, values, Accumulate::Set));
        let add = AddNormalized {
            values,
            norm: self.norm(weights),
            stream,
            rows: self.shape.rows,
            columns: self.config.width,
        };
        launches.push(add.launch());
    }

    fn turn(&self, (reach, cache): (Reach, Memory), layer: &DeviceLayer<DeviceMatrix>) -> Launch {
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
            rows: self.shape.rows,
        };
        turn.launch()
    }

    fn attend(&self, (reach, cache): (Reach, Memory)) -> Launch {
        let (buffers, input) = (self.buffers, &self.buffers.input);
        let attend = Attend {
            queries: buffers.queries,
            cache,
            positions: input.positions(),
            sequences: input.row_sequences(),
            pages: input.pages(),
            out: buffers.attended,
            shape: head_shape(self.config, input),
            window: self.config.window(reach),
            rows: self.shape.rows,
        };
        attend.launch()
    }

    fn output(&self, launches: &mut Vec<Launch>) {
        let buffers = self.buffers;
        let normed = Quantize {
            values: buffers.stream,
            source_rows: Some(buffers.input.wanted()),
            norm: Some(self.norm(self.weights.output_norm)),
            out: buffers.activations,
            rows: self.shape.wanted,
            columns: self.config.width,
        };
        launches.push(normed.launch());
        let product = Multiply {
            matrix: self.weights.output(),
            activations: buffers.activations,
            out: buffers.logits,
            mode: Accumulate::Set,
            rows: self.shape.wanted,
        };
        launches.extend(product.launches());
        let choose = buffers.choose(self.config, self.shape.wanted);
        launches.extend(choose.launches());
    }

    /// The residual stream, normalised.
    fn normed(&self, weights: Memory) -> Launch {
        let quantize = Quantize {
            values: self.buffers.stream,
            source_rows: None,
            norm: Some(self.norm(weights)),
            out: self.buffers.activations,
            rows: self.shape.rows,
            columns: self.config.width,
        };
        quantize.launch()
    }

    fn product(
        &self,
        matrix: &DeviceMatrix,
        out: Memory,
        mode: Accumulate,
    ) -> impl Iterator<Item = Launch> {
        let product = Multiply {
            matrix,
            activations: self.buffers.activations,
            out,
            mode,
            rows: self.shape.rows,
        };
        product.launches().collect::<Vec<_>>().into_iter()
    }

    fn norm(&self, weights: Memory) -> DeviceNorm {
        DeviceNorm {
            weights,
            epsilon: self.config.rms_epsilon,
        }
    }
}

/// How a model's heads lie in their buffers.
pub(crate) fn head_shape(config: &ModelConfig, input: &Input) -> HeadShape {
    let [heads, kv_heads, width, padded_width, pages_per_sequence] = [
        config.heads,
        config.kv_heads,
        config.head_width,
        config.padded_head_width(),
        input.pages_per_sequence(),
    ]
    .map(|number| u32::try_from(number).unwrap_or(u32::MAX));
    HeadShape {
        heads,
        kv_heads,
        width,
        padded_width,
        pages_per_sequence,
        halves: u32::from(config.rope_pairs == RopePairs::Halves),
        query_scale: config.query_scale(),
        epsilon: config.rms_epsilon,
    }
}
