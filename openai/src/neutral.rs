//! Parameters of OpenAI's API that are not implemented: their neutral values, which ask for what happens anyway, are accepted; any other
//! value would change the answer and is refused.

use super::{ApiError, fields::Fields};
use serde_json::{Value, json, value::RawValue};

/// Accepted whatever they say: they never change an answer.
const IGNORED: [&str; 5] = [
    "user",
    "metadata",
    "store",
    "safety_identifier",
    "prompt_cache_key",
];

/// Longest text of a neutral value, white space within it included.
const MAX_NEUTRAL_BYTES: usize = 256;

/// Takes the ignored parameters and those that stand at their neutral value.
pub(crate) fn take_neutral(fields: &mut Fields<'_>) -> Result<(), ApiError> {
    for name in IGNORED {
        fields.take_raw(name);
    }
    for (name, neutral) in neutral_values() {
        if let Some(value) = fields.take_raw(name)
            && !is_one_of(value, &neutral)
        {
            return Err(ApiError::unsupported(fields.full(name)));
        }
    }
    Ok(())
}

/// What is longer than any neutral value is none, and is not parsed: parsed JSON takes many times the memory of its text.
fn is_one_of(value: &RawValue, neutral: &[Value]) -> bool {
    let text = value.get();
    text.len() <= MAX_NEUTRAL_BYTES
        && serde_json::from_str(text).is_ok_and(|value| neutral.contains(&value))
}

fn neutral_values() -> [(&'static str, Vec<Value>); 6] {
    [
        ("echo", vec![json!(false)]),
        ("suffix", vec![]),
        ("functions", vec![json!([])]),
        ("function_call", vec![json!("none"), json!("auto")]),
        ("modalities", vec![json!(["text"])]),
        ("service_tier", vec![json!("auto"), json!("default")]),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(body: &str) -> Result<(), ApiError> {
        let mut fields = Fields::of_body(body.as_bytes()).unwrap();
        take_neutral(&mut fields)?;
        fields.finish()
    }

    #[test]
    fn accepts_what_changes_nothing() {
        take(r#"{"user":"u","metadata":{"a":"b"},"store":true,"safety_identifier":"u"}"#).unwrap();
        take(r#"{"functions":[],"function_call":"none","echo":false,"suffix":null}"#).unwrap();
    }

    #[test]
    fn refuses_what_would_change_the_answer() {
        for body in [
            r#"{"echo":true}"#,
            r#"{"suffix":""}"#,
            r#"{"functions":[{}]}"#,
            r#"{"function_call":{"name":"f"}}"#,
            r#"{"modalities":["text","audio"]}"#,
            r#"{"service_tier":"flex"}"#,
            r#"{"reasoning_effort":"low"}"#,
        ] {
            assert_eq!(
                take(body).unwrap_err().code,
                "unsupported_parameter",
                "{body}"
            );
        }
    }

    #[test]
    fn what_is_too_long_to_be_neutral_is_not_parsed() {
        let functions = |blanks| format!(r#"{{"functions":[{}]}}"#, " ".repeat(blanks));
        take(&functions(MAX_NEUTRAL_BYTES - 2)).unwrap();
        let error = take(&functions(MAX_NEUTRAL_BYTES - 1)).unwrap_err();
        assert_eq!(error.code, "unsupported_parameter");
    }
}
