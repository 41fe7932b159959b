//! What an engine knows of a model beside its weights, read from whatever it came in.

use std::{ffi::OsStr, path::Path};

use sha2::{Digest, Sha256};

use super::{LoadError, card};
use crate::{
    chat::{self, ChatTemplate},
    folder::ModelFolder,
    gguf::{Gguf, GgufError},
    tokenizer::{Tokenizer, TokenizerError, TokenizerJson},
};

const TEMPLATE_KEY: &str = "tokenizer.chat_template";

/// A model without its weights: what is the same to an engine whether a file or a folder had it.
pub(super) struct Described {
    pub(super) name: String,
    pub(super) model_digest: [u8; 32],
    pub(super) template_digest: [u8; 32],
    pub(super) tokenizer: Tokenizer,
    pub(super) template: Option<ChatTemplate>,
}

impl Described {
    /// A model file.
    pub(super) fn of_gguf(gguf: &Gguf) -> Result<Self, LoadError> {
        let tokenizer = Tokenizer::from_gguf(gguf)?;
        let template = match gguf.str(TEMPLATE_KEY) {
            Err(GgufError::MissingKey(_)) => None,
            source => Some(compiled(source?, &tokenizer)?),
        };
        Ok(Self {
            name: name_of(gguf)?,
            model_digest: gguf.digest(),
            template_digest: template_digest(gguf),
            tokenizer,
            template,
        })
    }

    /// The folder of a decoder at `path`.
    pub(super) fn of_decoder(path: &Path, folder: &ModelFolder) -> Result<Self, LoadError> {
        let tokenizer = Tokenizer::from_folder(folder)?;
        let source = chat::template_of(folder)?;
        let template = source.as_deref().map(|text| compiled(text, &tokenizer));
        Ok(Self {
            name: folder_name(path)?,
            model_digest: folder.digest(),
            template_digest: Sha256::digest(source.as_deref().unwrap_or_default()).into(),
            template: template.transpose()?,
            tokenizer,
        })
    }

    /// The folder of an encoder at `path`: it has no template, and `tokenizer.json` alone says how texts become tokens.
    pub(super) fn of_encoder(path: &Path, folder: &ModelFolder) -> Result<Self, LoadError> {
        let json = folder.file("tokenizer.json");
        let json = json.ok_or(TokenizerError::Json("it is not there"))?;
        Ok(Self {
            name: folder_name(path)?,
            model_digest: folder.digest(),
            template_digest: Sha256::digest("").into(),
            tokenizer: Tokenizer::new(&TokenizerJson::parse(json)?.source())?,
            template: None,
        })
    }

    /// Refuses a tokenizer with more tokens than the weights know, of which there are `rows`. Fewer there may be: weights are often filled up.
    pub(super) fn check_vocabulary(&self, rows: usize) -> Result<(), LoadError> {
        let tokens = self.tokenizer.vocabulary_len();
        match tokens <= rows {
            true => Ok(()),
            false => Err(LoadError::Vocabulary { tokens, rows }),
        }
    }
}

fn compiled(source: &str, tokenizer: &Tokenizer) -> Result<ChatTemplate, LoadError> {
    let (bos, eos) = (tokenizer.bos_text(), tokenizer.eos_text());
    Ok(ChatTemplate::new(source, bos, eos)?)
}

/// The name that a model file is served under unless another is chosen.
pub(crate) fn name_of(gguf: &Gguf) -> Result<String, LoadError> {
    card::public_name(gguf.str("general.name")?).ok_or(LoadError::Name)
}

/// A folder is served under its own name.
fn folder_name(path: &Path) -> Result<String, LoadError> {
    let name = path.file_name().and_then(OsStr::to_str);
    name.and_then(card::public_name).ok_or(LoadError::Name)
}

/// SHA-256 of the chat template's text; of nothing where the model has none.
pub(crate) fn template_digest(gguf: &Gguf) -> [u8; 32] {
    Sha256::digest(gguf.str(TEMPLATE_KEY).unwrap_or_default()).into()
}
