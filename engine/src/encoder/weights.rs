//! An encoder's tensors, by their names in BERT's files.

use kernels::{layer_norm::LayerNorm, matmul::Matrix};

use super::EncoderConfig;
use crate::model::{ModelError, reader::Reader};

/// All weights.
pub(super) struct Weights {
    /// One row for each token of the vocabulary.
    pub(super) words: Vec<f32>,
    /// One row for each position, the first kind of token already added.
    pub(super) positions: Vec<f32>,
    pub(super) norm: Norm,
    pub(super) layers: Vec<Layer>,
}

/// Weights of one layer.
pub(super) struct Layer {
    /// Rows: queries, keys, values.
    pub(super) qkv: Dense,
    pub(super) attention_output: Dense,
    pub(super) attention_norm: Norm,
    pub(super) intermediate: Dense,
    pub(super) output: Dense,
    pub(super) output_norm: Norm,
}

/// A matrix, and what is added to its product.
pub(super) struct Dense {
    pub(super) matrix: Matrix,
    pub(super) bias: Vec<f32>,
}

/// Weights of a layer normalisation.
pub(super) struct Norm {
    weights: Vec<f32>,
    bias: Vec<f32>,
    epsilon: f32,
}

impl Norm {
    pub(super) fn get(&self) -> LayerNorm<'_> {
        LayerNorm {
            weights: &self.weights,
            bias: &self.bias,
            epsilon: self.epsilon,
        }
    }
}

pub(super) fn read(reader: &Reader<'_>, config: &EncoderConfig) -> Result<Weights, ModelError> {
    for unused in [
        "embeddings.position_ids",
        "pooler.dense.bias",
        "pooler.dense.weight",
    ] {
        reader.leave_out(unused);
    }
    let width = config.width;
    let layers = (0..config.layers).map(|index| layer(reader, index, config));
    Ok(Weights {
        words: reader.table(
            "embeddings.word_embeddings.weight",
            config.vocabulary,
            width,
        )?,
        positions: positions(reader, config)?,
        norm: norm(reader, "embeddings.LayerNorm", config)?,
        layers: layers.collect::<Result<_, _>>()?,
    })
}

fn positions(reader: &Reader<'_>, config: &EncoderConfig) -> Result<Vec<f32>, ModelError> {
    let (types, width) = (config.token_types, config.width);
    let types = reader.table("embeddings.token_type_embeddings.weight", types, width)?;
    let name = "embeddings.position_embeddings.weight";
    let mut positions = reader.table(name, config.positions, width)?;
    for row in positions.chunks_exact_mut(width) {
        row.iter_mut().zip(&types).for_each(|(x, kind)| *x += kind);
    }
    Ok(positions)
}

fn layer(reader: &Reader<'_>, index: usize, config: &EncoderConfig) -> Result<Layer, ModelError> {
    let part = |name: &str| format!("encoder.layer.{index}.{name}");
    let dense = |name: &str, rows, columns| dense(reader, &part(name), (rows, columns));
    let (width, ffn_width) = (config.width, config.ffn_width);
    let [queries, keys, values] = ["query", "key", "value"]
        .map(|name| dense(&format!("attention.self.{name}"), width, width));
    Ok(Layer {
        qkv: queries?.above(keys?).above(values?),
        attention_output: dense("attention.output.dense", width, width)?,
        attention_norm: norm(reader, &part("attention.output.LayerNorm"), config)?,
        intermediate: dense("intermediate.dense", ffn_width, width)?,
        output: dense("output.dense", width, ffn_width)?,
        output_norm: norm(reader, &part("output.LayerNorm"), config)?,
    })
}

impl Dense {
    fn above(mut self, below: Self) -> Self {
        self.bias.extend(below.bias);
        Self {
            matrix: self.matrix.stack(below.matrix),
            bias: self.bias,
        }
    }
}

fn dense(
    reader: &Reader<'_>,
    name: &str,
    (rows, columns): (usize, usize),
) -> Result<Dense, ModelError> {
    Ok(Dense {
        matrix: reader.matrix(&format!("{name}.weight"), rows, columns)?,
        bias: reader.vector(&format!("{name}.bias"), rows)?,
    })
}

fn norm(reader: &Reader<'_>, name: &str, config: &EncoderConfig) -> Result<Norm, ModelError> {
    Ok(Norm {
        weights: reader.vector(&format!("{name}.weight"), config.width)?,
        bias: reader.vector(&format!("{name}.bias"), config.width)?,
        epsilon: config.epsilon,
    })
}
