//! A model's tensors, packed.

use kernels::matmul::Matrix;

use super::{Family, ModelConfig, ModelError, reader::Reader, tensors::Tensors};

/// All weights.
pub struct Weights<M = Matrix> {
    /// One row for each token of the vocabulary.
    pub embedding: M,
    /// Block by block.
    pub layers: Vec<Layer<M>>,
    /// Weights of the last normalisation.
    pub output_norm: Vec<f32>,
    /// What each frequency of the rotary embedding is divided by, in layers that see everything.
    pub rope_factors: Option<Vec<f32>>,
    /// From the residual stream to logits; none where the embedding serves.
    output: Option<M>,
}

impl<M> Weights<M> {
    /// Whether the embedding serves as output.
    pub fn is_tied(&self) -> bool {
        self.output.is_none()
    }

    /// From the residual stream to logits.
    pub fn output(&self) -> &M {
        self.output.as_ref().unwrap_or(&self.embedding)
    }

    /// The same with other matrices.
    pub(super) fn with_matrices<N, E>(
        &self,
        mut matrix: impl FnMut(&M) -> Result<N, E>,
    ) -> Result<Weights<N>, E> {
        Ok(Weights {
            embedding: matrix(&self.embedding)?,
            layers: self
                .layers
                .iter()
                .map(|layer| layer.with_matrices(&mut matrix))
                .collect::<Result<_, _>>()?,
            output_norm: self.output_norm.clone(),
            rope_factors: self.rope_factors.clone(),
            output: self.output.as_ref().map(matrix).transpose()?,
        })
    }
}

impl Weights {
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
pub struct Layer<M = Matrix> {
    /// Before attention.
    pub attention_norm: Vec<f32>,
    /// Rows: queries, keys, values.
    pub qkv: M,
    /// Added to queries, keys, values.
    pub qkv_bias: Option<Vec<f32>>,
    /// Of queries and keys, in families that have them.
    pub head_norms: Option<HeadNorms>,
    /// From what the heads give to the residual stream.
    pub attention_output: M,
    /// Of what attention gives, before it is added to the residual stream.
    pub attention_post_norm: Option<Vec<f32>>,
    /// Before the feed-forward network.
    pub ffn_norm: Vec<f32>,
    /// Panels of gate and up in turn, as the gates of [`kernels`] take their products.
    pub gate_up: M,
    /// From gated columns to the residual stream.
    pub down: M,
    /// Of what the feed-forward network gives, before it is added to the residual stream.
    pub ffn_post_norm: Option<Vec<f32>>,
}

impl<M> Layer<M> {
    fn with_matrices<N, E>(
        &self,
        mut matrix: impl FnMut(&M) -> Result<N, E>,
    ) -> Result<Layer<N>, E> {
        Ok(Layer {
            attention_norm: self.attention_norm.clone(),
            qkv: matrix(&self.qkv)?,
            qkv_bias: self.qkv_bias.clone(),
            head_norms: self.head_norms.clone(),
            attention_output: matrix(&self.attention_output)?,
            attention_post_norm: self.attention_post_norm.clone(),
            ffn_norm: self.ffn_norm.clone(),
            gate_up: matrix(&self.gate_up)?,
            down: matrix(&self.down)?,
            ffn_post_norm: self.ffn_post_norm.clone(),
        })
    }
}

/// Weights of the normalisation of each head.
#[derive(Clone)]
pub struct HeadNorms {
    /// Of queries.
    pub query: Vec<f32>,
    /// Of keys.
    pub key: Vec<f32>,
}

/// A matrix that others are joined to.
pub(super) trait Joined: Sized {
    /// Its rows, then those of `below`.
    fn stack(self, below: Self) -> Self;

    /// Its panels and those of `other` in turn.
    fn interleave(self, other: Self) -> Self;
}

impl Joined for Matrix {
    fn stack(self, below: Self) -> Self {
        self.stack(below)
    }

    fn interleave(self, other: Self) -> Self {
        self.interleave(other)
    }
}

/// Makes a matrix of the tensor of a name, with so many rows and columns.
pub(super) type TakeMatrix<'a, M> =
    &'a dyn Fn(&Reader<'_>, &str, usize, usize) -> Result<M, ModelError>;

/// Packs the matrix.
pub(super) fn packed(
    reader: &Reader<'_>,
    name: &str,
    rows: usize,
    columns: usize,
) -> Result<Matrix, ModelError> {
    reader.matrix(name, rows, columns)
}

pub(super) fn read<M: Joined>(
    source: &dyn Tensors,
    config: &ModelConfig,
    matrix: TakeMatrix<'_, M>,
) -> Result<Weights<M>, ModelError> {
    let reader = Reader::new(source);
    let parts = WeightReader {
        reader: &reader,
        matrix,
    };
    let weights = parts.weights(config)?;
    reader.check_all_taken()?;
    Ok(weights)
}

/// Takes weights as a model has them.
struct WeightReader<'a, M> {
    reader: &'a Reader<'a>,
    matrix: TakeMatrix<'a, M>,
}

impl<M: Joined> WeightReader<'_, M> {
    fn matrix(&self, name: &str, rows: usize, columns: usize) -> Result<M, ModelError> {
        (self.matrix)(self.reader, name, rows, columns)
    }

    fn vector(&self, name: &str, columns: usize) -> Result<Vec<f32>, ModelError> {
        self.reader.vector(name, columns)
    }

    fn has(&self, name: &str) -> bool {
        self.reader.source.has(name)
    }

    fn weights(&self, config: &ModelConfig) -> Result<Weights<M>, ModelError> {
        let (vocabulary, width) = (config.vocabulary, config.width);
        let layers = (0..config.layers).map(|index| self.layer(index, config));
        Ok(Weights {
            embedding: self.matrix("token_embd.weight", vocabulary, width)?,
            layers: layers.collect::<Result<_, _>>()?,
            output_norm: self.vector("output_norm.weight", width)?,
            rope_factors: self.rope_factors(config)?,
            output: match self.has("output.weight") {
                true => Some(self.matrix("output.weight", vocabulary, width)?),
                false => None,
            },
        })
    }

    fn rope_factors(&self, config: &ModelConfig) -> Result<Option<Vec<f32>>, ModelError> {
        let name = "rope_freqs.weight";
        if config.family != Family::Llama || !self.has(name) {
            return Ok(None);
        }
        let factors = self.vector(name, config.head_width / 2)?;
        let within = factors.iter().all(|factor| (1.0..=1e4).contains(factor));
        within
            .then_some(Some(factors))
            .ok_or_else(|| ModelError::Shape(name.to_owned()))
    }

    fn layer(&self, index: usize, config: &ModelConfig) -> Result<Layer<M>, ModelError> {
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

    fn qkv(&self, index: usize, config: &ModelConfig) -> Result<M, ModelError> {
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
