//! Special tokens that a file beside `tokenizer.json` names.
//!
//! Each has to be a special token there, found in text as the file says. Other loaders add a token that is not, or make it special.

use serde_json::Value;

use super::super::{TokenizerJson, json::Unsaid};
use crate::folder::{SettingFault, Settings};

/// Keys with a token.
const ONE: [&str; 7] = [
    "bos_token",
    "cls_token",
    "eos_token",
    "mask_token",
    "pad_token",
    "sep_token",
    "unk_token",
];
/// Keys with a list of tokens, or with tokens by names.
const SEVERAL: [&str; 2] = ["additional_special_tokens", "extra_special_tokens"];

/// Refuses a file that names a token which is no special one.
pub(super) fn check(settings: &Settings, json: &TokenizerJson) -> Result<(), SettingFault> {
    for key in ONE {
        settings.read(key, |value| id(value, json))?;
    }
    for key in SEVERAL {
        settings.read(key, |value| all(value, json))?;
    }
    Ok(())
}

/// The id of a token, given by its text or by an object with it.
pub(super) fn id(value: &Value, json: &TokenizerJson) -> Option<u32> {
    let (text, entry) = match value {
        Value::String(text) => (text.as_str(), None),
        entry => (entry.get("content")?.as_str()?, Some(entry)),
    };
    let token = json.added(text).filter(|token| token.is_special())?;
    let same = entry.is_none_or(|entry| token.is(entry, Unsaid::Special));
    same.then_some(token.id)
}

fn all(value: &Value, json: &TokenizerJson) -> Option<()> {
    let mut known = |value| id(value, json).is_some();
    let all = match value {
        Value::Array(list) => list.iter().all(&mut known),
        by_name => by_name.as_object()?.values().all(&mut known),
    };
    all.then_some(())
}
