//! Calls of tools in messages that a client sends back.

use super::{ApiError, elements::elements, fields::Fields, tools::take_name};
use serde::Serialize;
use serde_json::value::RawValue;

/// Most calls of one message.
pub(crate) const MAX_CALLS: usize = 128;
/// Longest id of a call, in bytes.
const MAX_ID_BYTES: usize = 256;
const ID: &str = "a string of 1 to 256 bytes";

/// One call that was made, as chats have it. No Debug.
#[derive(Serialize)]
pub(crate) struct MadeCall {
    pub id: String,
    #[serde(rename = "type")]
    kind: &'static str,
    function: Called,
}

#[derive(Serialize)]
struct Called {
    name: String,
    arguments: String,
}

impl MadeCall {
    /// The call `id` of function `name`.
    pub(crate) const fn new(id: String, name: String, arguments: String) -> Self {
        Self {
            id,
            kind: "function",
            function: Called { name, arguments },
        }
    }
}

/// Takes `tool_calls` of a message; none where there are none.
pub(crate) fn take_calls(fields: &mut Fields<'_>) -> Result<Option<String>, ApiError> {
    let name = fields.full("tool_calls");
    let Some(values) = fields.take_raw("tool_calls") else {
        return Ok(None);
    };
    let values = elements(values, &name, MAX_CALLS)?.into_iter().enumerate();
    let calls: Result<Vec<_>, _> = values
        .map(|(at, value)| read(value, &format!("{name}[{at}]")))
        .collect();
    Ok(Some(calls?)
        .filter(|calls| !calls.is_empty())
        .map(|calls| calls_json(&calls)))
}

/// Calls for the template. JSON of texts cannot fail.
pub(crate) fn calls_json(calls: &[MadeCall]) -> String {
    serde_json::to_string(calls).unwrap_or_default()
}

fn read(value: &RawValue, name: &str) -> Result<MadeCall, ApiError> {
    let mut fields = Fields::of_value(value, name)?;
    let id = take_id(&mut fields, "id")?;
    let kind: Option<String> = fields.take("type", "function")?;
    if kind.as_deref() != Some("function") {
        return Err(ApiError::unsupported(fields.full("type")));
    }
    let full = fields.full("function");
    let function = fields
        .take_raw("function")
        .ok_or_else(|| ApiError::invalid(&*full, "an object"))?;
    fields.finish()?;
    let mut function = Fields::of_value(function, &full)?;
    let (name, arguments) = (take_name(&mut function)?, take_arguments(&mut function)?);
    function.finish()?;
    Ok(MadeCall::new(id, name, arguments))
}

/// Takes the id of a call.
pub(crate) fn take_id(fields: &mut Fields<'_>, name: &str) -> Result<String, ApiError> {
    let id: Option<String> = fields.take(name, ID)?;
    id.filter(|id| (1..=MAX_ID_BYTES).contains(&id.len()))
        .ok_or_else(|| ApiError::invalid(fields.full(name), ID))
}

/// Takes the `arguments` of a call.
pub(crate) fn take_arguments(fields: &mut Fields<'_>) -> Result<String, ApiError> {
    let arguments = fields.take("arguments", "a string")?;
    arguments.ok_or_else(|| ApiError::invalid(fields.full("arguments"), "a string"))
}
