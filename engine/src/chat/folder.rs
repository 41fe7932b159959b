//! The chat template of a model folder: `chat_template.jinja`, or what `tokenizer_config.json` has in its place.

use serde_json::Value;

use super::ChatError;
use crate::{
    folder::{ModelFolder, Settings},
    tokenizer::TOKENIZER_CONFIG,
};

const FILE: &str = "chat_template.jinja";
const KEY: &str = "chat_template";
/// Of several templates, the one for chats without anything else.
const DEFAULT: &str = "default";

/// The text of the folder's template; none where it has none. Two that differ are refused.
pub fn template_of(folder: &ModelFolder) -> Result<Option<String>, ChatError> {
    let own = folder.file(FILE).map(str::from_utf8).transpose();
    let own = own.map_err(|_| ChatError::Source("chat_template.jinja is not UTF-8"))?;
    let settings = Settings::of(folder, TOKENIZER_CONFIG);
    let settings = settings.map_err(|fault| ChatError::Source(fault.fault))?;
    let other = settings.value(KEY).map(text).transpose()?;
    match (own, other) {
        (Some(own), Some(other)) if own != other => Err(ChatError::Ambiguous),
        (own, other) => Ok(own.or(other).map(str::to_owned)),
    }
}

/// A template's text, or that of the default one of a list.
fn text(value: &Value) -> Result<&str, ChatError> {
    const FAULT: ChatError =
        ChatError::Source("chat_template is neither a text nor a list of named texts");
    match value {
        Value::String(text) => Ok(text),
        Value::Array(list) => {
            let named: Option<Vec<_>> = list.iter().map(named).collect();
            let named = named.ok_or(FAULT)?;
            let mut defaults = named.into_iter().filter(|(name, _)| *name == DEFAULT);
            match (defaults.next(), defaults.next()) {
                (Some((_, text)), None) => Ok(text),
                _ => Err(ChatError::Ambiguous),
            }
        }
        _ => Err(FAULT),
    }
}

/// Name and text of a template in a list.
fn named(entry: &Value) -> Option<(&str, &str)> {
    Some((
        entry.get("name")?.as_str()?,
        entry.get("template")?.as_str()?,
    ))
}
