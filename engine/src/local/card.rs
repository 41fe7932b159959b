//! What a local engine serves, by name and digest.

use std::{ffi::OsStr, path::Path};

use sha2::{Digest, Sha256};

use super::{Backend, LoadError};
use crate::{digest, folder::ModelFolder, gguf::Gguf, job::ModelCard, tokenizer::Tokenizer};

/// How the engine of this process computes.
pub(crate) const MODE: &str = "cpu/deterministic";

pub(super) const TEMPLATE_KEY: &str = "tokenizer.chat_template";

pub(super) fn card<M>(
    gguf: &Gguf,
    tokenizer: &Tokenizer,
    backend: &impl Backend<M>,
    context_tokens: usize,
) -> Result<ModelCard, LoadError> {
    Ok(ModelCard {
        name: name_of(gguf)?,
        model_digest: gguf.digest(),
        tokenizer_digest: tokenizer.digest(),
        template_digest: template_digest(gguf),
        kernels_digest: kernels_digest(),
        mode: backend.mode().into(),
        isa: backend.isa(),
        context_tokens: u32::try_from(context_tokens).unwrap_or(u32::MAX),
    })
}

/// The card of a folder, which is served under its own name; `isa` and the most tokens of a text.
pub(super) fn folder_card(
    path: &Path,
    folder: &ModelFolder,
    tokenizer: &Tokenizer,
    (isa, context_tokens): (&'static str, usize),
) -> Result<ModelCard, LoadError> {
    let name = path.file_name().and_then(OsStr::to_str);
    Ok(ModelCard {
        name: name.and_then(public_name).ok_or(LoadError::Name)?,
        model_digest: folder.digest(),
        tokenizer_digest: tokenizer.digest(),
        template_digest: Sha256::digest("").into(),
        kernels_digest: kernels_digest(),
        mode: MODE.into(),
        isa,
        context_tokens: u32::try_from(context_tokens).unwrap_or(u32::MAX),
    })
}

/// What computes in this program: the kernels, and the engine around them from templates to sampler.
pub fn kernels_digest() -> [u8; 32] {
    digest::digest()
}

/// The name that a model is served under unless another is chosen.
pub(crate) fn name_of(gguf: &Gguf) -> Result<String, LoadError> {
    public_name(gguf.str("general.name")?).ok_or(LoadError::Name)
}

/// SHA-256 of the chat template's text; of nothing where the model has none.
pub(crate) fn template_digest(gguf: &Gguf) -> [u8; 32] {
    Sha256::digest(gguf.str(TEMPLATE_KEY).unwrap_or_default()).into()
}

/// A name as it stands, if it is one that [`public_name`] would leave alone.
pub(super) fn chosen_name(name: &str) -> Option<String> {
    let unchanged = public_name(name).filter(|public| public == name);
    unchanged.filter(|public| public.len() <= 128)
}

/// Lower-case letters, digits and dots; a dash for everything between. None: nothing is left.
fn public_name(general_name: &str) -> Option<String> {
    let keep = |c: char| c.is_ascii_alphanumeric() || c == '.';
    let words = general_name
        .split(|c| !keep(c))
        .filter(|word| !word.is_empty());
    let name = words.collect::<Vec<_>>().join("-").to_ascii_lowercase();
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chosen_name_is_taken_as_it_stands_or_not_at_all() {
        assert_eq!(chosen_name("llama-3.2-1b").as_deref(), Some("llama-3.2-1b"));
        for refused in ["", "Llama", "a b", "-a", "a--b", &"a".repeat(129)] {
            assert_eq!(chosen_name(refused), None, "{refused:?}");
        }
    }

    #[test]
    fn names_are_lower_case_with_dashes() {
        let name = |text| public_name(text);
        assert_eq!(name("Smollm2 135M 8k").as_deref(), Some("smollm2-135m-8k"));
        assert_eq!(
            name(" Qwen2.5__Coder/1B ").as_deref(),
            Some("qwen2.5-coder-1b")
        );
        assert_eq!(name(" - "), None);
    }
}
