//! Values of a `config.json`, read so that nothing that changes what a model computes is overlooked.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::ModelError;
use crate::{
    folder::{CONFIG, ModelFolder},
    strict_json,
};

/// Keys that say how a model was made, is served or is trained, and not what it computes.
const HISTORY: [&str; 26] = [
    "_name_or_path",
    "architectures",
    "attention_dropout",
    "attention_probs_dropout_prob",
    "bos_token_id",
    "classifier_dropout",
    "dtype",
    "eos_token_id",
    "gradient_checkpointing",
    "hidden_dropout_prob",
    "id2label",
    "initializer_range",
    "is_llama_config",
    "label2id",
    "max_window_layers",
    "pad_token_id",
    "pretraining_tp",
    "sep_token_id",
    "torch_dtype",
    "transformers.js_config",
    "transformers_version",
    "unk_token_id",
    "use_bfloat16",
    "use_cache",
    "cls_token_id",
    "problem_type",
];

/// A JSON object, which clones share.
#[derive(Clone)]
pub(crate) struct Json {
    map: Arc<Map<String, Value>>,
}

impl Json {
    /// Parses a `config.json`; anything after its object is an error, and so is a key that stands twice.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, ModelError> {
        let map = strict_json::parse(bytes).map_err(|_| ModelError::Json(CONFIG))?;
        Ok(Self { map: Arc::new(map) })
    }

    /// The object that a file of the folder has.
    pub(crate) fn of(folder: &ModelFolder, file: &'static str) -> Result<Self, ModelError> {
        folder.json(file).ok_or(ModelError::Json(file))
    }

    /// An object without keys.
    pub(crate) fn empty() -> Self {
        Self {
            map: Arc::default(),
        }
    }

    /// The texts under `key` of each object of a list.
    pub(crate) fn list_of(bytes: &[u8], key: &str) -> Option<Vec<String>> {
        let list: Vec<Map<String, Value>> = strict_json::parse(bytes).ok()?;
        let text = |object: &Map<String, Value>| object.get(key)?.as_str().map(str::to_owned);
        list.iter().map(text).collect()
    }

    /// Refuses an object with a key that is neither in `read` nor history. Null counts as absent.
    pub(crate) fn check_known(&self, read: &[&str]) -> Result<(), ModelError> {
        let known = |key: &str| read.contains(&key) || HISTORY.contains(&key);
        let mut keys = self.map.iter().filter(|(_, value)| !value.is_null());
        match keys.find(|(key, _)| !known(key)) {
            Some((key, _)) => Err(ModelError::Unsupported(key.clone())),
            None => Ok(()),
        }
    }

    /// Whether there is a value.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.value(key).is_some()
    }

    /// Whether the key stands there, be it with null.
    pub(crate) fn names(&self, key: &str) -> bool {
        self.map.contains_key(key)
    }

    /// A value that is there and not null.
    pub(crate) fn value(&self, key: &str) -> Option<&Value> {
        self.map.get(key).filter(|value| !value.is_null())
    }

    /// An object within.
    pub(crate) fn object(&self, key: &'static str) -> Result<Option<Self>, ModelError> {
        let object = |value: &Value| match value {
            Value::Object(map) => Ok(Self {
                map: Arc::new(map.clone()),
            }),
            _ => Err(ModelError::Config(key)),
        };
        self.value(key).map(object).transpose()
    }

    /// A size from 1 to `most`, where there is one.
    pub(crate) fn optional_size(
        &self,
        key: &'static str,
        most: usize,
    ) -> Result<Option<usize>, ModelError> {
        let size = |value: &Value| {
            let size = value.as_u64().and_then(|size| usize::try_from(size).ok());
            size.filter(|size| (1..=most).contains(size))
                .ok_or(ModelError::Config(key))
        };
        self.value(key).map(size).transpose()
    }

    /// A size from 1 to `most`.
    pub(crate) fn size(&self, key: &'static str, most: usize) -> Result<usize, ModelError> {
        self.optional_size(key, most)?
            .ok_or(ModelError::Config(key))
    }

    /// A number, where there is one.
    pub(crate) fn optional_f32(&self, key: &'static str) -> Result<Option<f32>, ModelError> {
        let number = |value: &Value| value.as_f64().map(|number| number as f32);
        let number = |value| number(value).ok_or(ModelError::Config(key));
        self.value(key).map(number).transpose()
    }

    /// A number.
    pub(crate) fn f32(&self, key: &'static str) -> Result<f32, ModelError> {
        self.optional_f32(key)?.ok_or(ModelError::Config(key))
    }

    /// A truth value, or `default`.
    pub(crate) fn flag(&self, key: &'static str, default: Flag) -> Result<bool, ModelError> {
        match self.value(key) {
            None => Ok(default == Flag::Set),
            Some(value) => value.as_bool().ok_or(ModelError::Config(key)),
        }
    }

    /// A text, where there is one.
    pub(crate) fn optional_str(&self, key: &'static str) -> Result<Option<&str>, ModelError> {
        let text = |value| Value::as_str(value).ok_or(ModelError::Config(key));
        self.value(key).map(text).transpose()
    }

    /// Refuses a text other than `expected`, where there is one.
    pub(crate) fn expect(&self, key: &'static str, expected: &str) -> Result<(), ModelError> {
        match self.optional_str(key)? {
            None => Ok(()),
            Some(text) if text == expected => Ok(()),
            Some(_) => Err(ModelError::Unsupported(key.to_owned())),
        }
    }

    /// Refuses a flag that is set.
    pub(crate) fn expect_unset(&self, key: &'static str) -> Result<(), ModelError> {
        match self.flag(key, Flag::Unset)? {
            false => Ok(()),
            true => Err(ModelError::Unsupported(key.to_owned())),
        }
    }

    /// Refuses a list with another text than `expected`, where there is one.
    pub(crate) fn expect_all(&self, key: &'static str, expected: &str) -> Result<(), ModelError> {
        let is_expected = |value: &Value| value.as_str() == Some(expected);
        match self.value(key) {
            None => Ok(()),
            Some(Value::Array(list)) if list.iter().all(is_expected) => Ok(()),
            Some(_) => Err(ModelError::Unsupported(key.to_owned())),
        }
    }
}

/// A truth value that is not written down.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flag {
    /// It is true.
    Set,
    /// It is false.
    Unset,
}
