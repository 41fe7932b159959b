//! Chat messages: a role, text, plain or in parts, and calls of tools.

use super::{
    ApiError,
    elements::elements,
    fields::Fields,
    history::{take_calls, take_id},
};
use engine::chat::Message;
use serde_json::value::RawValue;

/// Most messages of one chat.
const MAX_MESSAGES: usize = 4096;
/// Most parts of one message.
const MAX_PARTS: usize = 1024;
/// What content is.
const TEXT: &str = "a string or an array of text parts";
const ROLES: &str = "system, developer, user, assistant or tool";
/// What assistants' own messages carry when a client sends them back, at null or empty.
const EMPTY_IN_HISTORY: [&str; 4] = ["refusal", "function_call", "audio", "annotations"];

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
    let mut message = Message::new(role(&mut fields)?, "");
    let calls = take_calls(&mut fields)?;
    match (message.role.as_str(), &calls) {
        ("tool", None) => message.tool_call_id = Some(take_id(&mut fields, "tool_call_id")?),
        ("assistant", _) | (_, None) => {}
        _ => return Err(ApiError::unsupported(fields.full("tool_calls"))),
    }
    message.content = match (take_content(&mut fields, "content")?, &calls) {
        (Some(content), _) => content,
        (None, Some(_)) => String::new(),
        (None, None) => return Err(ApiError::invalid(fields.full("content"), TEXT)),
    };
    message.tool_calls = calls;
    for field in EMPTY_IN_HISTORY {
        let value = fields.take_raw(field);
        if value.is_some_and(|value| value.get() != "[]") {
            return Err(ApiError::unsupported(fields.full(field)));
        }
    }
    fields.finish()?;
    Ok(message)
}

fn role(fields: &mut Fields<'_>) -> Result<String, ApiError> {
    let role: Option<String> = fields.take("role", ROLES)?;
    let role = role.ok_or_else(|| ApiError::invalid(fields.full("role"), ROLES))?;
    match role.as_str() {
        "function" => Err(ApiError::unsupported(fields.full("role"))),
        "tool" => Ok(role),
        _ => speaker(role).ok_or_else(|| ApiError::invalid(fields.full("role"), ROLES)),
    }
}

/// Who speaks, as templates have it: `developer` is OpenAI's newer name for `system`.
pub(crate) fn speaker(role: String) -> Option<String> {
    match role.as_str() {
        "developer" => Some("system".to_owned()),
        "system" | "user" | "assistant" => Some(role),
        _ => None,
    }
}

/// Takes text, plain or in parts, called `name`.
pub(crate) fn take_content(
    fields: &mut Fields<'_>,
    name: &str,
) -> Result<Option<String>, ApiError> {
    let full = fields.full(name);
    let Some(value) = fields.take_raw(name) else {
        return Ok(None);
    };
    if value.get().starts_with('[') {
        return parts(value, &full).map(Some);
    }
    let text = serde_json::from_str(value.get());
    text.map(Some).map_err(|_| ApiError::invalid(&*full, TEXT))
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
    match kind.as_deref() {
        Some("text" | "input_text") => {}
        // As an answer had it.
        Some("output_text") => {
            fields.take_raw("annotations");
            fields.take_raw("logprobs");
        }
        _ => return Err(ApiError::unsupported(fields.full("type"))),
    }
    let text = fields.take("text", "a string")?;
    let text = text.ok_or_else(|| ApiError::invalid(fields.full("text"), "a string"))?;
    fields.finish()?;
    Ok(text)
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
    fn takes_calls_and_their_answers() {
        let body = br#"{"messages":[
            {"role":"assistant","content":null,"tool_calls":
                [{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]},
            {"role":"tool","tool_call_id":"a","content":"4"}]}"#;
        let messages = take_messages(&mut Fields::of_body(body).unwrap());
        let messages = messages.ok().unwrap();
        let calls = r#"[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]"#;
        assert_eq!(messages[0].tool_calls.as_deref(), Some(calls));
        assert_eq!(messages[0].content, "");
        assert_eq!(messages[1].role, "tool");
        assert_eq!(messages[1].tool_call_id.as_deref(), Some("a"));
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
            (r#"[{"role":"tool","content":"x"}]"#, "invalid_value"),
            (
                r#"[{"role":"function","content":"x"}]"#,
                "unsupported_parameter",
            ),
            (
                r#"[{"role":"tool","tool_call_id":"","content":"x"}]"#,
                "invalid_value",
            ),
            (
                r#"[{"role":"user","content":"x","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":""}}]}]"#,
                "unsupported_parameter",
            ),
            (
                r#"[{"role":"assistant","content":null,"tool_calls":[]}]"#,
                "invalid_value",
            ),
            (
                r#"[{"role":"assistant","tool_calls":[{"id":"a","type":"custom"}]}]"#,
                "unsupported_parameter",
            ),
            (
                r#"[{"role":"assistant","tool_calls":[{"id":"a","type":"function","function":{"name":"f"}}]}]"#,
                "invalid_value",
            ),
            (
                r#"[{"role":"user","content":"x","name":"n"}]"#,
                "unsupported_parameter",
            ),
            (
                r#"[{"role":"assistant","content":"x","tool_calls":[{}]}]"#,
                "invalid_value",
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
