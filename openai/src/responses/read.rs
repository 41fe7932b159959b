//! Bodies of `POST /v1/responses`.

use super::{Echo, input::take_input};
use crate::{
    ApiError, Asked, Sampling, Surface,
    asked::{take_limit, take_model},
    delivery::take_delivery,
    elements::elements,
    fields::Fields,
    format::take_text,
    logprobs::take_number,
    neutral::take_neutral,
    stop::take_stop,
    tools::{Tools, nested_json, take_response_choice, take_response_tools},
};
use engine::{Prompt, chat::Chat};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// What asks for log-probabilities.
const LOGPROBS: &str = "\"message.output_text.logprobs\"";
/// OpenAI's limits of `metadata`.
const METADATA: (usize, usize, usize) = (16, 64, 512);

/// Reads a request for a response.
pub(crate) fn read_response(body: &[u8]) -> Result<Asked, ApiError> {
    let mut fields = Fields::of_body(body)?;
    check_keeps_nothing(&mut fields)?;
    let mut echo = Echo {
        instructions: fields.take("instructions", "a string")?,
        metadata: take_metadata(&mut fields)?,
        ..Echo::default()
    };
    let messages = take_input(&mut fields, echo.instructions.as_deref())?;
    let tools = take_tools(&mut fields, &mut echo)?;
    let (grammar, format) = take_text(&mut fields)?;
    let (delivery, _) = take_delivery(&mut fields)?;
    let sampling = Sampling::take(&mut fields)?;
    echo.format = format;
    echo.sampling = sampling.stated;
    echo.max_output_tokens = take_limit(&mut fields, "max_output_tokens")?;
    let logprobs = take_logprobs(&mut fields)?;
    echo.top_logprobs = logprobs;
    let chat = Chat {
        messages,
        tools: tools
            .as_ref()
            .map(|tools| Zeroizing::new(nested_json(&tools.all))),
    };
    let asked = Asked {
        model: take_model(&mut fields)?,
        prompts: vec![Prompt::Chat(chat)],
        choices: 1,
        max_tokens: echo.max_output_tokens,
        sampling,
        stop: take_stop(&mut fields)?,
        grammar,
        logprobs,
        tools,
        delivery,
        surface: Surface::Response(Box::new(echo)),
    };
    check_neutral(&mut fields)?;
    fields.finish()?;
    asked.check_tools("text.format")
}

/// What asks for something that was kept, or to be kept.
fn check_keeps_nothing(fields: &mut Fields<'_>) -> Result<(), ApiError> {
    for name in ["previous_response_id", "conversation"] {
        if fields.take_raw(name).is_some() {
            return Err(ApiError::nothing_is_kept(400).about(name));
        }
    }
    for name in ["store", "background"] {
        if fields.take(name, "a boolean")? == Some(true) {
            return Err(ApiError::nothing_is_kept(400).about(name));
        }
    }
    Ok(())
}

fn take_tools(fields: &mut Fields<'_>, echo: &mut Echo) -> Result<Option<Tools>, ApiError> {
    let all = take_response_tools(fields)?;
    let choice = take_response_choice(fields, &all)?;
    echo.describe_tools(&all, choice);
    let tools = Tools::take(fields, all, choice)?;
    echo.parallel = tools.as_ref().is_none_or(|tools| tools.parallel);
    Ok(tools)
}

/// `include` and `top_logprobs`: log-probabilities are all that can be included.
fn take_logprobs(fields: &mut Fields<'_>) -> Result<Option<u8>, ApiError> {
    let top = take_number(fields, "top_logprobs")?;
    let mut included = None;
    if let Some(values) = fields.take_raw("include") {
        for value in elements(values, "include", 16)? {
            match value.get() {
                LOGPROBS => included = Some(0),
                _ => return Err(ApiError::unsupported("include")),
            }
        }
    }
    Ok(included.map(|none| top.unwrap_or(none)))
}

