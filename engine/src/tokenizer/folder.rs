//! The tokenizer of a decoder's folder: `tokenizer.json`, and what the files beside it say of its special tokens.
//!
//! `tokenizer_config.json` names the tokens that begin and end a sequence, and may say whether the first stands before a text; where it does not,
//! `tokenizer.json` does. Answers end with every token that `config.json` or `generation_config.json` names for it, and with those that end
//! an answer in any model file.

use serde_json::Value;

use super::{Tokenizer, TokenizerError, TokenizerJson, TokenizerSource};
use crate::folder::{CONFIG, ModelFolder, SettingFault, Settings};

const TOKENIZER: &str = "tokenizer.json";
pub(crate) const TOKENIZER_CONFIG: &str = "tokenizer_config.json";
const GENERATION: &str = "generation_config.json";

/// Most tokens that a file may name as ends of an answer.
const MAX_ENDS: usize = 64;

impl Tokenizer {
    /// The tokenizer that a decoder's folder describes.
    pub fn from_folder(folder: &ModelFolder) -> Result<Self, TokenizerError> {
        let json = folder.file(TOKENIZER);
        let parsed = TokenizerJson::parse(json.ok_or(TokenizerError::Json("it is not there"))?)?;
        let mut source = parsed.source();
        if source.model != "gpt2" {
            return Err(TokenizerError::Json("a decoder's is byte-level BPE"));
        }
        let settings = Settings::of(folder, TOKENIZER_CONFIG)?;
        check_added(&settings, &source)?;
        name_special(&settings, &mut source)?;
        source.ends = ends(folder)?;
        Self::new(&source)
    }
}

/// Sets the tokens that begin and end a sequence, and whether the first stands before every text.
fn name_special(
    settings: &Settings,
    source: &mut TokenizerSource<'_>,
) -> Result<(), TokenizerError> {
    let before = source.bos;
    source.bos = special(settings, "bos_token", source)?.or(before);
    source.eos = special(settings, "eos_token", source)?;
    source.add_bos = settings.flag("add_bos_token")?.unwrap_or(source.add_bos);
    source.add_eos = settings.flag("add_eos_token")?.unwrap_or(false);
    let another = before.is_some() && before != source.bos;
    match another && source.add_bos {
        true => Err(settings.fault("bos_token").into()),
        false => Ok(()),
    }
}

/// The id of the special token under `key`: its text, or an object with it.
fn special(
    settings: &Settings,
    key: &'static str,
    source: &TokenizerSource<'_>,
) -> Result<Option<u32>, SettingFault> {
    let text = |value: &Value| match value {
        Value::Object(token) => source.id_of(token.get("content")?.as_str()?),
        plain => source.id_of(plain.as_str()?),
    };
    settings.read(key, text)
}

/// Refuses tokens that are added by `tokenizer_config.json` and are not those of `tokenizer.json`.
fn check_added(settings: &Settings, source: &TokenizerSource<'_>) -> Result<(), SettingFault> {
    const KEY: &str = "added_tokens_decoder";
    let known = |(id, token): (&String, &Value)| {
        let text = token.get("content").and_then(Value::as_str);
        let place = id.parse::<usize>().ok();
        let place = place.filter(|place| place.to_string() == *id);
        let known = place.and_then(|place| source.tokens.get(place));
        known.is_some() && known.copied() == text
    };
    match settings.read(KEY, Value::as_object)? {
        Some(added) if !added.iter().all(known) => Err(settings.fault(KEY)),
        _ => Ok(()),
    }
}

/// The tokens that the folder says end an answer.
fn ends(folder: &ModelFolder) -> Result<Vec<u32>, SettingFault> {
    let mut ends = Vec::new();
    for file in [CONFIG, GENERATION] {
        let named = Settings::of(folder, file)?.read("eos_token_id", ids)?;
        ends.extend(named.unwrap_or_default());
    }
    Ok(ends)
}

/// One id or a list of them.
fn ids(value: &Value) -> Option<Vec<u32>> {
    let id = |value: &Value| u32::try_from(value.as_u64()?).ok();
    match value {
        Value::Array(list) if list.len() <= MAX_ENDS => list.iter().map(id).collect(),
        one => Some(vec![id(one)?]),
    }
}
