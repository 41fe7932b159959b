//! A model's tensors, packed.

use std::{cell::RefCell, collections::BTreeSet};

use kernels::matmul::{Format, Matrix};

use super::{ModelConfig, ModelError};
use crate::gguf::{Gguf, GgufError, Tensor, TensorType};

/// All weights.
pub(crate) struct Weights {
    /// One row for each token of the vocabulary.
    pub(crate) embedding: Matrix,
    pub(crate) layers: Vec<Layer>,
    /// Weights of the last normalisation.
    pub(crate) output_norm: Vec<f32>,
    /// From the residual stream to logits; none where the embedding serves.
    output: Option<Matrix>,
}

impl Weights {
    /// From the residual stream to logits.
    pub(crate) fn output(&self) -> &Matrix {
        self.output.as_ref().unwrap_or(&self.embedding)
    }
}

/// Weights of one block.
pub(crate) struct Layer {
    pub(crate) attention_norm: Vec<f32>,
    /// Rows: queries, keys, values.
    pub(crate) qkv: Matrix,
    pub(crate) attention_output: Matrix,
    pub(crate) ffn_norm: Vec<f32>,
    /// Panels of gate and up in turn, as [`kernels::silu_mul`] takes their products.
    pub(crate) gate_up: Matrix,
    pub(crate) down: Matrix,
}

pub(super) fn read(gguf: &Gguf, config: &ModelConfig) -> Result<Weights, ModelError> {
    let reader = Reader {
        gguf,
        taken: RefCell::default(),
    };
    let weights = reader.weights(config)?;
    reader.check_all_taken()?;
    Ok(weights)
}

/// Takes tensors by name and remembers which.
struct Reader<'a> {
    gguf: &'a Gguf,
    taken: RefCell<BTreeSet<String>>,
}

impl Reader<'_> {
    fn weights(&self, config: &ModelConfig) -> Result<Weights, ModelError> {
        let (vocabulary, width) = (config.vocabulary, config.width);
        let layers = (0..config.layers).map(|index| self.layer(index, config));
        Ok(Weights {
            embedding: self.matrix("token_embd.weight", vocabulary, width)?,
            layers: layers.collect::<Result<_, _>>()?,
            output_norm: self.vector("output_norm.weight", width)?,
            output: match self.matrix("output.weight", vocabulary, width) {
                Err(ModelError::Gguf(GgufError::MissingTensor(_))) => None,
                other => Some(other?),
            },
        })
    }

    fn layer(&self, index: usize, config: &ModelConfig) -> Result<Layer, ModelError> {
        let name = |part: &str| format!("blk.{index}.{part}.weight");
        let matrix = |part, rows, columns| self.matrix(&name(part), rows, columns);
        let (width, kv_width, ffn_width) = (config.width, config.kv_width(), config.ffn_width);
        let queries = matrix("attn_q", width, width)?;
        let keys = matrix("attn_k", kv_width, width)?;
        let values = matrix("attn_v", kv_width, width)?;
        let gate = matrix("ffn_gate", ffn_width, width)?;
        let up = matrix("ffn_up", ffn_width, width)?;
        Ok(Layer {
            attention_norm: self.vector(&name("attn_norm"), width)?,
            qkv: queries.stack(keys).stack(values),
            attention_output: matrix("attn_output", width, width)?,
            ffn_norm: self.vector(&name("ffn_norm"), width)?,
            gate_up: gate.interleave(up),
            down: matrix("ffn_down", width, ffn_width)?,
        })
    }

    fn matrix(&self, name: &str, rows: usize, columns: usize) -> Result<Matrix, ModelError> {
        let tensor = self.tensor(name, rows, columns)?;
        let format = match tensor.kind {
            TensorType::Q4_0 => Format::Q4_0,
            TensorType::Q4_1 => Format::Q4_1,
            TensorType::Q8_0 => Format::Q8_0,
            kind => return Err(wrong_type(name, kind)),
        };
        Matrix::pack(format, columns, tensor.bytes).map_err(|reason| ModelError::Pack {
            name: name.to_owned(),
            reason,
        })
    }

    fn vector(&self, name: &str, columns: usize) -> Result<Vec<f32>, ModelError> {
        let tensor = self.tensor(name, 1, columns)?;
        if tensor.kind != TensorType::F32 {
            return Err(wrong_type(name, tensor.kind));
        }
        let values = tensor.bytes.as_chunks().0.iter();
        let values: Vec<f32> = values.copied().map(f32::from_le_bytes).collect();
        if values.iter().any(|value| !value.is_finite()) {
            return Err(ModelError::NotFinite(name.to_owned()));
        }
        Ok(values)
    }

    fn tensor(&self, name: &str, rows: usize, columns: usize) -> Result<Tensor<'_>, ModelError> {
        let tensor = self.gguf.tensor(name)?;
        if (tensor.rows, tensor.columns) != (rows, columns) {
            return Err(ModelError::Shape(name.to_owned()));
        }
        self.taken.borrow_mut().insert(name.to_owned());
        Ok(tensor)
    }

    fn check_all_taken(&self) -> Result<(), ModelError> {
        let taken = self.taken.borrow();
        let left = self.gguf.tensor_names().find(|name| !taken.contains(*name));
        match left {
            Some(name) => Err(ModelError::UnknownTensor(name.to_owned())),
            None => Ok(()),
        }
    }
}

fn wrong_type(name: &str, kind: TensorType) -> ModelError {
    ModelError::TensorType {
        name: name.to_owned(),
        kind,
    }
}
