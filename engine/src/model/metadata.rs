//! Metadata of one architecture: every key begins with its name, and no key is overlooked.

use super::{ModelError, family::Family};
use crate::gguf::{Gguf, GgufError};

/// The keys of an architecture in a model file.
pub(super) struct Metadata<'a> {
    pub(super) gguf: &'a Gguf,
    pub(super) family: Family,
}

/// Keys that are read, whatever the family.
const READ: [&str; 15] = [
    "attention.head_count",
    "attention.head_count_kv",
    "attention.key_length",
    "attention.layer_norm_rms_epsilon",
    "attention.value_length",
    "block_count",
    "context_length",
    "embedding_length",
    "feed_forward_length",
    "rope.dimension_count",
    "rope.freq_base",
    "rope.scaling.factor",
    "rope.scaling.type",
    "rope.scale_linear",
    "vocab_size",
];

/// Keys that say how a model was made and not what it computes.
const HISTORY: [&str; 3] = [
    "rope.scaling.finetuned",
    "rope.scaling.original_context_length",
    "tensor_data_layout",
];

impl<'a> Metadata<'a> {
    pub(super) fn new(gguf: &'a Gguf, family: Family) -> Self {
        Self { gguf, family }
    }

    /// Refuses a file with a key that is not known here: it may change what the model computes.
    pub(super) fn check_known(&self) -> Result<(), ModelError> {
        let prefix = format!("{}.", self.family.name());
        let mut keys = self.gguf.keys();
        let unknown = keys.find(|key| key.strip_prefix(&prefix).is_some_and(|k| !self.knows(k)));
        match unknown {
            Some(key) => Err(ModelError::Unsupported(key.to_owned())),
            None => Ok(()),
        }
    }

    fn knows(&self, key: &str) -> bool {
        READ.contains(&key) || HISTORY.contains(&key) || self.sliding_keys().contains(&key)
    }

    /// Keys of sliding windows: Gemma's, and the one of Mistrals.
    fn sliding_keys(&self) -> &'static [&'static str] {
        match self.family {
            Family::Llama => &["attention.sliding_window"],
            Family::Gemma3 => &[
                "attention.sliding_window",
                "attention.sliding_window_pattern",
                "rope.freq_base_swa",
            ],
            Family::Qwen2 | Family::Qwen3 => &[],
        }
    }

    /// A size from 1 to `most`.
    pub(super) fn size(&self, key: &'static str, most: usize) -> Result<usize, ModelError> {
        let size = self.gguf.u32(&self.full(key))? as usize;
        let within = (1..=most).contains(&size);
        within.then_some(size).ok_or(ModelError::Config(key))
    }

    /// As [`Self::size`], where the file has it.
    pub(super) fn optional_size(
        &self,
        key: &'static str,
        most: usize,
    ) -> Result<Option<usize>, ModelError> {
        let present = self.gguf.has(&self.full(key));
        present.then(|| self.size(key, most)).transpose()
    }

    pub(super) fn f32(&self, key: &str) -> Result<f32, ModelError> {
        Ok(self.gguf.f32(&self.full(key))?)
    }

    /// As [`Self::f32`], where the file has it.
    pub(super) fn optional_f32(&self, key: &str) -> Result<Option<f32>, ModelError> {
        let present = self.gguf.has(&self.full(key));
        present.then(|| self.f32(key)).transpose()
    }

    /// What positions are divided by: linear scaling is the one kind that is built here.
    pub(super) fn rope_factor(&self) -> Result<f32, ModelError> {
        let kind = match self.gguf.str(&self.full("rope.scaling.type")) {
            Err(GgufError::MissingKey(_)) => None,
            other => Some(other?),
        };
        let key = match kind {
            None if self.gguf.has(&self.full("rope.scaling.factor")) => "rope.scaling.factor",
            None => "rope.scale_linear",
            Some("none") => return Ok(1.0),
            Some("linear") => "rope.scaling.factor",
            Some(_) => return Err(ModelError::Unsupported(self.full("rope.scaling.type"))),
        };
        Ok(self.optional_f32(key)?.unwrap_or(1.0))
    }

    fn full(&self, key: &str) -> String {
        format!("{}.{key}", self.family.name())
    }
}
