//! A model's weights on a device.

use engine::model::{HeadNorms, Layer, Model, Reach};
use kernels::{matmul::Matrix, rope::Frequencies};

use crate::{Device, DeviceError, Memory, arena::Arena, operations::DeviceMatrix};

/// A weight matrix as an arithmetic takes it, made of one that a model has.
pub(crate) trait WeightMatrix<S = Matrix>: Sized {
    /// Copies a matrix to a device.
    fn upload<D: Device>(arena: &mut Arena<D>, matrix: &S) -> Result<Self, DeviceError>;

    /// Copies one whose panels are those of gate and up in turn.
    fn upload_gate_up<D: Device>(arena: &mut Arena<D>, matrix: &S) -> Result<Self, DeviceError>;
}

/// It is there already.
impl WeightMatrix<Self> for DeviceMatrix {
    fn upload<D: Device>(_: &mut Arena<D>, matrix: &Self) -> Result<Self, DeviceError> {
        Ok(matrix.clone())
    }

    fn upload_gate_up<D: Device>(_: &mut Arena<D>, matrix: &Self) -> Result<Self, DeviceError> {
        Ok(matrix.clone())
    }
}

impl WeightMatrix for DeviceMatrix {
    fn upload<D: Device>(arena: &mut Arena<D>, matrix: &Matrix) -> Result<Self, DeviceError> {
        Self::upload(arena, matrix)
    }

    fn upload_gate_up<D: Device>(
        arena: &mut Arena<D>,
        matrix: &Matrix,
    ) -> Result<Self, DeviceError> {
        Self::upload(arena, matrix)
    }
}

/// All weights, and what positions turn heads by.
pub(crate) struct DeviceWeights<M> {
    pub(crate) embedding: M,
    pub(crate) layers: Vec<DeviceLayer<M>>,
    pub(crate) output_norm: Memory,
    /// From the residual stream to logits; none where the embedding serves.
    pub(crate) output: Option<M>,
    pub(crate) turns: Memory,
    /// Those of layers with a sliding window, where they have others.
    pub(crate) local_turns: Option<Memory>,
}

/// Weights of one block, as [`Layer`] has them.
pub(crate) struct DeviceLayer<M> {
    pub(crate) attention_norm: Memory,
    pub(crate) qkv: M,
    pub(crate) qkv_bias: Option<Memory>,
    /// Of queries, of keys.
    pub(crate) head_norms: Option<[Memory; 2]>,
    pub(crate) attention_output: M,
    pub(crate) attention_post_norm: Option<Memory>,
    pub(crate) ffn_norm: Memory,
    pub(crate) gate_up: M,
    pub(crate) down: M,
    pub(crate) ffn_post_norm: Option<Memory>,
}

impl<M> DeviceWeights<M> {
    /// Copies a model's weights; `context_tokens`: how many positions there can be.
    pub(crate) fn upload<D: Device, S>(
        arena: &mut Arena<D>,
        model: &Model<S>,
        context_tokens: usize,
    ) -> Result<Self, DeviceError>
    where
        M: WeightMatrix<S>,
    {
        let (weights, config) = (model.weights(), model.config());
        let layers = weights.layers.iter();
        let local = model.local_frequencies();
        let mut turns = |frequencies: &Frequencies| {
            arena.floats(&turns(frequencies, config.head_width, context_tokens))
        };
        Ok(Self {
            turns: turns(&model.frequencies())?,
            local_turns: local.as_ref().map(&mut turns).transpose()?,
            embedding: M::upload(arena, &weights.embedding)?,
            layers: layers
                .map(|layer| DeviceLayer::upload(arena, layer))
                .collect::<Result<_, _>>()?,
            output_norm: arena.floats(&weights.output_norm)?,
            output: match weights.is_tied() {
                true => None,
                false => Some(M::upload(arena, weights.output())?),
            },
        })
    }

    /// From the residual stream to logits.
    pub(crate) fn output(&self) -> &M {
        self.output.as_ref().unwrap_or(&self.embedding)
    }

    /// Cosines and sines of each position in layers that look so far.
    pub(crate) fn turns(&self, reach: Reach) -> Memory {
        match (reach, self.local_turns) {
            (Reach::Local, Some(turns)) => turns,
            _ => self.turns,
        }
    }
}

impl<M> DeviceLayer<M> {
    fn upload<D: Device, S>(arena: &mut Arena<D>, layer: &Layer<S>) -> Result<Self, DeviceError>
    where
        M: WeightMatrix<S>,
    {
        let mut optional = |values: &Option<Vec<f32>>| {
            let values = values.as_ref();
            values.map(|values| arena.floats(values)).transpose()
        };
        Ok(Self {
            qkv_bias: optional(&layer.qkv_bias)?,
            attention_post_norm: optional(&layer.attention_post_norm)?,
            ffn_post_norm: optional(&layer.ffn_post_norm)?,
            head_norms: layer
                .head_norms
                .as_ref()
                .map(|norms| head_norms(arena, norms))
                .transpose()?,
            attention_norm: arena.floats(&layer.attention_norm)?,
            ffn_norm: arena.floats(&layer.ffn_norm)?,
            qkv: M::upload(arena, &layer.qkv)?,
            attention_output: M::upload(arena, &layer.attention_output)?,
            gate_up: M::upload_gate_up(arena, &layer.gate_up)?,
            down: M::upload(arena, &layer.down)?,
        })
    }
}

fn head_norms<D: Device>(
    arena: &mut Arena<D>,
    norms: &HeadNorms,
) -> Result<[Memory; 2], DeviceError> {
    Ok([arena.floats(&norms.query)?, arena.floats(&norms.key)?])
}

/// `[position][pair][cos, sin]`.
pub(crate) fn turns(
    frequencies: &Frequencies,
    head_width: usize,
    context_tokens: usize,
) -> Vec<f32> {
    let mut turns = vec![0.0; head_width * context_tokens];
    let rows = turns.chunks_exact_mut(head_width).enumerate();
    rows.for_each(|(position, row)| frequencies.turn(position, row));
    turns
}
