//! `tools`: functions with a name, a description and a JSON schema of their arguments.

use crate::{ApiError, elements::elements, fields::Fields};
use serde::Serialize;
use serde_json::value::RawValue;

/// Most tools of one request.
const MAX_TOOLS: usize = 128;
/// Longest name, in bytes.
const MAX_NAME_BYTES: usize = 64;
/// Longest description, in bytes.
const MAX_DESCRIPTION_BYTES: usize = 4096;
/// Longest schema of a tool's arguments, in bytes of its JSON.
const MAX_SCHEMA_BYTES: usize = 64 * 1024;
const NAME: &str = "1 to 64 letters, digits, _ and -";

/// One function. No Debug: it is the client's.
#[derive(Clone, Serialize)]
pub struct Tool {
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// JSON schema of its arguments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameters: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strict: Option<bool>,
}

/// A tool as chats have it, and templates.
#[derive(Serialize)]
struct Nested<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    function: &'a Tool,
}

/// Takes `tools` as chats have them: `{"type": "function", "function": {..}}`.
pub(crate) fn take_chat_tools(fields: &mut Fields<'_>) -> Result<Vec<Tool>, ApiError> {
    take(fields, |mut tool| {
        let name = tool.full("function");
        let function = tool
            .take_raw("function")
            .ok_or_else(|| ApiError::invalid(&*name, "an object"))?;
        tool.finish()?;
        read(Fields::of_value(function, &name)?)
    })
}

/// Takes `tools` as responses have them: `{"type": "function", ..}`.
pub(crate) fn take_response_tools(fields: &mut Fields<'_>) -> Result<Vec<Tool>, ApiError> {
    take(fields, read)
}

