//! Encoder or decoder: what a folder's `config.json` says of itself.

use super::{CONFIG, ModelFolder};
use crate::model::{Family, ModelError, json::Json};

/// What a folder's model makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FolderKind {
    /// Vectors of texts.
    Encoder,
    /// Text that follows text.
    Decoder,
}

impl ModelFolder {
    /// What its model makes, by `model_type`.
    pub fn kind(&self) -> Result<FolderKind, ModelError> {
        let config = Json::of(self, CONFIG)?;
        let model_type = config.optional_str("model_type");
        let model_type = model_type.map_err(|error| error.of_file(CONFIG))?;
        match model_type.unwrap_or_default() {
            "bert" => Ok(FolderKind::Encoder),
            decoder if Family::of_model_type(decoder).is_some() => Ok(FolderKind::Decoder),
            other => Err(ModelError::Architecture(other.to_owned())),
        }
    }
}
