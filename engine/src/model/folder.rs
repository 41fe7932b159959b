//! Decoders from folders: `config.json` to a shape, names of Hugging Face to those of GGUF files.

mod names;
#[cfg(test)]
mod published;
mod rope;

use super::{
    Family, ModelConfig, ModelError, RopePairs, SlidingWindow,
    config::{MAX_LAYERS, MAX_TOKENS, MAX_WIDTH, check},
    json::{Flag, Json},
};
use crate::folder::{CONFIG, ModelFolder};

pub(super) use names::FolderTensors;

/// Keys that are read.
const READ: [&str; 25] = [
    "attention_bias",
    "head_dim",
    "hidden_act",
    "hidden_size",
    "intermediate_size",
    "layer_types",
    "max_position_embeddings",
    "mlp_bias",
    "model_type",
    "num_attention_heads",
    "num_hidden_layers",
    "num_key_value_heads",
    "rms_norm_eps",
    "rope_interleaved",
    "rope_parameters",
    "rope_scaling",
    "rope_theta",
    "sliding_window",
    "tie_word_embeddings",
    "use_mrope",
    "use_sliding_window",
    "vocab_size",
    "attention_multiplier",
    "partial_rotary_factor",
    "quantization_config",
];

/// The window of a Mistral whose file does not have the key: what transformers takes. Null is no window.
const MISTRAL_WINDOW: usize = 4096;

/// What a folder's `config.json` says.
pub(super) struct FolderConfig {
    pub(super) config: ModelConfig,
    /// What each frequency of the rotary embedding is divided by.
    pub(super) rope_factors: Option<Vec<f32>>,
    /// Whether the embedding makes the logits too.
    pub(super) tied: bool,
}

pub(super) fn read(folder: &ModelFolder) -> Result<FolderConfig, ModelError> {
    of_json(&Json::of(folder, CONFIG)?).map_err(|error| error.of_file(CONFIG))
}

fn of_json(json: &Json) -> Result<FolderConfig, ModelError> {
    let family = family(json)?;
    json.check_known(&READ)?;
    check_plain(json)?;
    let rope = rope::read(json)?;
    let config = ModelConfig {
        rope_base: rope.base,
        rope_factor: rope.factor,
        ..sizes(json, family)?
    };
    check(&config).map_err(|key| ModelError::Config(key.folder))?;
    Ok(FolderConfig {
        rope_factors: rope.factors(config.head_width),
        tied: json.flag("tie_word_embeddings", Flag::Unset)?,
        config,
    })
}

fn family(json: &Json) -> Result<Family, ModelError> {
    let name = json.optional_str("model_type")?.unwrap_or_default();
    Family::of_model_type(name).ok_or_else(|| ModelError::Architecture(name.to_owned()))
}

/// Refuses what these families can have and is not built here.
fn check_plain(json: &Json) -> Result<(), ModelError> {
    json.expect("hidden_act", "silu")?;
    json.expect_all("layer_types", "full_attention")?;
    for key in [
        "attention_bias",
        "mlp_bias",
        "rope_interleaved",
        "use_mrope",
        "use_sliding_window",
    ] {
        json.expect_unset(key)?;
    }
    for key in ["attention_multiplier", "quantization_config"] {
        if json.has(key) {
            return Err(unsupported(key));
        }
    }
    match json.optional_f32("partial_rotary_factor")? {
        None | Some(1.0) => Ok(()),
        Some(_) => Err(unsupported("partial_rotary_factor")),
    }
}

fn unsupported(key: &str) -> ModelError {
    ModelError::Unsupported(key.to_owned())
}

fn sizes(json: &Json, family: Family) -> Result<ModelConfig, ModelError> {
    let width = json.size("hidden_size", MAX_WIDTH)?;
    let heads = json.size("num_attention_heads", MAX_WIDTH)?;
    let head_width = match json.optional_size("head_dim", MAX_WIDTH)? {
        Some(head_width) => head_width,
        None if width.is_multiple_of(heads) => width / heads,
        None => return Err(ModelError::Config("num_attention_heads")),
    };
    let kv_heads = json.optional_size("num_key_value_heads", MAX_WIDTH)?;
    Ok(ModelConfig {
        family,
        context_tokens: json.size("max_position_embeddings", MAX_TOKENS)?,
        vocabulary: json.size("vocab_size", MAX_TOKENS)?,
        layers: json.size("num_hidden_layers", MAX_LAYERS)?,
        width,
        heads,
        kv_heads: kv_heads.unwrap_or(heads),
        head_width,
        ffn_width: json.size("intermediate_size", MAX_WIDTH)?,
        rms_epsilon: json.f32("rms_norm_eps")?,
        rope_base: 0.0,
        rope_factor: 1.0,
        rope_pairs: RopePairs::Halves,
        sliding: sliding(json)?,
    })
}

/// Mistrals have the window in every layer, Qwens write one down and do not use it, Llamas have none.
fn sliding(json: &Json) -> Result<Option<SlidingWindow>, ModelError> {
    const KEY: &str = "sliding_window";
    let tokens = json.optional_size(KEY, MAX_TOKENS)?;
    match json.optional_str("model_type")? {
        Some("mistral") if !json.names(KEY) => Ok(Some(window(MISTRAL_WINDOW))),
        Some("mistral") => Ok(tokens.map(window)),
        Some("llama") if tokens.is_some() => Err(unsupported(KEY)),
        _ => Ok(None),
    }
}

fn window(tokens: usize) -> SlidingWindow {
    SlidingWindow {
        tokens,
        period: 0,
        rope_base: None,
    }
}
