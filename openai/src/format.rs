//! What an answer must look like: `response_format` of chats, `text.format` of responses.

use super::{
    ApiError,
    fields::Fields,
    tools::{take_description, take_name, take_schema},
};
use engine::Grammar;
use serde_json::{Value, json, value::RawValue};

const KINDS: &str = "text, json_object or json_schema";

/// Takes `response_format`: `{"type": "json_schema", "json_schema": {"name": .., "schema": ..}}`.
pub(crate) fn take_response_format(fields: &mut Fields<'_>) -> Result<Option<Grammar>, ApiError> {
    let Some(value) = fields.take_raw("response_format") else {
        return Ok(None);
    };
    let mut format = Fields::of_value(value, "response_format")?;
    let grammar = match kind(&mut format)?.as_str() {
        "json_schema" => {
            let name = format.full("json_schema");
            let schema = format
                .take_raw("json_schema")
                .ok_or_else(|| ApiError::invalid(&*name, "an object"))?;
            let mut schema = Fields::of_value(schema, &name)?;
            let grammar = Grammar::JsonSchema(take_named_schema(&mut schema)?.0);
            schema.finish()?;
            Some(grammar)
        }
        "json_object" => Some(Grammar::JsonObject),
        _text => None,
    };
    format.finish()?;
    Ok(grammar)
}

/// Takes `text`: `{"format": {"type": "json_schema", "name": .., "schema": ..}}`; also the format as the answer repeats it.
pub(crate) fn take_text(fields: &mut Fields<'_>) -> Result<(Option<Grammar>, Value), ApiError> {
    let mut grammar = (None, json!({"type": "text"}));
    if let Some(value) = fields.take_raw("text") {
        let mut text = Fields::of_value(value, "text")?;
        if let Some(format) = text.take_raw("format") {
            grammar = text_format(format)?;
        }
        let verbosity: Option<String> = text.take("verbosity", "medium")?;
        if verbosity.is_some_and(|verbosity| verbosity != "medium") {
            return Err(ApiError::unsupported("text.verbosity"));
        }
        text.finish()?;
    }
    Ok(grammar)
}

fn text_format(value: &RawValue) -> Result<(Option<Grammar>, Value), ApiError> {
    let mut format = Fields::of_value(value, "text.format")?;
    let kind = kind(&mut format)?;
    let read = match kind.as_str() {
        "json_schema" => {
            let (schema, echo) = take_named_schema(&mut format)?;
            (Some(Grammar::JsonSchema(schema)), echo)
        }
        "json_object" => (Some(Grammar::JsonObject), json!({"type": kind})),
        _text => (None, json!({"type": kind})),
    };
    format.finish()?;
    Ok(read)
}

fn kind(format: &mut Fields<'_>) -> Result<String, ApiError> {
    let kind: Option<String> = format.take("type", KINDS)?;
    kind.filter(|kind| ["text", "json_object", "json_schema"].contains(&kind.as_str()))
        .ok_or_else(|| ApiError::invalid(format.full("type"), KINDS))
}

/// A schema with its name. It is followed whether it is called `strict` or not.
fn take_named_schema(fields: &mut Fields<'_>) -> Result<(String, Value), ApiError> {
    let name = take_name(fields)?;
    let description = take_description(fields)?;
    let strict: Option<bool> = fields.take("strict", "a boolean")?;
    let full = fields.full("schema");
    let schema = take_schema(fields, "schema")?;
    let schema = schema.ok_or_else(|| ApiError::invalid(full.clone(), "a JSON schema"))?;
    let parsed: Value = serde_json::from_str(schema.get())
        .map_err(|_| ApiError::invalid(full, "a JSON schema that is not nested too deeply"))?;
    let echo = json!({
        "type": "json_schema",
        "name": name,
        "description": description,
        "strict": strict,
        "schema": parsed,
    });
    Ok((schema.get().to_owned(), echo))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chat(format: &str) -> Result<Option<Grammar>, ApiError> {
        let body = format!(r#"{{"response_format":{format}}}"#);
        take_response_format(&mut Fields::of_body(body.as_bytes()).unwrap())
    }

    fn response(format: &str) -> Result<(Option<Grammar>, Value), ApiError> {
        let body = format!(r#"{{"text":{{"format":{format}}}}}"#);
        take_text(&mut Fields::of_body(body.as_bytes()).unwrap())
    }

    #[test]
    fn takes_each_kind() {
        assert!(matches!(chat("null"), Ok(None)));
        assert!(matches!(chat(r#"{"type":"text"}"#), Ok(None)));
        let object = r#"{"type":"json_object"}"#;
        assert!(matches!(chat(object), Ok(Some(Grammar::JsonObject))));
        assert!(matches!(
            response(object),
            Ok((Some(Grammar::JsonObject), _))
        ));
        let named = r#""name":"n","strict":true,"schema":{"type":"object"}"#;
        let nested = chat(&format!(
            r#"{{"type":"json_schema","json_schema":{{{named}}}}}"#
        ));
        let is_schema = |grammar: &Option<Grammar>| matches!(grammar, Some(Grammar::JsonSchema(schema)) if schema == r#"{"type":"object"}"#);
        assert!(is_schema(&nested.ok().unwrap()));
        let (flat, echo) = response(&format!(r#"{{"type":"json_schema",{named}}}"#))
            .ok()
            .unwrap();
        assert!(is_schema(&flat));
        assert_eq!(echo["schema"], json!({"type": "object"}));
    }

    #[test]
    fn refuses_others() {
        let long = format!(r#""name":"n","schema":{{"x":"{}"}}"#, "x".repeat(64 * 1024));
        let deep = format!(
            r#""name":"n","schema":{{"x":{}{}}}"#,
            "[".repeat(200),
            "]".repeat(200)
        );
        for (schema, code) in [
            (r#""name":"n""#, "invalid_value"),
            (r#""schema":{}"#, "invalid_value"),
            (r#""name":"n","schema":[]"#, "invalid_value"),
            (r#""name":"n","schema":{},"x":1"#, "unsupported_parameter"),
            (&long, "invalid_value"),
            (&deep, "invalid_value"),
        ] {
            let nested = format!(r#"{{"type":"json_schema","json_schema":{{{schema}}}}}"#);
            assert_eq!(chat(&nested).err().unwrap().code, code);
            let flat = format!(r#"{{"type":"json_schema",{schema}}}"#);
            assert_eq!(response(&flat).err().unwrap().code, code);
        }
        for format in ["{}", r#"{"type":"grammar"}"#, "1"] {
            assert_eq!(chat(format).err().unwrap().code, "invalid_value");
        }
        let body = br#"{"text":{"verbosity":"high"}}"#;
        let refused = take_text(&mut Fields::of_body(body).unwrap());
        assert_eq!(refused.err().unwrap().code, "unsupported_parameter");
    }
}
