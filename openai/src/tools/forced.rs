//! The JSON schema of an answer that must call a tool.

use super::Tool;
use serde_json::{Value, json};

/// The schema of the arguments of `tool`, as it stands.
pub(super) fn arguments(tool: &Tool) -> String {
    match &tool.parameters {
        Some(schema) => schema.get().to_owned(),
        None => nothing().to_string(),
    }
}

/// The schema of one call of any of `tools`, or of an array of calls. None where one of their schemas is nested too deeply to be read.
pub(super) fn calls(tools: &[Tool], parallel: bool) -> Option<String> {
    let place = match parallel {
        true => "#/items/anyOf",
        false => "#/anyOf",
    };
    let calls = tools.iter().enumerate();
    let calls: Option<Vec<_>> = calls
        .map(|(at, tool)| call(tool, &format!("{place}/{at}/properties/arguments")))
        .collect();
    let call = json!({"anyOf": calls?});
    let schema = match parallel {
        true => json!({"type": "array", "minItems": 1, "items": call}),
        false => call,
    };
    Some(schema.to_string())
}

/// A call of `tool`, whose schema will stand at `place`.
fn call(tool: &Tool, place: &str) -> Option<Value> {
    let mut arguments = match &tool.parameters {
        Some(schema) => serde_json::from_str(schema.get()).ok()?,
        None => nothing(),
    };
    move_references(&mut arguments, place);
    Some(json!({
        "type": "object",
        "properties": {"name": {"const": tool.name}, "arguments": arguments},
        "required": ["name", "arguments"],
        "additionalProperties": false,
    }))
}

fn nothing() -> Value {
    json!({"type": "object", "properties": {}, "additionalProperties": false})
}

/// References from the root of a schema name the same after it has moved to `place`. Parsed JSON is at most 128 deep.
fn move_references(schema: &mut Value, place: &str) {
    match schema {
        Value::Array(all) => all.iter_mut().for_each(|one| move_references(one, place)),
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(target) if name == "$ref" => {
                        if let Some(rest) = target.strip_prefix('#') {
                            *target = format!("{place}{rest}");
                        }
                    }
                    other => move_references(other, place),
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::value::RawValue;

    fn tool(name: &str, schema: Option<&str>) -> Tool {
        Tool {
            name: name.to_owned(),
            description: None,
            parameters: schema.map(|text| RawValue::from_string(text.to_owned()).unwrap()),
            strict: None,
        }
    }

    fn parsed(tools: &[Tool], parallel: bool) -> Value {
        serde_json::from_str(&calls(tools, parallel).unwrap()).unwrap()
    }

    #[test]
    fn a_call_is_of_any_tool() {
        let tools = [tool("f", Some(r#"{"type":"object"}"#)), tool("g", None)];
        let one = parsed(&tools, false);
        let f = &one["anyOf"][0]["properties"];
        assert_eq!(f["name"], json!({"const": "f"}));
        assert_eq!(f["arguments"], json!({"type": "object"}));
        assert_eq!(one["anyOf"][1]["properties"]["arguments"], nothing());
        assert_eq!(parsed(&tools, true)["items"], one);
    }

    #[test]
    fn references_move_with_their_schema() {
        let schema = r##"{"$defs":{"x":{"type":"string"}},"properties":{"a":{"$ref":"#/$defs/x"},"$ref":{"type":"null"}}}"##;
        let tools = [tool("g", None), tool("f", Some(schema))];
        let moved = parsed(&tools, true);
        let target =
            moved["items"]["anyOf"][1]["properties"]["arguments"]["properties"]["a"]["$ref"]
                .as_str();
        let pointer = target.unwrap().strip_prefix('#').unwrap();
        assert_eq!(moved.pointer(pointer), Some(&json!({"type": "string"})));
    }

    #[test]
    fn what_is_too_deep_is_none() {
        let deep = format!(r#"{{"a":{}{}}}"#, "[".repeat(200), "]".repeat(200));
        assert_eq!(calls(&[tool("f", Some(&deep))], true), None);
        assert_eq!(arguments(&tool("f", Some(&deep))), deep);
    }
}