fn take(
    fields: &mut Fields<'_>,
    read: impl Fn(Fields<'_>) -> Result<Tool, ApiError>,
) -> Result<Vec<Tool>, ApiError> {
    let Some(values) = fields.take_raw("tools") else {
        return Ok(Vec::new());
    };
    let mut tools: Vec<Tool> = Vec::new();
    for (at, value) in elements(values, "tools", MAX_TOOLS)?
        .into_iter()
        .enumerate()
    {
        let name = format!("tools[{at}]");
        let mut fields = Fields::of_value(value, &name)?;
        let kind: Option<String> = fields.take("type", "function")?;
        if kind.as_deref() != Some("function") {
            return Err(ApiError::unsupported(fields.full("type")));
        }
        let tool = read(fields)?;
        if tools.iter().any(|other| other.name == tool.name) {
            return Err(ApiError::invalid(name, "a name that no other tool has"));
        }
        tools.push(tool);
    }
    Ok(tools)
}

fn read(mut fields: Fields<'_>) -> Result<Tool, ApiError> {
    let tool = Tool {
        name: take_name(&mut fields)?,
        description: take_description(&mut fields)?,
        parameters: take_schema(&mut fields, "parameters")?,
        strict: fields.take("strict", "a boolean")?,
    };
    fields.finish()?;
    Ok(tool)
}

/// Takes the `name` of a function.
pub(crate) fn take_name(fields: &mut Fields<'_>) -> Result<String, ApiError> {
    let name: Option<String> = fields.take("name", NAME)?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    name.filter(|name| (1..=MAX_NAME_BYTES).contains(&name.len()) && name.bytes().all(is_plain))
        .ok_or_else(|| ApiError::invalid(fields.full("name"), NAME))
}

/// Takes a `description`.
pub(crate) fn take_description(fields: &mut Fields<'_>) -> Result<Option<String>, ApiError> {
    let expected = "a string of at most 4096 bytes";
    let description: Option<String> = fields.take("description", expected)?;
    match description {
        Some(text) if text.len() > MAX_DESCRIPTION_BYTES => {
            Err(ApiError::invalid(fields.full("description"), expected))
        }
        description => Ok(description),
    }
}

/// Takes a JSON schema, as it stands.
pub(crate) fn take_schema(
    fields: &mut Fields<'_>,
    name: &str,
) -> Result<Option<Box<RawValue>>, ApiError> {
    let Some(schema) = fields.take_raw(name) else {
        return Ok(None);
    };
    match schema.get().len() <= MAX_SCHEMA_BYTES && schema.get().starts_with('{') {
        true => Ok(Some(schema.to_owned())),
        false => {
            let expected = "a JSON schema: an object of at most 65536 bytes";
            Err(ApiError::invalid(fields.full(name), expected))
        }
    }
}

/// The tools as chats have them, for the template. JSON of texts and JSON cannot fail.
pub(crate) fn nested_json(tools: &[Tool]) -> String {
    let nested = tools.iter().map(|function| Nested {
        kind: "function",
        function,
    });
    serde_json::to_string(&nested.collect::<Vec<_>>()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chat(tools: &str) -> Result<Vec<Tool>, ApiError> {
        let body = format!(r#"{{"tools":{tools}}}"#);
        take_chat_tools(&mut Fields::of_body(body.as_bytes()).unwrap())
    }

    fn response(tools: &str) -> Result<Vec<Tool>, ApiError> {
        let body = format!(r#"{{"tools":{tools}}}"#);
        take_response_tools(&mut Fields::of_body(body.as_bytes()).unwrap())
    }

    fn named(count: usize) -> String {
        let tools: Vec<_> = (0..count)
            .map(|n| format!(r#"{{"type":"function","function":{{"name":"f{n}"}}}}"#))
            .collect();
        format!("[{}]", tools.join(","))
    }

    fn with(function: &str) -> String {
        format!(r#"[{{"type":"function","function":{function}}}]"#)
    }

    #[test]
    fn both_forms_say_the_same() {
        let function =
            r#""name":"f","description":"d","parameters":{"type":"object"},"strict":true"#;
        let nested = with(&format!("{{{function}}}"));
        let flat = format!(r#"[{{"type":"function",{function}}}]"#);
        for tools in [chat(&nested), response(&flat)] {
            assert_eq!(nested_json(&tools.ok().unwrap()), nested);
        }
        assert_eq!(nested_json(&[]), "[]");
    }

    #[test]
    fn tools_have_their_limits() {
        assert_eq!(chat(&named(MAX_TOOLS)).ok().unwrap().len(), MAX_TOOLS);
        let schema = |blanks| format!(r#"{{"name":"f","parameters":{{{}}}}}"#, " ".repeat(blanks));
        assert!(chat(&with(&schema(MAX_SCHEMA_BYTES - 2))).is_ok());
        let description = "d".repeat(MAX_DESCRIPTION_BYTES + 1);
        for refused in [
            named(MAX_TOOLS + 1),
            with(&schema(MAX_SCHEMA_BYTES - 1)),
            with(&format!(r#"{{"name":"f","description":"{description}"}}"#)),
            with(&format!(
                r#"{{"name":"{}"}}"#,
                "f".repeat(MAX_NAME_BYTES + 1)
            )),
        ] {
            assert_eq!(chat(&refused).err().unwrap().code, "invalid_value");
        }
    }

    #[test]
    fn refuses_what_is_no_function() {
        for (tools, code) in [
            ("{}".to_owned(), "invalid_value"),
            (r#"[{"type":"custom"}]"#.to_owned(), "unsupported_parameter"),
            (r#"[{"type":"function"}]"#.to_owned(), "invalid_value"),
            (with("{}"), "invalid_value"),
            (with(r#"{"name":""}"#), "invalid_value"),
            (with(r#"{"name":"a b"}"#), "invalid_value"),
            (with(r#"{"name":"f","parameters":true}"#), "invalid_value"),
            (with(r#"{"name":"f","strict":1}"#), "invalid_value"),
            (with(r#"{"name":"f","x":1}"#), "unsupported_parameter"),
            (
                named(1).replace("}]", r#"},{"type":"function","function":{"name":"f0"}}]"#),
                "invalid_value",
            ),
        ] {
            assert_eq!(chat(&tools).err().unwrap().code, code, "{tools}");
        }
    }
}
