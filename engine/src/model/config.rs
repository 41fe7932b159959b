//! A model's shape, from the metadata.

use kernels::{attention::WIDTH_STEP, quantize::BLOCK};

use super::ModelError;
use crate::gguf::{Gguf, GgufError};

/// Shape of a Llama-architecture model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ModelConfig {
    /// Most tokens of one sequence.
    pub context_tokens: usize,
    /// Tokens of the vocabulary, and logits of a position.
    pub vocabulary: usize,
    /// Blocks.
    pub layers: usize,
    /// Width of the residual stream.
    pub width: usize,
    /// Query heads.
    pub heads: usize,
    /// Key-value heads; each serves `heads / kv_heads` query heads.
    pub kv_heads: usize,
    /// Width of one head.
    pub head_width: usize,
    /// Width of the feed-forward network.
    pub ffn_width: usize,
    /// Added to the mean square in normalisation.
    pub rms_epsilon: f32,
    /// Base of the rotary embedding's frequencies.
    pub rope_base: f32,
}

impl ModelConfig {
    /// Width of all keys (or all values) of a token.
    pub(crate) fn kv_width(&self) -> usize {
        self.kv_heads * self.head_width
    }
}

/// Caps: well beyond the largest Llama, small enough that no product of two overflows.
/// Widest head, in columns.
pub(crate) const MAX_HEAD_WIDTH: usize = 256;
const MAX_LAYERS: usize = 1 << 10;
const MAX_WIDTH: usize = 1 << 18;
const MAX_TOKENS: usize = 1 << 24;

/// Metadata keys that change the computation in ways that are not built here.
const UNSUPPORTED: [&str; 3] = [
    "llama.rope.scaling.type",
    "llama.rope.scaling.factor",
    "llama.expert_count",
];

pub(super) fn read(gguf: &Gguf) -> Result<ModelConfig, ModelError> {
    let architecture = gguf.str("general.architecture")?;
    if architecture != "llama" {
        return Err(ModelError::Architecture(architecture.to_owned()));
    }
    if let Some(key) = UNSUPPORTED.into_iter().find(|key| gguf.has(key)) {
        return Err(ModelError::Unsupported(key));
    }
    let config = sizes(gguf)?;
    check(&config)?;
    check_repeated(gguf, &config)?;
    Ok(config)
}

fn sizes(gguf: &Gguf) -> Result<ModelConfig, ModelError> {
    let width = size(gguf, "llama.embedding_length", MAX_WIDTH)?;
    let heads = size(gguf, "llama.attention.head_count", MAX_WIDTH)?;
    Ok(ModelConfig {
        context_tokens: size(gguf, "llama.context_length", MAX_TOKENS)?,
        vocabulary: gguf.tensor("token_embd.weight")?.rows,
        layers: size(gguf, "llama.block_count", MAX_LAYERS)?,
        width,
        heads,
        kv_heads: optional(gguf, "llama.attention.head_count_kv", heads)?,
        head_width: width / heads,
        ffn_width: size(gguf, "llama.feed_forward_length", MAX_WIDTH)?,
        rms_epsilon: gguf.f32("llama.attention.layer_norm_rms_epsilon")?,
        rope_base: match gguf.f32("llama.rope.freq_base") {
            Err(GgufError::MissingKey(_)) => 10_000.0,
            other => other?,
        },
    })
}

fn size(gguf: &Gguf, key: &'static str, most: usize) -> Result<usize, ModelError> {
    let size = gguf.u32(key)? as usize;
    let within = (1..=most).contains(&size);
    within.then_some(size).ok_or(ModelError::Config(key))
}

fn optional(gguf: &Gguf, key: &'static str, default: usize) -> Result<usize, ModelError> {
    if gguf.has(key) {
        size(gguf, key, MAX_TOKENS)
    } else {
        Ok(default)
    }
}

fn check(config: &ModelConfig) -> Result<(), ModelError> {
    let epsilon = config.rms_epsilon;
    let base = config.rope_base;
    let rules = [
        (
            "llama.embedding_length",
            config.width == config.heads * config.head_width,
        ),
        (
            "llama.attention.head_count",
            config.head_width.is_multiple_of(WIDTH_STEP)
                && (1..=MAX_HEAD_WIDTH).contains(&config.head_width),
        ),
        (
            "llama.attention.head_count_kv",
            config.heads.is_multiple_of(config.kv_heads),
        ),
        (
            "llama.feed_forward_length",
            config.ffn_width.is_multiple_of(BLOCK),
        ),
        (
            "llama.attention.layer_norm_rms_epsilon",
            (0.0..1.0).contains(&epsilon) && epsilon > 0.0,
        ),
        ("llama.rope.freq_base", base.is_finite() && base > 1.0),
        ("llama.vocab_size", config.vocabulary <= MAX_TOKENS),
    ];
    match rules.into_iter().find(|(_, holds)| !holds) {
        Some((key, _)) => Err(ModelError::Config(key)),
        None => Ok(()),
    }
}

/// Metadata that says again what is known: it has to say the same.
fn check_repeated(gguf: &Gguf, config: &ModelConfig) -> Result<(), ModelError> {
    let repeated = [
        ("llama.rope.dimension_count", config.head_width),
        ("llama.attention.key_length", config.head_width),
        ("llama.attention.value_length", config.head_width),
        ("llama.vocab_size", config.vocabulary),
    ];
    for (key, known) in repeated {
        if optional(gguf, key, known)? != known {
            return Err(ModelError::Config(key));
        }
    }
    Ok(())
}
