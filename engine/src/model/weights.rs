//! A model's tensors, packed.

use kernels::matmul::Matrix;

use super::{Family, ModelConfig, ModelError, reader::Reader, tensors::Tensors};

/// All weights.
pub(crate) struct Weights {
    /// One row for each token of the vocabulary.
    pub(crate) embedding: Matrix,
    pub(crate) layers: Vec<Layer>,
    /// Weights of the last normalisation.
    pub(crate) output_norm: Vec<f32>,
    /// What each frequency of the rotary embedding is divided by, in layers that see everything.
    pub(crate) rope_factors: Option<Vec<f32>>,
    /// From the residual stream to logits; none where the embedding serves.
    output: Option<Matrix>,
}

impl Weights {
    /// From the residual stream to logits.
    pub(crate) fn output(&self) -> &Matrix {
        self.output.as_ref().unwrap_or(&self.embedding)
    }

    /// Moves all matrices into huge pages.
    pub(super) fn gather(&self) {
        let layers = self.layers.iter();
        let of_layers = layers.flat_map(|layer| {
            [
                &layer.qkv,
                &layer.attention_output,
                &layer.gate_up,
                &layer.down,
            ]
        });
        let others = [&self.embedding].into_iter().chain(&self.output);
        of_layers.chain(others).for_each(Matrix::gather);
    }
}

/// Weights of one block.
pub(crate) struct Layer {
    pub(crate) attention_norm: Vec<f32>,
    /// Rows: queries, keys, values.
    pub(crate) qkv: Matrix,
    /// Added to queries, keys, values.
    pub(crate) qkv_bias: Option<Vec<f32>>,
    pub(crate) head_norms: Option<HeadNorms>,
    pub(crate) attention_output: Matrix,
    /// Of what attention gives, before it is added to the residual stream.
    pub(crate) attention_post_norm: Option<Vec<f32>>,
    pub(crate) ffn_norm: Vec<f32>,
    /// Panels of gate and up in turn, as the gates of [`kernels`] take their products.
    pub(crate) gate_up: Matrix,
    pub(crate) down: Matrix,
    /// Of what the feed-forward network gives, before it is added to the residual stream.
    pub(crate) ffn_post_norm: Option<Vec<f32>>,
}

/// Weights of the normalisation of each head.
pub(crate) struct HeadNorms {
    pub(crate) query: Vec<f32>,
    pub(crate) key: Vec<f32>,
}

pub(super) fn read(source: &dyn Tensors, config: &ModelConfig) -> Result<Weights, ModelError> {
    let reader = Reader::new(source);
    let weights = reader.weights(config)?;
    reader.check_all_taken()?;
    Ok(weights)
}

impl Reader<'_> {
    fn weights(&self, config: &ModelConfig) -> Result<Weights, ModelError> {
        let (vocabulary, width) = (config.vocabulary, config.width);
        let layers = (0..config.layers).map(|index| self.layer(index, config));
        Ok(Weights {
            embedding: self.matrix("token_embd.weight", vocabulary, width)?,
            layers: layers.collect::<Result<_, _>>()?,
            output_norm: self.vector("output_norm.weight", width)?,
            rope_factors: self.rope_factors(config)?,
            output: match self.source.has("output.weight") {
                true => Some(self.matrix("output.weight", vocabulary, width)?),
                false => None,
            },
        })
    }

    fn rope_factors(&self, config: &ModelConfig) -> Result<Option<Vec<f32>>, ModelError> {
        let name = "rope_freqs.weight";
        if config.family != Family::Llama || !self.source.has(name) {
            return Ok(None);
        }
        let factors = self.vector(name, config.head_width / 2)?;
        let within = factors.iter().all(|factor| (1.0..=1e4).contains(factor));
        within
            .then_some(Some(factors))
            .ok_or_else(|| ModelError::Shape(name.to_owned()))
    }

    fn layer(&self, index: usize, config: &ModelConfig) -> Result<Layer, ModelError> {
        let name = |part: &str| format!("blk.{index}.{part}.weight");
        let matrix = |part, rows, columns| self.matrix(&name(part), rows, columns);
        let vector = |part| self.vector(&name(part), config.width);
        let (width, ffn_width) = (config.width, config.ffn_width);
        let post_norm = |part| config.family.has_post_norms().then(|| vector(part));
        let gate = matrix("ffn_gate", ffn_width, width)?;
        let up = matrix("ffn_up", ffn_width, width)?;
        Ok(Layer {
            attention_norm: vector("attn_norm")?,
            qkv: self.qkv(index, config)?,
            qkv_bias: self.qkv_bias(index, config)?,
            head_norms: self.head_norms(index, config)?,
            attention_output: matrix("attn_output", width, config.query_width())?,
            attention_post_norm: post_norm("post_attention_norm").transpose()?,
            ffn_norm: vector("ffn_norm")?,
            gate_up: gate.interleave(up),
            down: matrix("ffn_down", width, ffn_width)?,
            ffn_post_norm: post_norm("post_ffw_norm").transpose()?,
        })
    }

    fn qkv(&self, index: usize, config: &ModelConfig) -> Result<Matrix, ModelError> {
        let [queries, keys, values] = qkv_rows(config).map(|(part, rows)| {
            self.matrix(&format!("blk.{index}.{part}.weight"), rows, config.width)
        });
        Ok(queries?.stack(keys?).stack(values?))
    }

    fn qkv_bias(&self, index: usize, config: &ModelConfig) -> Result<Option<Vec<f32>>, ModelError> {
        if !config.family.has_qkv_bias() {
            return Ok(None);
        }
        let parts = qkv_rows(config)
            .map(|(part, rows)| self.vector(&format!("blk.{index}.{part}.bias"), rows));
        let parts = parts.into_iter().collect::<Result<Vec<_>, _>>()?;
        Ok(Some(parts.concat()))
    }

    fn head_norms(
        &self,
        index: usize,
        config: &ModelConfig,
    ) -> Result<Option<HeadNorms>, ModelError> {
        if !config.family.has_head_norms() {
            return Ok(None);
        }
        let norm = |part| self.vector(&format!("blk.{index}.{part}.weight"), config.head_width);
        Ok(Some(HeadNorms {
            query: norm("attn_q_norm")?,
            key: norm("attn_k_norm")?,
        }))
    }
}

/// Names and rows of the matrices of queries, keys and values.
fn qkv_rows(config: &ModelConfig) -> [(&'static str, usize); 3] {
    let kv_width = config.kv_width();
    [
        ("attn_q", config.query_width()),
        ("attn_k", kv_width),
        ("attn_v", kv_width),
    ]
}
