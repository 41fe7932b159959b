//! The tokenizer of a decoder's folder: `tokenizer.json`, and what the files beside it say of its special tokens.
//!
//! `tokenizer_config.json` names the tokens that begin and end a sequence, and may say whether the first stands before a text; where it does not,
//! `tokenizer.json` does. What else those files say of tokens has to be what `tokenizer.json` says. Answers end with every token that `config.json` or `generation_config.json` names for it, and with those that end
//! an answer in any model file.

mod named;

use serde_json::Value;

use super::{Tokenizer, TokenizerError, TokenizerJson, TokenizerSource, json::Unsaid};
use crate::folder::{CONFIG, ModelFolder, SettingFault, Settings};

const TOKENIZER: &str = "tokenizer.json";
pub(crate) const TOKENIZER_CONFIG: &str = "tokenizer_config.json";
const SPECIAL_TOKENS_MAP: &str = "special_tokens_map.json";
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
        check_plain(&settings)?;
        check_added(&settings, &parsed)?;
        named::check(&settings, &parsed)?;
        name_special(&settings, &parsed, &mut source)?;
        check_map(&Settings::of(folder, SPECIAL_TOKENS_MAP)?, &parsed, &source)?;
        source.ends = ends(folder)?;
        source.template_begins = true;
        Self::new(&source)
    }
}

/// Refuses what changes text before it becomes tokens, and is not done here.
fn check_plain(settings: &Settings) -> Result<(), SettingFault> {
    for key in ["add_prefix_space", "split_special_tokens"] {
        if settings.flag(key)? == Some(true) {
            return Err(settings.fault(key));
        }
    }
    Ok(())
}

/// Sets the tokens that begin and end a sequence, and whether the first stands before every text.
fn name_special(
    settings: &Settings,
    json: &TokenizerJson,
    source: &mut TokenizerSource<'_>,
) -> Result<(), TokenizerError> {
    let before = source.bos;
    let named = |key| settings.read(key, |value| named::id(value, json));
    source.bos = named("bos_token")?.or(before);
    source.eos = named("eos_token")?;
    source.add_bos = settings.flag("add_bos_token")?.unwrap_or(source.add_bos);
    source.add_eos = settings.flag("add_eos_token")?.unwrap_or(false);
    let another = before.is_some() && before != source.bos;
    match another && source.add_bos {
        true => Err(settings.fault("bos_token").into()),
        false => Ok(()),
    }
}

/// Refuses tokens that are added by `tokenizer_config.json` and are not those of `tokenizer.json`, or are found in text in another way.
fn check_added(settings: &Settings, json: &TokenizerJson) -> Result<(), SettingFault> {
    const KEY: &str = "added_tokens_decoder";
    let known = |(id, entry): (&String, &Value)| {
        let text = entry.get("content").and_then(Value::as_str);
        let token = text.and_then(|text| json.added(text));
        let token = token.filter(|token| token.id.to_string() == *id);
        token.is_some_and(|token| token.is(entry, Unsaid::Ordinary))
    };
    match settings.read(KEY, Value::as_object)? {
        Some(added) if !added.iter().all(known) => Err(settings.fault(KEY)),
        _ => Ok(()),
    }
}

/// Refuses a `special_tokens_map.json` that names tokens which are not there, or another beginning or end of a sequence.
fn check_map(
    map: &Settings,
    json: &TokenizerJson,
    source: &TokenizerSource<'_>,
) -> Result<(), SettingFault> {
    named::check(map, json)?;
    for (key, id) in [("bos_token", source.bos), ("eos_token", source.eos)] {
        let named = map.read(key, |value| named::id(value, json))?;
        if named.is_some() && named != id {
            return Err(map.fault(key));
        }
    }
    Ok(())
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
