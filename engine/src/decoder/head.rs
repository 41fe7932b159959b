//! What a head's columns go through between the product that makes them and attention.

use kernels::{
    Isa,
    quantize::Source,
    rms_norm::{Norm, normalize},
    rope::{rotate, rotate_halves},
};

use crate::model::{Layer, ModelConfig, RopePairs};

/// Queries, or keys, of one layer: bias, normalisation, rotation, scale, each where the model has it.
#[derive(Clone, Copy)]
pub(super) struct HeadSteps<'a> {
    pub(super) isa: Isa,
    pub(super) head_width: usize,
    /// One for each column of queries, keys and values.
    bias: Option<&'a [f32]>,
    norm: Option<Norm<'a>>,
    pairs: RopePairs,
    scale: f32,
}

impl<'a> HeadSteps<'a> {
    /// Those of queries.
    pub(super) fn queries(isa: Isa, config: &ModelConfig, layer: &'a Layer) -> Self {
        let norms = layer.head_norms.as_ref();
        Self {
            norm: norms.map(|norms| norm(config, &norms.query)),
            scale: config.query_scale(),
            ..Self::plain(isa, config, layer)
        }
    }

    /// Those of keys.
    pub(super) fn keys(isa: Isa, config: &ModelConfig, layer: &'a Layer) -> Self {
        let norms = layer.head_norms.as_ref();
        Self {
            norm: norms.map(|norms| norm(config, &norms.key)),
            ..Self::plain(isa, config, layer)
        }
    }

    fn plain(isa: Isa, config: &ModelConfig, layer: &'a Layer) -> Self {
        Self {
            isa,
            head_width: config.head_width,
            bias: layer.qkv_bias.as_deref(),
            norm: None,
            pairs: config.rope_pairs,
            scale: 1.0,
        }
    }

    /// Reads one head of a token, from `first_column` of `qkv` on; `out` may be wider than the head, and is zero beyond it.
    pub(super) fn read(&self, qkv: Source<'_>, token: usize, first_column: usize, out: &mut [f32]) {
        let (head, beyond) = out.split_at_mut(self.head_width);
        beyond.fill(0.0);
        qkv.read(token, first_column, head);
        let bias = self.bias.and_then(|bias| bias.get(first_column..));
        for (value, bias) in head.iter_mut().zip(bias.unwrap_or_default()) {
            *value += bias;
        }
    }

    /// As [`Self::read`], then normalises, turns and scales the head.
    pub(super) fn read_turned(
        &self,
        qkv: Source<'_>,
        (token, turn): (usize, &[f32]),
        first_column: usize,
        out: &mut [f32],
    ) {
        self.read(qkv, token, first_column, out);
        let head = out.split_at_mut(self.head_width).0;
        if let Some(norm) = self.norm {
            normalize(self.isa, norm, head);
        }
        match self.pairs {
            RopePairs::Neighbours => rotate(turn, head),
            RopePairs::Halves => rotate_halves(turn, head),
        }
        if self.scale != 1.0 {
            head.iter_mut().for_each(|value| *value *= self.scale);
        }
    }
}

fn norm<'n>(config: &ModelConfig, weights: &'n [f32]) -> Norm<'n> {
    Norm {
        weights,
        epsilon: config.rms_epsilon,
    }
}
