//! `input` and `instructions`: a string, or messages, calls and their outputs, as a chat.

use crate::{
    ApiError,
    content::{speaker, take_content},
    elements::elements,
    fields::Fields,
    history::{MAX_CALLS, MadeCall, calls_json, take_arguments, take_id},
    tools::take_name,
};
use engine::chat::Message;
use serde_json::value::RawValue;

/// Most items of one input.
const MAX_ITEMS: usize = 4096;
const EXPECTED: &str = "a string or an array of items";
const ROLES: &str = "system, developer, user or assistant";

/// The messages so far, and the calls that the last of them, an assistant's, makes.
#[derive(Default)]
struct Conversation {
    messages: Vec<Message>,
    calls: Vec<MadeCall>,
}

/// Takes `input`, behind `instructions` where there are some.
pub(super) fn take_input(
    fields: &mut Fields<'_>,
    instructions: Option<&str>,
) -> Result<Vec<Message>, ApiError> {
    let mut conversation = Conversation::default();
    if let Some(instructions) = instructions {
        conversation.say("system", instructions);
    }
    let input = fields
        .take_raw("input")
        .ok_or_else(|| ApiError::missing("input"))?;
    if input.get().starts_with('[') {
        let items = elements(input, "input", MAX_ITEMS)?;
        if items.is_empty() {
            return Err(ApiError::empty_prompt("input"));
        }
        for (at, item) in items.into_iter().enumerate() {
            conversation.take(item, &format!("input[{at}]"))?;
        }
    } else {
        let text: String =
            serde_json::from_str(input.get()).map_err(|_| ApiError::invalid("input", EXPECTED))?;
        conversation.say("user", &text);
    }
    Ok(conversation.end())
}

impl Conversation {
    fn say(&mut self, role: &str, text: &str) {
        self.end_calls();
        self.messages.push(Message::new(role, text));
    }

    fn take(&mut self, item: &RawValue, name: &str) -> Result<(), ApiError> {
        let mut fields = Fields::of_value(item, name)?;
        // As an answer had it; neither says anything to the model.
        fields.take_raw("id");
        fields.take_raw("status");
        let kind: Option<String> = fields.take("type", "a string")?;
        match kind.as_deref() {
            None | Some("message") => self.take_message(&mut fields)?,
            Some("function_call") => self.take_call(&mut fields)?,
            Some("function_call_output") => self.take_output(&mut fields)?,
            Some("item_reference") => {
                return Err(ApiError::nothing_is_kept(400).about(fields.full("type")));
            }
            Some(_) => return Err(ApiError::unsupported(fields.full("type"))),
        }
        fields.finish()
    }

    fn take_message(&mut self, fields: &mut Fields<'_>) -> Result<(), ApiError> {
        let role: Option<String> = fields.take("role", ROLES)?;
        let role = role
            .and_then(speaker)
            .ok_or_else(|| ApiError::invalid(fields.full("role"), ROLES))?;
        let text = take_content(fields, "content")?
            .ok_or_else(|| ApiError::invalid(fields.full("content"), "text"))?;
        self.say(&role, &text);
        Ok(())
    }

    /// Calls belong to the assistant's message before them, or to one without text.
    fn take_call(&mut self, fields: &mut Fields<'_>) -> Result<(), ApiError> {
        let id = take_id(fields, "call_id")?;
        let (name, arguments) = (take_name(fields)?, take_arguments(fields)?);
        if self.calls.len() == MAX_CALLS {
            return Err(ApiError::invalid("input", "at most 128 calls in a row"));
        }
        let is_open = self.messages.last().is_some_and(|m| m.role == "assistant");
        if !is_open {
            self.messages.push(Message::new("assistant", ""));
        }
        self.calls.push(MadeCall::new(id, name, arguments));
        Ok(())
    }

