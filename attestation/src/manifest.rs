//! The manifest: what the runtime says it is, committed to by report_data. Deterministic CBOR, hashed as received.

mod gpu_code;

pub use gpu_code::{Arithmetic, GpuCode, GpuKernels, SelfTest};

use crate::{
    Digest,
    cbor::{self, Fields},
    hash,
};
use ciborium::Value;

/// Largest manifest accepted, in bytes.
pub const MAX_MANIFEST_BYTES: usize = 16 * 1024;
/// The only schema version so far, under key `v`.
const VERSION: u64 = 1;
/// Longest text field, in bytes; none may be empty.
const MAX_TEXT_BYTES: usize = 1024;

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
    /// Instruction-set path chosen at run time, or pinned by the operator: `scalar`, `avx2` or `avx512-vnni`.
    pub isa: String,
    /// Longest prompt plus answer, in tokens.
    pub max_context_tokens: u32,
    /// Largest request body inside the seal, in bytes.
    pub max_request_bytes: u32,
    /// Padding profile: `off` here; others with the traffic-analysis defences.
    pub padding: String,
    /// Digest of the policy root (keys and threshold) whose policies this runtime obeys.
    pub policy_root: Digest,
    /// What computes on its GPUs; `None` where the CPU does.
    pub gpu: Option<GpuCode>,
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

impl ManifestError {
    /// Stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed => "manifest.malformed",
            Self::UnknownVersion => "manifest.version",
        }
    }
}

impl Manifest {
    /// Parses the received bytes; unknown keys, absent keys, empty texts and trailing bytes are errors.
    // R4.1
    pub fn from_cbor(bytes: &[u8]) -> Result<Self, ManifestError> {
        let mut fields =
            Fields::decode(bytes, MAX_MANIFEST_BYTES).ok_or(ManifestError::Malformed)?;
        match fields.take_uint::<u64>("v") {
            Some(VERSION) => Self::from_fields(fields).ok_or(ManifestError::Malformed),
            Some(_) => Err(ManifestError::UnknownVersion),
            None => Err(ManifestError::Malformed),
        }
    }

    fn from_fields(mut fields: Fields) -> Option<Self> {
        let manifest = Self {
            runtime_version: text(&mut fields, "runtime")?,
            runtime_digest: fields.take_array("runtime-digest")?,
            model: text(&mut fields, "model")?,
            model_digest: fields.take_array("model-digest")?,
            tokenizer_digest: fields.take_array("tokenizer-digest")?,
            template_digest: fields.take_array("template-digest")?,
            aibom_digest: optional_digest(&mut fields, "aibom-digest")?,
            kernels_digest: fields.take_array("kernels-digest")?,
            engine: text(&mut fields, "engine")?,
            isa: text(&mut fields, "isa")?,
            max_context_tokens: fields.take_uint("max-context-tokens")?,
            max_request_bytes: fields.take_uint("max-request-bytes")?,
            padding: text(&mut fields, "padding")?,
            policy_root: fields.take_array("policy-root")?,
            gpu: match fields.take("gpu") {
                None => None,
                Some(value) => Some(GpuCode::from_value(value)?),
            },
        };
        fields.finish().map(|()| manifest)
    }

    /// Deterministic CBOR (RFC 8949 section 4.2.1).
    #[must_use]
    pub fn to_cbor(&self) -> Vec<u8> {
        let digest = |digest: &Digest| Value::from(digest.as_slice());
        let mut fields = vec![
            ("v", Value::from(VERSION)),
            ("runtime", Value::from(self.runtime_version.as_str())),
            ("runtime-digest", digest(&self.runtime_digest)),
            ("model", Value::from(self.model.as_str())),
            ("model-digest", digest(&self.model_digest)),
            ("tokenizer-digest", digest(&self.tokenizer_digest)),
            ("template-digest", digest(&self.template_digest)),
            ("kernels-digest", digest(&self.kernels_digest)),
            ("engine", Value::from(self.engine.as_str())),
            ("isa", Value::from(self.isa.as_str())),
            ("max-context-tokens", Value::from(self.max_context_tokens)),
            ("max-request-bytes", Value::from(self.max_request_bytes)),
            ("padding", Value::from(self.padding.as_str())),
            ("policy-root", digest(&self.policy_root)),
        ];
        fields.extend(
            self.aibom_digest
                .as_ref()
                .map(|aibom| ("aibom-digest", digest(aibom))),
        );
        fields.extend(self.gpu.as_ref().map(|gpu| ("gpu", gpu.to_value())));
        cbor::encode(&cbor::map(fields))
    }

    /// H(manifest): SHA-256 under `narthex/1/manifest` over the manifest's bytes as received.
    #[must_use]
    pub fn digest(bytes: &[u8]) -> Digest {
        hash::sha256_fields("narthex/1/manifest", &[bytes])
    }
}

fn text(fields: &mut Fields, key: &str) -> Option<String> {
    let text = fields.take_text(key)?;
    is_text(&text).then_some(text)
}

fn is_text(text: &str) -> bool {
    (1..=MAX_TEXT_BYTES).contains(&text.len())
}

/// `Some(None)` where the key is absent; `None` where it is there and no digest.
fn optional_digest(fields: &mut Fields, key: &str) -> Option<Option<Digest>> {
    if fields.has(key) {
        fields.take_array(key).map(Some)
    } else {
        Some(None)
    }
}

#[cfg(test)]
mod tests;