/// `metadata`, which the answer repeats.
fn take_metadata(fields: &mut Fields<'_>) -> Result<Value, ApiError> {
    let expected = "at most 16 texts of at most 512 characters, with names of at most 64";
    let invalid = || ApiError::invalid("metadata", expected);
    let Some(value) = fields.take_raw("metadata") else {
        return Ok(json!({}));
    };
    let (most, name, text) = METADATA;
    // Parsed JSON takes many times the memory of its text; no character takes more than 12 bytes of it.
    if value.get().len() > most * 16 * (name + text) {
        return Err(invalid());
    }
    let parsed: BTreeMap<String, String> =
        serde_json::from_str(value.get()).map_err(|_| invalid())?;
    let fits = |(key, value): (&String, &String)| {
        key.chars().count() <= name && value.chars().count() <= text
    };
    match parsed.len() <= most && parsed.iter().all(fits) {
        true => Ok(json!(parsed)),
        false => Err(invalid()),
    }
}

/// Parameters of responses alone, at the value that asks for what happens.
fn check_neutral(fields: &mut Fields<'_>) -> Result<(), ApiError> {
    let truncation: Option<String> = fields.take("truncation", "disabled")?;
    if truncation.is_some_and(|truncation| truncation != "disabled") {
        return Err(ApiError::unsupported("truncation"));
    }
    take_neutral(fields)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Delivery, tools::Choice};

    fn read(rest: &str) -> Result<Asked, ApiError> {
        read_response(format!(r#"{{"model":"m","input":"x"{rest}}}"#).as_bytes())
    }

    #[test]
    fn reads_a_request() {
        let asked = read(
            r#","max_output_tokens":5,"stream":true,"store":false,"background":false,"truncation":"disabled",
               "include":["message.output_text.logprobs"],"top_logprobs":3,"metadata":{"a":"b"},
               "tools":[{"type":"function","name":"f"}],"tool_choice":{"type":"function","name":"f"}"#,
        );
        let asked = asked.unwrap_or_else(|error| panic!("{error:?}"));
        assert_eq!((asked.max_tokens, asked.logprobs), (Some(5), Some(3)));
        assert_eq!(asked.delivery, Delivery::Events);
        assert_eq!(asked.tools.unwrap().choice, Choice::Named(0));
        let Surface::Response(echo) = asked.surface else {
            panic!("a response")
        };
        assert_eq!(echo.metadata, json!({"a": "b"}));
    }

    #[test]
    fn alternatives_go_with_logprobs_only() {
        assert_eq!(read(r#","top_logprobs":3"#).ok().unwrap().logprobs, None);
    }

    #[test]
    fn refuses_what_it_would_have_to_keep() {
        for rest in [
            r#","previous_response_id":"resp_1""#,
            r#","conversation":"conv_1""#,
            r#","store":true"#,
            r#","background":true"#,
        ] {
            assert_eq!(read(rest).err().unwrap().code, "nothing_is_kept", "{rest}");
        }
    }

    #[test]
    fn refuses_with_a_code() {
        let long = format!(r#","metadata":{{"a":"{}"}}"#, "x".repeat(513));
        let many: Vec<_> = (0..17).map(|n| format!("\"{n}\":\"\"")).collect();
        let many = format!(r#","metadata":{{{}}}"#, many.join(","));
        let blank = format!(r#","metadata":{{{}}}"#, " ".repeat(1 << 20));
        let tools = r#","tools":[{"type":"function","name":"f"}]"#;
        for (rest, code) in [
            (r#","truncation":"auto""#, "unsupported_parameter"),
            (
                r#","include":["reasoning.encrypted_content"]"#,
                "unsupported_parameter",
            ),
            (r#","include":{}"#, "invalid_value"),
            (r#","top_logprobs":21"#, "invalid_value"),
            (r#","max_output_tokens":0"#, "invalid_value"),
            (r#","max_tokens":5"#, "unsupported_parameter"),
            (r#","n":1"#, "unsupported_parameter"),
            (r#","reasoning":{"effort":"low"}"#, "unsupported_parameter"),
            (r#","prompt":{"id":"p"}"#, "unsupported_parameter"),
            (r#","instructions":[]"#, "invalid_value"),
            (r#","metadata":{"a":1}"#, "invalid_value"),
            (&long, "invalid_value"),
            (&many, "invalid_value"),
            (&blank, "invalid_value"),
            (
                &format!(r#"{tools},"text":{{"format":{{"type":"json_object"}}}}"#),
                "unsupported_parameter",
            ),
        ] {
            assert_eq!(read(rest).err().unwrap().code, code);
        }
    }
}
