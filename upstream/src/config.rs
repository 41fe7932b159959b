//! What is said of the server.

use crate::Address;
use std::time::Duration;

/// Which server it is, as far as that decides what it is asked and how its cache is kept apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// vLLM: every request carries a `cache_salt`, so that its prefix cache shares nothing beyond it.
    Vllm,
    /// llama.cpp's server: it has no salt, so that nothing is reused (`cache_prompt` false in every request).
    LlamaCpp,
    /// Another: it is asked what OpenAI documents and nothing else, so its prefix cache must be off where it has one. The configuration says
    /// that it is by choosing this kind.
    OpenAi,
}

/// What is said of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamConfig {
    /// Where it is.
    pub address: Address,
    /// Which server it is.
    pub kind: Kind,
    /// What it calls the model.
    pub model: String,
    /// What clients call the model.
    pub name: String,
    /// SHA-256 of the model's file or folder.
    pub model_digest: [u8; 32],
    /// SHA-256 that names the server's software: its image's or executable's.
    pub software_digest: [u8; 32],
    /// Context in tokens.
    pub context_tokens: u32,
    /// Requests under way at the same time.
    pub max_requests: usize,
    /// How long it may take until it is ready, and until it says the first word of an answer.
    pub patience: Duration,
}

impl Kind {
    /// Its name in configuration, manifest and receipt.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Vllm => "vllm",
            Self::LlamaCpp => "llama.cpp",
            Self::OpenAi => "openai",
        }
    }

    /// The kind of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let mut all = [Self::Vllm, Self::LlamaCpp, Self::OpenAi].into_iter();
        all.find(|kind| kind.name() == name)
    }

    /// Engine mode in manifest and receipt; no upstream engine is replayable.
    pub(crate) const fn mode(self) -> &'static str {
        match self {
            Self::Vllm => "upstream/vllm",
            Self::LlamaCpp => "upstream/llama.cpp",
            Self::OpenAi => "upstream/openai",
        }
    }
}