    fn take_output(&mut self, fields: &mut Fields<'_>) -> Result<(), ApiError> {
        let id = take_id(fields, "call_id")?;
        let output = take_content(fields, "output")?
            .ok_or_else(|| ApiError::invalid(fields.full("output"), "text"))?;
        self.say("tool", &output);
        if let Some(message) = self.messages.last_mut() {
            message.tool_call_id = Some(id);
        }
        Ok(())
    }

    fn end_calls(&mut self) {
        let calls = std::mem::take(&mut self.calls);
        if let Some(message) = self.messages.last_mut().filter(|_| !calls.is_empty()) {
            message.tool_calls = Some(calls_json(&calls));
        }
    }

    fn end(mut self) -> Vec<Message> {
        self.end_calls();
        self.messages
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(input: &str) -> Result<Vec<Message>, ApiError> {
        let body = format!(r#"{{"input":{input}}}"#);
        take_input(
            &mut Fields::of_body(body.as_bytes()).unwrap(),
            Some("be brief"),
        )
    }

    fn shown(input: &str) -> Vec<(String, String)> {
        let messages = take(input).unwrap_or_else(|error| panic!("{error:?}"));
        let pair = |m: &Message| (m.role.clone(), m.content.clone());
        messages.iter().map(pair).collect()
    }

    #[test]
    fn a_string_is_the_users() {
        let expected = [("system", "be brief"), ("user", "hi")];
        assert_eq!(
            shown(r#""hi""#),
            expected.map(|(a, b)| (a.to_owned(), b.to_owned()))
        );
    }

    #[test]
    fn items_become_messages() {
        let messages = take(
            r#"[{"role":"developer","content":[{"type":"input_text","text":"a"}]},
                {"type":"message","id":"msg_1","status":"completed","role":"assistant",
                 "content":[{"type":"output_text","text":"b","annotations":[],"logprobs":[]}]},
                {"type":"function_call","id":"fc_1","call_id":"x","name":"f","arguments":"{}","status":"completed"},
                {"type":"function_call","call_id":"y","name":"g","arguments":"{}"},
                {"type":"function_call_output","call_id":"x","output":"4"},
                {"type":"function_call_output","call_id":"y","output":[{"type":"input_text","text":"5"}]},
                {"type":"function_call","call_id":"z","name":"f","arguments":"{}"}]"#,
        )
        .ok()
        .unwrap();
        let roles: Vec<_> = messages.iter().map(|m| m.role.as_str()).collect();
        assert_eq!(
            roles,
            ["system", "system", "assistant", "tool", "tool", "assistant"]
        );
        let calls = |at: usize| messages[at].tool_calls.as_deref().unwrap();
        assert!(calls(2).contains(r#""id":"x""#) && calls(2).contains(r#""id":"y""#));
        assert!(calls(5).contains(r#""id":"z""#) && messages[5].content.is_empty());
        assert_eq!(messages[4].tool_call_id.as_deref(), Some("y"));
        assert_eq!(messages[4].content, "5");
    }

    #[test]
    fn refuses_others() {
        for (input, code) in [
            ("null", "missing_required_parameter"),
            ("5", "invalid_value"),
            ("[]", "empty_prompt"),
            (r#"[{"role":"tool","content":"x"}]"#, "invalid_value"),
            (r#"[{"role":"user"}]"#, "invalid_value"),
            (r#"[{"type":"item_reference","id":"x"}]"#, "nothing_is_kept"),
            (
                r#"[{"type":"reasoning","summary":[]}]"#,
                "unsupported_parameter",
            ),
            (
                r#"[{"type":"function_call","name":"f","arguments":""}]"#,
                "invalid_value",
            ),
            (
                r#"[{"type":"function_call_output","call_id":"x"}]"#,
                "invalid_value",
            ),
            (
                r#"[{"role":"user","content":"x","name":"n"}]"#,
                "unsupported_parameter",
            ),
            (
                r#"[{"role":"user","content":[{"type":"input_image"}]}]"#,
                "unsupported_parameter",
            ),
        ] {
            assert_eq!(take(input).err().unwrap().code, code, "{input}");
        }
    }
}
