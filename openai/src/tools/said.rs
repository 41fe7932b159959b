//! Calls in the JSON that a model wrote.

use serde::Deserialize;
use serde_json::value::RawValue;

/// What Llama 3 may write before its calls.
const PYTHON_TAG: &str = "<|python_tag|>";

/// One call: its function and the JSON of its arguments. No Debug: it is the answer.
#[derive(PartialEq, Eq)]
pub(super) struct SaidCall {
    pub(super) name: String,
    pub(super) arguments: String,
}

#[derive(Deserialize)]
struct Written<'a> {
    name: String,
    #[serde(borrow, alias = "parameters")]
    arguments: Option<&'a RawValue>,
}

/// The calls that are the whole of `text`: objects with `;` or nothing between, or an array of them. None where it says anything else, or
/// calls what is not in `names`.
pub(super) fn calls(text: &str, names: &[String]) -> Option<Vec<SaidCall>> {
    let text = text.trim();
    let text = text.strip_prefix(PYTHON_TAG).unwrap_or(text).trim_start();
    let written: Vec<Written<'_>> = match text.starts_with('[') {
        true => serde_json::from_str(text).ok()?,
        false => objects(text)?,
    };
    let calls: Option<Vec<_>> = written
        .into_iter()
        .map(|call| call.checked(names))
        .collect();
    calls.filter(|calls| !calls.is_empty())
}

fn objects(mut text: &str) -> Option<Vec<Written<'_>>> {
    let mut written = Vec::new();
    while !text.is_empty() {
        let mut json = serde_json::Deserializer::from_str(text).into_iter();
        written.push(json.next()?.ok()?);
        let rest = text.get(json.byte_offset()..)?.trim_start();
        text = rest.strip_prefix(';').unwrap_or(rest).trim_start();
    }
    Some(written)
}

impl Written<'_> {
    fn checked(self, names: &[String]) -> Option<SaidCall> {
        let arguments = self.arguments.map_or("{}", RawValue::get);
        let is_call = names.contains(&self.name) && arguments.starts_with('{');
        is_call.then(|| SaidCall {
            name: self.name,
            arguments: arguments.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Option<Vec<(String, String)>> {
        let calls = calls(text, &["f".to_owned(), "g".to_owned()])?;
        Some(
            calls
                .into_iter()
                .map(|call| (call.name, call.arguments))
                .collect(),
        )
    }

    fn pair(name: &str, arguments: &str) -> (String, String) {
        (name.to_owned(), arguments.to_owned())
    }

    #[test]
    fn reads_each_form() {
        let one = Some(vec![pair("f", r#"{"a": 1}"#)]);
        assert_eq!(said("\n{\"name\": \"f\", \"arguments\": {\"a\": 1}} "), one);
        assert_eq!(said(r#"{"name":"f","parameters":{"a": 1}}"#), one);
        assert_eq!(
            said(r#"<|python_tag|>{"name":"f","parameters":{"a": 1}}"#),
            one
        );
        let two = Some(vec![pair("f", "{}"), pair("g", "{}")]);
        assert_eq!(said(r#"{"name":"f"}; {"name":"g","parameters":{}}"#), two);
        assert_eq!(said(r#"[{"name":"f"}, {"name":"g","arguments":{}}]"#), two);
    }

    #[test]
    fn everything_else_is_no_call() {
        for text in [
            "",
            "[]",
            "{}",
            "text",
            r#"{"name":"h"}"#,
            r#"{"name":"f"} and"#,
            r#"{"name":"f","arguments":"{}"}"#,
            r#"{"name":"f","arguments":{}"#,
            r#"[{"name":"f"}"#,
        ] {
            assert!(said(text).is_none(), "{text}");
        }
    }
}
