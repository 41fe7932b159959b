//! Chat messages: a role and text, plain or in parts.

use super::{ApiError, fields::Fields};
use engine::chat::Message;
use serde::{
    Deserializer,
    de::{SeqAccess, Visitor},
};
use serde_json::value::RawValue;
use std::fmt;

/// Most messages of one chat.
const MAX_MESSAGES: usize = 4096;
/// Most parts of one message.
const MAX_PARTS: usize = 1024;
/// What assistants' own messages carry when a client sends them back, at null or empty.
const EMPTY_IN_HISTORY: [&str; 5] = [
    "refusal",
    "tool_calls",
    "function_call",
    "audio",
    "annotations",
];

/// Takes `messages`.
pub(crate) fn take_messages(fields: &mut Fields<'_>) -> Result<Vec<Message>, ApiError> {
    let values = fields
        .take_raw("messages")
        .ok_or_else(|| ApiError::missing("messages"))?;
    let values = elements(values, "messages", MAX_MESSAGES)?;
    if values.is_empty() {
        return Err(ApiError::invalid("messages", "at least one message"));
    }
    values
        .into_iter()
        .enumerate()
        .map(|(at, value)| message(value, &format!("messages[{at}]")))
        .collect()
}

fn message(value: &RawValue, name: &str) -> Result<Message, ApiError> {
    let mut fields = Fields::of_value(value, name)?;
    let role = role(&mut fields)?;
    let content = content(&mut fields)?;
    for field in EMPTY_IN_HISTORY {
        let value = fields.take_raw(field);
        if value.is_some_and(|value| value.get() != "[]") {
            return Err(ApiError::unsupported(fields.full(field)));
        }
    }
    fields.finish()?;
    Ok(Message::new(role, content))
}

/// `developer` is OpenAI's newer name for `system`; tools are not served.
fn role(fields: &mut Fields<'_>) -> Result<String, ApiError> {
    let expected = "system, developer, user or assistant";
    let role: Option<String> = fields.take("role", expected)?;
    match role.as_deref() {
        Some("developer") => Ok("system".to_owned()),
        Some(known @ ("system" | "user" | "assistant")) => Ok(known.to_owned()),
        Some("tool" | "function") => Err(ApiError::unsupported(fields.full("role"))),
        _ => Err(ApiError::invalid(fields.full("role"), expected)),
    }
}

fn content(fields: &mut Fields<'_>) -> Result<String, ApiError> {
    let name = fields.full("content");
    let expected = "a string or an array of text parts";
    let value = fields
        .take_raw("content")
        .ok_or_else(|| ApiError::invalid(&*name, expected))?;
    if value.get().starts_with('[') {
        return parts(value, &name);
    }
    serde_json::from_str(value.get()).map_err(|_| ApiError::invalid(&*name, expected))
}

/// The parts' texts, joined without anything between.
fn parts(value: &RawValue, name: &str) -> Result<String, ApiError> {
    let mut text = String::new();
    for (at, value) in elements(value, name, MAX_PARTS)?.into_iter().enumerate() {
        text.push_str(&part(value, &format!("{name}[{at}]"))?);
    }
    Ok(text)
}

fn part(value: &RawValue, name: &str) -> Result<String, ApiError> {
    let mut fields = Fields::of_value(value, name)?;
    let kind: Option<String> = fields.take("type", "text")?;
    if kind.as_deref() != Some("text") {
        return Err(ApiError::unsupported(fields.full("type")));
    }
    let text = fields.take("text", "a string")?;
    let text = text.ok_or_else(|| ApiError::invalid(fields.full("text"), "a string"))?;
    fields.finish()?;
    Ok(text)
}

fn elements<'a>(
    array: &'a RawValue,
    name: &str,
    most: usize,
) -> Result<Vec<&'a RawValue>, ApiError> {
    let mut json = serde_json::Deserializer::from_str(array.get());
    json.deserialize_seq(AtMost(most))
        .map_err(|_| ApiError::invalid(name, "an array that is not too long"))
}

/// Reads an array and stops at the first element too many, before memory is given to all of them.
struct AtMost(usize);

impl<'de> Visitor<'de> for AtMost {
    type Value = Vec<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an array of at most {} elements", self.0)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Self::Value, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = array.next_element()? {
            if elements.len() == self.0 {
                return Err(serde::de::Error::invalid_length(self.0 + 1, &self));
            }
            elements.push(element);
        }
        Ok(elements)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(messages: &str) -> Result<Vec<(String, String)>, ApiError> {
        let body = format!(r#"{{"messages":{messages}}}"#);
        let messages = take_messages(&mut Fields::of_body(body.as_bytes()).unwrap())?;
        Ok(messages
            .iter()
            .map(|m| (m.role.clone(), m.content.clone()))
            .collect())
    }

    #[test]
    fn takes_strings_and_text_parts() {
        let messages = take(
            r#"[{"role":"developer","content":"be brief"},
                {"role":"assistant","content":"\u00e9","refusal":null,"tool_calls":[],"annotations":[]},
                {"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}]"#,
        );
        let expected = [("system", "be brief"), ("assistant", "é"), ("user", "ab")];
        assert_eq!(
            messages.unwrap(),
            expected.map(|(r, c)| (r.to_owned(), c.to_owned()))
        );
    }

    #[test]
    fn arrays_have_their_limits() {
        let part = r#"{"type":"text","text":"a"}"#;
        let message = |parts: usize| {
            let parts = vec![part; parts].join(",");
            format!(r#"{{"role":"user","content":[{parts}]}}"#)
        };
        let messages = |count: usize| format!("[{}]", vec![message(1); count].join(","));
        assert_eq!(take(&messages(MAX_MESSAGES)).unwrap().len(), MAX_MESSAGES);
        take(&format!("[{}]", message(MAX_PARTS))).unwrap();
        for too_many in [
            messages(MAX_MESSAGES + 1),
            format!("[{}]", message(MAX_PARTS + 1)),
        ] {
            assert_eq!(take(&too_many).unwrap_err().code, "invalid_value");
        }
    }

    #[test]
    fn refuses_what_it_does_not_serve() {
        for (messages, code) in [
            ("null", "missing_required_parameter"),
            ("[]", "invalid_value"),
            ("{}", "invalid_value"),
            (r#"[{"content":"x"}]"#, "invalid_value"),
            (r#"[{"role":"user"}]"#, "invalid_value"),
            (r#"[{"role":"user","content":5}]"#, "invalid_value"),
            (r#"[{"role":"king","content":"x"}]"#, "invalid_value"),
            (
                r#"[{"role":"tool","content":"x"}]"#,
                "unsupported_parameter",
            ),
            (
                r#"[{"role":"user","content":"x","name":"n"}]"#,
                "unsupported_parameter",
            ),
            (
                r#"[{"role":"assistant","content":"x","tool_calls":[{}]}]"#,
                "unsupported_parameter",
            ),
            (
                r#"[{"role":"user","content":[{"type":"image_url"}]}]"#,
                "unsupported_parameter",
            ),
            (
                r#"[{"role":"user","content":[{"type":"text"}]}]"#,
                "invalid_value",
            ),
            (
                r#"[{"role":"user","content":"x","role":"user"}]"#,
                "doubled_parameter",
            ),
        ] {
            assert_eq!(take(messages).unwrap_err().code, code, "{messages}");
        }
    }
}
