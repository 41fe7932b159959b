//! What a local engine serves, by name and digest.

use super::described::Described;
use crate::{digest, job::ModelCard};

/// How the engine of this process computes.
pub(crate) const MODE: &str = "cpu/deterministic";

/// The card of a model that is computed in this way: mode and instructions.
pub(super) fn card(
    described: &Described,
    (mode, isa): (&'static str, &'static str),
    context_tokens: usize,
) -> ModelCard {
    ModelCard {
        name: described.name.clone(),
        model_digest: described.model_digest,
        tokenizer_digest: described.tokenizer.digest(),
        template_digest: described.template_digest,
        kernels_digest: kernels_digest(),
        mode: mode.into(),
        isa,
        context_tokens: u32::try_from(context_tokens).unwrap_or(u32::MAX),
    }
}

/// What computes in this program: the kernels, and the engine around them from templates to sampler.
pub fn kernels_digest() -> [u8; 32] {
    digest::digest()
}

/// A name as it stands, if it is one that [`public_name`] would leave alone.
pub(super) fn chosen_name(name: &str) -> Option<String> {
    let unchanged = public_name(name).filter(|public| public == name);
    unchanged.filter(|public| public.len() <= 128)
}

/// Lower-case letters, digits and dots; a dash for everything between. None: nothing is left.
pub(super) fn public_name(general_name: &str) -> Option<String> {
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
