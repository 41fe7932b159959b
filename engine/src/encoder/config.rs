//! An encoder's shape, and how its vectors are made of its tokens: from `config.json` and the files of sentence-transformers.

use kernels::{lanes::LANES, quantize::BLOCK};

use super::EncoderError;
use crate::{
    folder::{CONFIG, ModelFolder},
    model::{
        MAX_HEAD_WIDTH, MAX_LAYERS, MAX_TOKENS, MAX_WIDTH, ModelError,
        json::{Flag, Json},
    },
};

/// Shape of an encoder.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EncoderConfig {
    /// Most tokens of one text.
    pub max_tokens: usize,
    /// Tokens of the vocabulary.
    pub vocabulary: usize,
    /// Positions that the weights know.
    pub positions: usize,
    /// Kinds of tokens that the weights know; the first is taken.
    pub token_types: usize,
    /// Layers.
    pub layers: usize,
    /// Width of a token, and of a vector.
    pub width: usize,
    /// Heads.
    pub heads: usize,
    /// Width of the feed-forward network.
    pub ffn_width: usize,
    /// Added to the variance in normalisation.
    pub epsilon: f32,
}

/// Keys of `config.json` that are read.
const READ: [&str; 12] = [
    "hidden_act",
    "hidden_size",
    "intermediate_size",
    "layer_norm_eps",
    "max_position_embeddings",
    "model_type",
    "num_attention_heads",
    "num_hidden_layers",
    "position_embedding_type",
    "type_vocab_size",
    "vocab_size",
    "is_decoder",
];

/// How the vectors of tokens become one.
const POOLING: &str = "1_Pooling/config.json";
/// What a text goes through.
const MODULES: &str = "modules.json";
/// How long a text may be.
const LENGTHS: &str = "sentence_bert_config.json";

/// Ways of pooling that are not the mean.
const OTHER_POOLING: [&str; 5] = [
    "pooling_mode_cls_token",
    "pooling_mode_lasttoken",
    "pooling_mode_max_tokens",
    "pooling_mode_mean_sqrt_len_tokens",
    "pooling_mode_weightedmean_tokens",
];

impl EncoderConfig {
    /// Width of one head.
    pub(super) fn head_width(&self) -> usize {
        self.width / self.heads
    }

    pub(super) fn check(&self, tokens: &[u32]) -> Result<(), EncoderError> {
        if tokens.is_empty() {
            return Err(EncoderError::Empty);
        }
        if tokens.len() > self.max_tokens {
            return Err(EncoderError::TooLong {
                tokens: tokens.len(),
                most: self.max_tokens,
            });
        }
        match tokens.iter().all(|id| (*id as usize) < self.vocabulary) {
            true => Ok(()),
            false => Err(EncoderError::UnknownToken),
        }
    }
}

pub(super) fn read(folder: &ModelFolder) -> Result<EncoderConfig, ModelError> {
    let config = of_json(&Json::of(folder, CONFIG)?).map_err(|error| error.of_file(CONFIG))?;
    let most = max_tokens(folder).map_err(|error| error.of_file(LENGTHS))?;
    let pooled = check_pooling(folder, &config);
    pooled.map_err(|error| error.of_file(POOLING))?;
    check_modules(folder)?;
    Ok(EncoderConfig {
        max_tokens: most.unwrap_or(config.positions).min(config.positions),
        ..config
    })
}

/// What `config.json` says; texts are as long as there are positions.
fn of_json(json: &Json) -> Result<EncoderConfig, ModelError> {
    match json.optional_str("model_type")? {
        Some("bert") => {}
        other => {
            let other = other.unwrap_or_default().to_owned();
            return Err(ModelError::Architecture(other));
        }
    }
    json.check_known(&READ)?;
    json.expect("hidden_act", "gelu")?;
    json.expect("position_embedding_type", "absolute")?;
    json.expect_unset("is_decoder")?;
    let config = sizes(json)?;
    check(&config)?;
    Ok(config)
}

fn sizes(json: &Json) -> Result<EncoderConfig, ModelError> {
    let positions = json.size("max_position_embeddings", MAX_TOKENS)?;
    Ok(EncoderConfig {
        max_tokens: positions,
        vocabulary: json.size("vocab_size", MAX_TOKENS)?,
        positions,
        token_types: json.size("type_vocab_size", MAX_TOKENS)?,
        layers: json.size("num_hidden_layers", MAX_LAYERS)?,
        width: json.size("hidden_size", MAX_WIDTH)?,
        heads: json.size("num_attention_heads", MAX_WIDTH)?,
        ffn_width: json.size("intermediate_size", MAX_WIDTH)?,
        epsilon: json.f32("layer_norm_eps")?,
    })
}

fn check(config: &EncoderConfig) -> Result<(), ModelError> {
    let head_width = config.head_width();
    let heads_fit = config.width == config.heads * head_width
        && head_width.is_multiple_of(LANES)
        && (LANES..=MAX_HEAD_WIDTH).contains(&head_width);
    let rules = [
        ("hidden_size", config.width.is_multiple_of(BLOCK)),
        ("num_attention_heads", heads_fit),
        ("intermediate_size", config.ffn_width.is_multiple_of(BLOCK)),
        (
            "layer_norm_eps",
            config.epsilon > 0.0 && config.epsilon < 1.0,
        ),
    ];
    match rules.into_iter().find(|(_, holds)| !holds) {
        Some((key, _)) => Err(ModelError::Config(key)),
        None => Ok(()),
    }
}

/// Most tokens that the model was trained on, where `sentence_bert_config.json` says so.
fn max_tokens(folder: &ModelFolder) -> Result<Option<usize>, ModelError> {
    if folder.file(LENGTHS).is_none() {
        return Ok(None);
    }
    let json = Json::of(folder, LENGTHS)?;
    json.check_known(&["max_seq_length", "do_lower_case"])?;
    json.expect_unset("do_lower_case")?;
    json.optional_size("max_seq_length", MAX_TOKENS)
}

/// Tokens are averaged: nothing else is built here.
fn check_pooling(folder: &ModelFolder, config: &EncoderConfig) -> Result<(), ModelError> {
    let json = Json::of(folder, POOLING)?;
    let read = [
        "word_embedding_dimension",
        "pooling_mode_mean_tokens",
        "include_prompt",
    ];
    json.check_known(&[&read[..], &OTHER_POOLING[..]].concat())?;
    OTHER_POOLING
        .into_iter()
        .try_for_each(|other| json.expect_unset(other))?;
    if !json.flag("pooling_mode_mean_tokens", Flag::Unset)? {
        return Err(ModelError::Config("pooling_mode_mean_tokens"));
    }
    let width = "word_embedding_dimension";
    match json.size(width, MAX_WIDTH)? == config.width {
        true => Ok(()),
        false => Err(ModelError::Config(width)),
    }
}

/// The encoder, pooling, bringing to length one, in this order.
fn check_modules(folder: &ModelFolder) -> Result<(), ModelError> {
    let types = folder.file(MODULES);
    let types = types.and_then(|bytes| Json::list_of(bytes, "type"));
    let types = types.ok_or(ModelError::Json(MODULES))?;
    let names = types.iter().map(|name| name.rsplit('.').next());
    let expected = ["Transformer", "Pooling", "Normalize"];
    match names.eq(expected.map(Some)) {
        true => Ok(()),
        false => Err(ModelError::Unsupported("type".to_owned()).of_file(MODULES)),
    }
}
