//! The manifest: what the runtime says it is, committed to by report_data. Deterministic CBOR, hashed as received.

use crate::Digest;

/// What a runtime is made of. A new manifest means a new identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// Version of the runtime, as in its Cargo.toml.
    pub runtime_version: String,
    /// SHA-256 of the runtime's executable.
    pub runtime_digest: Digest,
    /// The model's public name, as in `model` of the OpenAI API.
    pub model: String,
    /// SHA-256 of the model file.
    pub model_digest: Digest,
    /// SHA-256 of the tokenizer's canonical form.
    pub tokenizer_digest: Digest,
    /// SHA-256 of the chat template's text.
    pub template_digest: Digest,
    /// SHA-256 of the model's AIBOM, if there is one.
    pub aibom_digest: Option<Digest>,
    /// SHA-256 over the kernels in use.
    pub kernels_digest: Digest,
    /// Engine mode and flags, e.g. `cpu/deterministic`.
    pub engine: String,
    /// Instruction-set path chosen at run time: `scalar` or `avx512-vnni`.
    pub isa: String,
    /// Longest prompt plus answer, in tokens.
    pub max_context_tokens: u32,
    /// Largest request body inside the seal, in bytes.
    pub max_request_bytes: u32,
    /// Padding profile: `off` here; others with the traffic-analysis defences.
    pub padding: String,
    /// Digest of the policy root (keys and threshold) whose policies this runtime obeys.
    pub policy_root: Digest,
}

/// Why manifest bytes were refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// Not deterministic CBOR of the manifest's shape.
    #[error("the manifest is malformed")]
    Malformed,
    /// A schema version that this build does not know.
    #[error("the manifest has an unknown version")]
    UnknownVersion,
}

impl Manifest {
    /// Parses the received bytes; unknown keys, absent keys and trailing bytes are errors.
    pub fn from_cbor(bytes: &[u8]) -> Result<Self, ManifestError> {
        let _ = bytes;
        unimplemented!()
    }

    /// Deterministic CBOR (RFC 8949 section 4.2.1).
    #[must_use]
    pub fn to_cbor(&self) -> Vec<u8> {
        unimplemented!()
    }

    /// H(manifest): SHA-256 under `narthex/1/manifest` over the manifest's bytes as received.
    #[must_use]
    pub fn digest(bytes: &[u8]) -> Digest {
        let _ = bytes;
        unimplemented!()
    }
}
