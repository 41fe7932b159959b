//! `stream` and `stream_options`.

use super::{ApiError, Delivery, fields::Fields};

/// Takes `stream` and `stream_options`; whether an event that counts tokens comes before the last.
pub(crate) fn take_delivery(fields: &mut Fields<'_>) -> Result<(Delivery, bool), ApiError> {
    let stream = fields.take("stream", "a boolean")?.unwrap_or(false);
    let options = fields.take_raw("stream_options");
    match (stream, options) {
        (false, None) => Ok((Delivery::Whole, false)),
        (true, None) => Ok((Delivery::Events, false)),
        (false, Some(_)) => Err(ApiError::invalid("stream_options", "stream to be true")),
        (true, Some(options)) => {
            let counts = stream_options(Fields::of_value(options, "stream_options")?)?;
            Ok((Delivery::Events, counts))
        }
    }
}

fn stream_options(mut fields: Fields<'_>) -> Result<bool, ApiError> {
    let usage = fields.take("include_usage", "a boolean")?.unwrap_or(false);
    // Lengths are hidden by padding the sealed stream, not by filling its JSON: only false asks for what happens.
    if fields.take("include_obfuscation", "a boolean")? == Some(true) {
        return Err(ApiError::unsupported("stream_options.include_obfuscation"));
    }
    fields.finish()?;
    Ok(usage)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(body: &str) -> Result<(Delivery, bool), ApiError> {
        take_delivery(&mut Fields::of_body(body.as_bytes()).unwrap())
    }

    #[test]
    fn reads_how_the_answer_travels() {
        assert_eq!(take("{}"), Ok((Delivery::Whole, false)));
        assert_eq!(take(r#"{"stream":true}"#), Ok((Delivery::Events, false)));
        let with_usage = r#"{"stream":true,"stream_options":{"include_usage":true}}"#;
        assert_eq!(take(with_usage), Ok((Delivery::Events, true)));
        let without = r#"{"stream":true,"stream_options":{"include_obfuscation":false}}"#;
        assert_eq!(take(without), Ok((Delivery::Events, false)));
    }

    #[test]
    fn refuses_with_a_code() {
        let refused = |body: &str| take(body).unwrap_err().code;
        assert_eq!(refused(r#"{"stream":"yes"}"#), "invalid_value");
        assert_eq!(refused(r#"{"stream_options":{}}"#), "invalid_value");
        for options in [r#"{"x":1}"#, r#"{"include_obfuscation":true}"#] {
            let body = format!(r#"{{"stream":true,"stream_options":{options}}}"#);
            assert_eq!(refused(&body), "unsupported_parameter");
        }
    }
}
