//! `tool_choice`: whether tools are called, and which.

use super::{Tool, definition::take_name};
use crate::{ApiError, fields::Fields};
use serde_json::value::RawValue;

const EXPECTED: &str = "none, auto, required or one function of tools";

/// Whether tools are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    None,
    /// As the model likes.
    Auto,
    /// At least one.
    Required,
    /// The tool at this place.
    Named(usize),
}

/// Takes `tool_choice` as chats have it: `{"type": "function", "function": {"name": ..}}`.
pub(crate) fn take_chat_choice(
    fields: &mut Fields<'_>,
    tools: &[Tool],
) -> Result<Choice, ApiError> {
    take(fields, tools, |mut named| {
        let name = named.full("function");
        let function = named
            .take_raw("function")
            .ok_or_else(|| ApiError::invalid(&*name, "an object"))?;
        named.finish()?;
        read_name(Fields::of_value(function, &name)?)
    })
}

/// Takes `tool_choice` as responses have it: `{"type": "function", "name": ..}`.
pub(crate) fn take_response_choice(
    fields: &mut Fields<'_>,
    tools: &[Tool],
) -> Result<Choice, ApiError> {
    take(fields, tools, read_name)
}

fn take(
    fields: &mut Fields<'_>,
    tools: &[Tool],
    read: impl Fn(Fields<'_>) -> Result<String, ApiError>,
) -> Result<Choice, ApiError> {
    let choice = match fields.take_raw("tool_choice") {
        None => Choice::Auto,
        Some(value) if value.get().starts_with('{') => {
            let mut named = Fields::of_value(value, "tool_choice")?;
            let kind: Option<String> = named.take("type", "function")?;
            if kind.as_deref() != Some("function") {
                return Err(ApiError::unsupported("tool_choice.type"));
            }
            let name = read(named)?;
            let place = tools.iter().position(|tool| tool.name == name);
            Choice::Named(place.ok_or_else(|| ApiError::invalid("tool_choice", EXPECTED))?)
        }
        Some(value) => mode(value).ok_or_else(|| ApiError::invalid("tool_choice", EXPECTED))?,
    };
    match choice {
        Choice::Required if tools.is_empty() => Err(ApiError::invalid("tool_choice", "tools")),
        choice => Ok(choice),
    }
}

fn mode(value: &RawValue) -> Option<Choice> {
    match value.get() {
        "\"none\"" => Some(Choice::None),
        "\"auto\"" => Some(Choice::Auto),
        "\"required\"" => Some(Choice::Required),
        _ => None,
    }
}

fn read_name(mut fields: Fields<'_>) -> Result<String, ApiError> {
    let name = take_name(&mut fields)?;
    fields.finish()?;
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(
        choice: &str,
        is_chat: impl Fn(&mut Fields<'_>, &[Tool]) -> Result<Choice, ApiError>,
    ) -> Result<Choice, ApiError> {
        let tools = ["f", "g"].map(|name| Tool {
            name: name.to_owned(),
            description: None,
            parameters: None,
            strict: None,
        });
        let body = format!(r#"{{"tool_choice":{choice}}}"#);
        is_chat(&mut Fields::of_body(body.as_bytes()).unwrap(), &tools)
    }

    #[test]
    fn takes_modes_and_names() {
        for (choice, expected) in [
            ("null", Choice::Auto),
            ("\"none\"", Choice::None),
            ("\"auto\"", Choice::Auto),
            ("\"required\"", Choice::Required),
        ] {
            assert_eq!(take(choice, take_chat_choice), Ok(expected));
            assert_eq!(take(choice, take_response_choice), Ok(expected));
        }
        let chat = r#"{"type":"function","function":{"name":"g"}}"#;
        assert_eq!(take(chat, take_chat_choice), Ok(Choice::Named(1)));
        let response = r#"{"type":"function","name":"g"}"#;
        assert_eq!(take(response, take_response_choice), Ok(Choice::Named(1)));
    }

    #[test]
    fn refuses_others() {
        for (choice, code) in [
            ("\"some\"", "invalid_value"),
            ("1", "invalid_value"),
            (r#"{"type":"allowed_tools"}"#, "unsupported_parameter"),
            (r#"{"type":"function"}"#, "invalid_value"),
            (
                r#"{"type":"function","function":{"name":"h"}}"#,
                "invalid_value",
            ),
            (
                r#"{"type":"function","function":{"name":"f","x":1}}"#,
                "unsupported_parameter",
            ),
        ] {
            let refused = take(choice, take_chat_choice).unwrap_err();
            assert_eq!(refused.code, code, "{choice}");
        }
        let body = br#"{"tool_choice":"required"}"#;
        let refused = take_chat_choice(&mut Fields::of_body(body).unwrap(), &[]);
        assert_eq!(refused.unwrap_err().code, "invalid_value");
    }
}
