//! `logprobs` and `top_logprobs`, which the two older routes write differently.

use super::{ApiError, fields::Fields};
use engine::MAX_LOGPROBS;

/// Takes `logprobs` (a boolean) and `top_logprobs` (0 to 20) of a chat.
pub(crate) fn take_chat_logprobs(fields: &mut Fields<'_>) -> Result<Option<u8>, ApiError> {
    let wanted = fields.take("logprobs", "a boolean")?.unwrap_or(false);
    let top = take_number(fields, "top_logprobs")?;
    match (wanted, top) {
        (true, top) => Ok(Some(top.unwrap_or(0))),
        (false, None) => Ok(None),
        (false, Some(_)) => Err(ApiError::invalid("top_logprobs", "logprobs to be true")),
    }
}

/// Takes `logprobs` (0 to 20) of a text.
pub(crate) fn take_text_logprobs(fields: &mut Fields<'_>) -> Result<Option<u8>, ApiError> {
    take_number(fields, "logprobs")
}

/// Takes a number of alternatives.
pub(crate) fn take_number(
    fields: &mut Fields<'_>,
    name: &'static str,
) -> Result<Option<u8>, ApiError> {
    let expected = "an integer from 0 to 20";
    let number: Option<u8> = fields.take(name, expected)?;
    match number {
        Some(number) if number > MAX_LOGPROBS => Err(ApiError::invalid(name, expected)),
        number => Ok(number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chat(body: &str) -> Result<Option<u8>, ApiError> {
        take_chat_logprobs(&mut Fields::of_body(body.as_bytes()).unwrap())
    }

    fn text(body: &str) -> Result<Option<u8>, ApiError> {
        take_text_logprobs(&mut Fields::of_body(body.as_bytes()).unwrap())
    }

    #[test]
    fn a_chat_says_whether_and_how_many() {
        assert_eq!(chat("{}"), Ok(None));
        assert_eq!(chat(r#"{"logprobs":false}"#), Ok(None));
        assert_eq!(chat(r#"{"logprobs":true}"#), Ok(Some(0)));
        let both = r#"{"logprobs":true,"top_logprobs":20}"#;
        assert_eq!(chat(both), Ok(Some(20)));
    }

    #[test]
    fn a_text_says_how_many() {
        assert_eq!(text("{}"), Ok(None));
        assert_eq!(text(r#"{"logprobs":0}"#), Ok(Some(0)));
        assert_eq!(text(r#"{"logprobs":20}"#), Ok(Some(20)));
    }

    #[test]
    fn refuses_others() {
        for body in [
            r#"{"logprobs":1}"#,
            r#"{"top_logprobs":1}"#,
            r#"{"logprobs":false,"top_logprobs":0}"#,
            r#"{"logprobs":true,"top_logprobs":21}"#,
            r#"{"logprobs":true,"top_logprobs":-1}"#,
        ] {
            assert_eq!(chat(body).unwrap_err().code, "invalid_value", "{body}");
        }
        for body in [r#"{"logprobs":true}"#, r#"{"logprobs":21}"#] {
            assert_eq!(text(body).unwrap_err().code, "invalid_value", "{body}");
        }
    }
}
