//! What a model file says of itself, told without loading its weights: for bills of materials.

use std::collections::BTreeMap;

/// What would run it on GPUs.
pub use kernels::cubin;

use crate::{
    gguf::{Gguf, GgufError},
    local::{self, LoadError},
    tokenizer::Tokenizer,
};

/// A model file and what would run it here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelDescription {
    /// The name that a runtime serves it under unless told otherwise.
    pub public_name: String,
    /// `general.architecture`.
    pub architecture: String,
    /// `general.license`, as it stands.
    pub license: Option<String>,
    /// `general.organization`.
    pub organization: Option<String>,
    /// `general.basename` and `general.size_label`: what it was made from, as its maker tells it.
    pub base: Option<String>,
    /// SHA-256 of the file.
    pub model_digest: [u8; 32],
    /// As in [`crate::ModelCard`].
    pub tokenizer_digest: [u8; 32],
    /// As in [`crate::ModelCard`].
    pub template_digest: [u8; 32],
    /// As in [`crate::ModelCard`].
    pub kernels_digest: [u8; 32],
    /// As in [`crate::ModelCard`].
    pub mode: &'static str,
    /// Weights of all tensors together.
    pub parameters: u64,
    /// How many weights are stored in which way, by the type's name in the specification.
    pub quantization: BTreeMap<&'static str, u64>,
}

/// Describes `gguf`.
pub fn describe(gguf: &Gguf) -> Result<ModelDescription, LoadError> {
    let tokenizer = Tokenizer::from_gguf(gguf)?;
    let quantization = quantization(gguf)?;
    Ok(ModelDescription {
        public_name: local::public_name(gguf)?,
        architecture: gguf.str("general.architecture")?.to_owned(),
        license: optional(gguf, "general.license")?,
        organization: optional(gguf, "general.organization")?,
        base: base(gguf)?,
        model_digest: gguf.digest(),
        tokenizer_digest: tokenizer.digest(),
        template_digest: local::template_digest(gguf),
        kernels_digest: local::kernels_digest(),
        mode: local::MODE,
        parameters: quantization.values().sum(),
        quantization,
    })
}

fn quantization(gguf: &Gguf) -> Result<BTreeMap<&'static str, u64>, GgufError> {
    let mut weights = BTreeMap::new();
    for name in gguf.tensor_names() {
        let tensor = gguf.tensor(name)?;
        let count = tensor.rows as u64 * tensor.columns as u64;
        *weights.entry(tensor.kind.name()).or_default() += count;
    }
    Ok(weights)
}

fn base(gguf: &Gguf) -> Result<Option<String>, GgufError> {
    let parts = [
        optional(gguf, "general.basename")?,
        optional(gguf, "general.size_label")?,
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    Ok((!parts.is_empty()).then(|| parts.join("-")))
}

fn optional(gguf: &Gguf, key: &str) -> Result<Option<String>, GgufError> {
    match gguf.str(key) {
        Ok(text) => Ok(Some(text.to_owned())),
        Err(GgufError::MissingKey(_)) => Ok(None),
        Err(other) => Err(other),
    }
}
