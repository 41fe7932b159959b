//! Bodies of `POST /v1/chat/completions` and `POST /v1/completions`.

use super::{
    ApiError, Asked, Delivery, Prompt, Sampling, content::take_messages, fields::Fields,
    neutral::take_neutral, stop::take_stop,
};

/// Reads a chat request.
pub(crate) fn read_chat(body: &[u8]) -> Result<Asked, ApiError> {
    let mut fields = Fields::of_body(body)?;
    let prompt = Prompt::Chat(take_messages(&mut fields)?);
    let newer = take_limit(&mut fields, "max_completion_tokens")?;
    let older = take_limit(&mut fields, "max_tokens")?;
    read_common(fields, prompt, newer.or(older))
}

/// Reads a text request.
pub(crate) fn read_text(body: &[u8]) -> Result<Asked, ApiError> {
    let mut fields = Fields::of_body(body)?;
    let prompt = take_prompt(&mut fields)?;
    let max_tokens = take_limit(&mut fields, "max_tokens")?;
    read_common(fields, prompt, max_tokens)
}

fn read_common(
    mut fields: Fields<'_>,
    prompt: Prompt,
    max_tokens: Option<u32>,
) -> Result<Asked, ApiError> {
    let model: Option<String> = fields.take("model", "a string")?;
    let asked = Asked {
        prompt,
        model: model.ok_or_else(|| ApiError::missing("model"))?,
        max_tokens,
        sampling: Sampling::take(&mut fields)?,
        stop: take_stop(&mut fields)?,
        delivery: take_delivery(&mut fields)?,
    };
    take_neutral(&mut fields)?;
    fields.finish()?;
    Ok(asked)
}

/// `prompt`; arrays of strings or of token ids are several prompts or another alphabet, and not served.
fn take_prompt(fields: &mut Fields<'_>) -> Result<Prompt, ApiError> {
    let value = fields
        .take_raw("prompt")
        .ok_or_else(|| ApiError::missing("prompt"))?;
    if value.get().starts_with('[') {
        return Err(ApiError::unsupported("prompt"));
    }
    serde_json::from_str(value.get())
        .map(Prompt::Text)
        .map_err(|_| ApiError::invalid("prompt", "a string"))
}

fn take_limit(fields: &mut Fields<'_>, name: &'static str) -> Result<Option<u32>, ApiError> {
    let limit: Option<u32> = fields.take(name, "a positive integer")?;
    match limit {
        Some(0) => Err(ApiError::invalid(name, "a positive integer")),
        limit => Ok(limit),
    }
}

fn take_delivery(fields: &mut Fields<'_>) -> Result<Delivery, ApiError> {
    let stream = fields.take("stream", "a boolean")?.unwrap_or(false);
    let options = fields.take_raw("stream_options");
    match (stream, options) {
        (false, None) => Ok(Delivery::Whole),
        (true, None) => Ok(Delivery::Events),
        (false, Some(_)) => Err(ApiError::invalid("stream_options", "stream to be true")),
        (true, Some(options)) => stream_options(Fields::of_value(options, "stream_options")?),
    }
}

fn stream_options(mut fields: Fields<'_>) -> Result<Delivery, ApiError> {
    let usage = fields.take("include_usage", "a boolean")?.unwrap_or(false);
    // Lengths are hidden by padding the sealed stream, not by filling its JSON: only false asks for what happens.
    if fields.take("include_obfuscation", "a boolean")? == Some(true) {
        return Err(ApiError::unsupported("stream_options.include_obfuscation"));
    }
    fields.finish()?;
    Ok(if usage {
        Delivery::EventsWithUsage
    } else {
        Delivery::Events
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chat(rest: &str) -> Result<Asked, ApiError> {
        let body = format!(r#"{{"model":"m","messages":[{{"role":"user","content":"x"}}]{rest}}}"#);
        read_chat(body.as_bytes())
    }

    #[test]
    fn reads_a_chat() {
        let asked = chat(r#","max_tokens":5,"stop":"a","temperature":0"#)
            .unwrap_or_else(|e| panic!("{e:?}"));
        assert_eq!((asked.model.as_str(), asked.max_tokens), ("m", Some(5)));
        assert_eq!(asked.stop, ["a"]);
        assert_eq!(asked.sampling.temperature_milli, 0);
        assert_eq!(asked.delivery, Delivery::Whole);
    }

    #[test]
    fn the_newer_limit_wins() {
        let asked = chat(r#","max_tokens":5,"max_completion_tokens":7"#)
            .ok()
            .unwrap();
        assert_eq!(asked.max_tokens, Some(7));
    }

    #[test]
    fn reads_how_the_answer_travels() {
        let delivery = |rest: &str| chat(rest).ok().unwrap().delivery;
        assert_eq!(delivery(r#","stream":true"#), Delivery::Events);
        let with_usage = r#","stream":true,"stream_options":{"include_usage":true}"#;
        assert_eq!(delivery(with_usage), Delivery::EventsWithUsage);
        let without = r#","stream":true,"stream_options":{"include_obfuscation":false}"#;
        assert_eq!(delivery(without), Delivery::Events);
    }

    #[test]
    fn reads_a_text_prompt() {
        let asked = read_text(br#"{"model":"m","prompt":"hello"}"#)
            .ok()
            .unwrap();
        assert!(matches!(asked.prompt, Prompt::Text(text) if text == "hello"));
    }

    #[test]
    fn refuses_with_a_code() {
        let refused = |rest: &str| chat(rest).err().unwrap().code;
        assert_eq!(refused(r#","max_tokens":0"#), "invalid_value");
        assert_eq!(refused(r#","max_tokens":-1"#), "invalid_value");
        assert_eq!(refused(r#","stream":"yes""#), "invalid_value");
        assert_eq!(refused(r#","stream_options":{}"#), "invalid_value");
        assert_eq!(
            refused(r#","stream":true,"stream_options":{"x":1}"#),
            "unsupported_parameter"
        );
        let obfuscated = r#","stream":true,"stream_options":{"include_obfuscation":true}"#;
        assert_eq!(refused(obfuscated), "unsupported_parameter");
        assert_eq!(refused(r#","prompt":"x""#), "unsupported_parameter");
        let text = |body: &str| read_text(body.as_bytes()).err().unwrap().code;
        assert_eq!(text(r#"{"model":"m"}"#), "missing_required_parameter");
        assert_eq!(text(r#"{"prompt":"x"}"#), "missing_required_parameter");
        assert_eq!(
            text(r#"{"model":"m","prompt":["x"]}"#),
            "unsupported_parameter"
        );
        assert_eq!(text(r#"{"model":"m","prompt":5}"#), "invalid_value");
    }
}
