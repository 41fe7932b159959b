//! A tensor as its file has it; whether it can be run is asked when it is taken.

use std::borrow::Cow;

use ::safetensors::{Dtype, tensor::TensorInfo};

use super::SafetensorsError;
use crate::gguf::{Tensor, TensorType};

/// A tensor's description and its bytes.
pub(super) struct Stored {
    info: TensorInfo,
    bytes: Vec<u8>,
}

impl Stored {
    pub(super) fn new(info: TensorInfo, bytes: Vec<u8>) -> Self {
        Self { info, bytes }
    }

    /// The tensor `name`, which is this one, if it can be run.
    pub(super) fn tensor(&self, name: &str) -> Result<Tensor<'_>, SafetensorsError> {
        tensor(name, &self.info, self.bytes.as_slice().into())
    }

    /// As [`Self::tensor`], with the memory that it has here.
    pub(super) fn into_tensor(self, name: &str) -> Result<Tensor<'static>, SafetensorsError> {
        tensor(name, &self.info, self.bytes.into())
    }
}

fn tensor<'a>(
    name: &str,
    info: &TensorInfo,
    bytes: Cow<'a, [u8]>,
) -> Result<Tensor<'a>, SafetensorsError> {
    let kind = match info.dtype {
        Dtype::F32 => TensorType::F32,
        Dtype::F16 => TensorType::F16,
        Dtype::BF16 => TensorType::BF16,
        _ => return Err(SafetensorsError::TensorType(name.to_owned())),
    };
    let (rows, columns) = match *info.shape.as_slice() {
        [columns] if columns > 0 => (1, columns),
        [rows, columns] if rows > 0 && columns > 0 => (rows, columns),
        _ => return Err(SafetensorsError::Shape(name.to_owned())),
    };
    Ok(Tensor {
        kind,
        columns,
        rows,
        bytes,
    })
}
