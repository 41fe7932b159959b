//! Takes a model's tensors by name, and knows in the end whether any was left.

use std::{cell::RefCell, collections::BTreeSet};

use half::{bf16, f16};
use kernels::matmul::{Format, Matrix};

use super::{ModelError, tensors::Tensors};
use crate::gguf::{Tensor, TensorType};

/// Takes tensors by name and remembers which.
pub(crate) struct Reader<'a> {
    pub(super) source: &'a dyn Tensors,
    taken: RefCell<BTreeSet<String>>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(source: &'a dyn Tensors) -> Self {
        Self {
            source,
            taken: RefCell::default(),
        }
    }

    /// Does not take a tensor, if it is there: it is not wanted, or somebody else takes it.
    pub(crate) fn leave_out(&self, name: &str) {
        self.taken.borrow_mut().insert(name.to_owned());
    }

    /// A matrix, packed.
    pub(crate) fn matrix(
        &self,
        name: &str,
        rows: usize,
        columns: usize,
    ) -> Result<Matrix, ModelError> {
        let tensor = self.tensor(name, rows, columns)?;
        let format = format_of(name, tensor.kind)?;
        Matrix::pack(format, columns, &tensor.bytes).map_err(|reason| ModelError::Pack {
            name: name.to_owned(),
            reason,
        })
    }

    /// The values of a vector.
    pub(crate) fn vector(&self, name: &str, columns: usize) -> Result<Vec<f32>, ModelError> {
        self.table(name, 1, columns)
    }

    /// The values of a matrix, row by row.
    pub(crate) fn table(
        &self,
        name: &str,
        rows: usize,
        columns: usize,
    ) -> Result<Vec<f32>, ModelError> {
        let tensor = self.tensor(name, rows, columns)?;
        let values = floats(&tensor).ok_or_else(|| wrong_type(name, tensor.kind))?;
        if values.iter().any(|value| !value.is_finite()) {
            return Err(ModelError::NotFinite(name.to_owned()));
        }
        Ok(values)
    }

    fn tensor(&self, name: &str, rows: usize, columns: usize) -> Result<Tensor<'_>, ModelError> {
        let tensor = self.source.tensor(name)?;
        if (tensor.rows, tensor.columns) != (rows, columns) {
            return Err(ModelError::Shape(name.to_owned()));
        }
        self.taken.borrow_mut().insert(name.to_owned());
        Ok(tensor)
    }

    /// Refuses a model with a tensor that was not taken: it would not be run as it was made.
    pub(crate) fn check_all_taken(&self) -> Result<(), ModelError> {
        let taken = self.taken.borrow();
        let left = self.source.names().into_iter();
        match left.into_iter().find(|name| !taken.contains(name)) {
            Some(name) => Err(ModelError::UnknownTensor(name)),
            None => Ok(()),
        }
    }
}

/// How matrices of a type are multiplied.
pub(super) fn format_of(name: &str, kind: TensorType) -> Result<Format, ModelError> {
    Ok(match kind {
        TensorType::Q4_0 => Format::Q4_0,
        TensorType::Q4_1 => Format::Q4_1,
        TensorType::Q5_0 => Format::Q5_0,
        TensorType::Q5_1 => Format::Q5_1,
        TensorType::Q8_0 => Format::Q8_0,
        TensorType::Q4K => Format::Q4K,
        TensorType::Q5K => Format::Q5K,
        TensorType::Q6K => Format::Q6K,
        TensorType::F16 => Format::F16,
        TensorType::BF16 => Format::BF16,
        TensorType::F32 => Format::F32,
        kind => return Err(wrong_type(name, kind)),
    })
}

/// The values of a tensor that is not in blocks.
fn floats(tensor: &Tensor<'_>) -> Option<Vec<f32>> {
    let (quads, pairs) = (tensor.bytes.as_chunks().0, tensor.bytes.as_chunks().0);
    let pairs = pairs.iter().copied();
    Some(match tensor.kind {
        TensorType::F32 => quads.iter().copied().map(f32::from_le_bytes).collect(),
        TensorType::F16 => pairs
            .map(|pair| f16::from_le_bytes(pair).to_f32())
            .collect(),
        TensorType::BF16 => pairs
            .map(|pair| bf16::from_le_bytes(pair).to_f32())
            .collect(),
        _ => return None,
    })
}

fn wrong_type(name: &str, kind: TensorType) -> ModelError {
    ModelError::TensorType {
        name: name.to_owned(),
        kind,
    }
}
