//! What a local engine will say of itself, before its model is there: a sealed model is released to whoever states it first.

use super::{Backend, LoadError, LocalConfig, card};
use crate::job::ModelCard;

/// What is known of a model that cannot be read yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PromisedModel {
    /// The name that it will be served under.
    pub name: String,
    /// SHA-256 of the model file.
    pub model_digest: [u8; 32],
    /// SHA-256 of its tokenizer; zeros where nobody knows it.
    pub tokenizer_digest: [u8; 32],
    /// SHA-256 of its chat template; zeros where nobody knows it.
    pub template_digest: [u8; 32],
}

impl PromisedModel {
    /// The card of the engine that will serve it under `config`, on this machine. The context is the configured one; the model's own may be
    /// less.
    pub fn card(self, config: &LocalConfig) -> Result<ModelCard, LoadError> {
        let isa = config.isa()?.name();
        self.card_of(config, (card::MODE, isa))
    }

    /// The card where `backend` computes.
    pub fn card_on(
        self,
        backend: &impl Backend,
        config: &LocalConfig,
    ) -> Result<ModelCard, LoadError> {
        self.card_of(config, (backend.mode(), backend.isa()))
    }

    fn card_of(
        self,
        config: &LocalConfig,
        (mode, isa): (&'static str, &'static str),
    ) -> Result<ModelCard, LoadError> {
        config.check()?;
        Ok(ModelCard {
            name: card::chosen_name(&self.name).ok_or(LoadError::Name)?,
            model_digest: self.model_digest,
            tokenizer_digest: self.tokenizer_digest,
            template_digest: self.template_digest,
            kernels_digest: kernels::digest(),
            mode: mode.into(),
            isa,
            context_tokens: u32::try_from(config.max_context).unwrap_or(u32::MAX),
        })
    }
}
