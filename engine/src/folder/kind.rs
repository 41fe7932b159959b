//! Encoder or decoder: what a folder's `config.json` says of itself.

use super::ModelFolder;
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
        let config = Json::parse(self.config())?;
        match config.optional_str("model_type")?.unwrap_or_default() {
            "bert" => Ok(FolderKind::Encoder),
            decoder if Family::of_model_type(decoder).is_some() => Ok(FolderKind::Decoder),
            other => Err(ModelError::Architecture(other.to_owned())),
        }
    }
}
