//! Tool calls that the server has taken out of the text, put back as text: `<tool_call>{"name": .., "arguments": ..}</tool_call>`, the one
//! syntax in which this engine answers ([`engine`]'s own readers know it), whatever the model's own may be.

use crate::{UpstreamError, chunk::CallDelta};
use serde_json::value::RawValue;
use std::fmt::Write as _;
use zeroize::Zeroizing;

/// Most calls of one answer, and most bytes of one's arguments.
const MAX_CALLS: usize = 128;
const MAX_ARGUMENT_BYTES: usize = 1 << 20;

/// The calls of one answer as they grow. No Debug: they are the answer.
#[derive(Default)]
pub(crate) struct ToolCalls(Vec<Call>);

#[derive(Default)]
struct Call {
    name: Zeroizing<String>,
    arguments: Zeroizing<String>,
}

impl ToolCalls {
    /// Takes a piece of a call.
    pub(crate) fn push(&mut self, delta: CallDelta) -> Result<(), UpstreamError> {
        if delta.index >= MAX_CALLS {
            return Err(UpstreamError::TooLarge);
        }
        if self.0.len() <= delta.index {
            self.0.resize_with(delta.index + 1, Call::default);
        }
        let call = self
            .0
            .get_mut(delta.index)
            .ok_or(UpstreamError::Malformed)?;
        let function = delta.function.unwrap_or_default();
        call.name.push_str(&function.name.unwrap_or_default());
        call.arguments
            .push_str(&function.arguments.unwrap_or_default());
        if call.name.len() + call.arguments.len() > MAX_ARGUMENT_BYTES {
            return Err(UpstreamError::TooLarge);
        }
        Ok(())
    }

    /// All calls as text, once the answer has ended; nothing where there are none.
    pub(crate) fn finish(&mut self) -> Result<String, UpstreamError> {
        let mut text = String::new();
        for call in std::mem::take(&mut self.0) {
            text.push_str(&call.text()?);
        }
        Ok(text)
    }
}

impl Call {
    fn text(&self) -> Result<String, UpstreamError> {
        let arguments = match self.arguments.trim() {
            "" => "{}",
            arguments => arguments,
        };
        let malformed = |_| UpstreamError::Malformed;
        let arguments: &RawValue = serde_json::from_str(arguments).map_err(malformed)?;
        let name = serde_json::to_string(&*self.name).map_err(malformed)?;
        if self.name.is_empty() || !arguments.get().starts_with('{') {
            return Err(UpstreamError::Malformed);
        }
        let mut text = String::new();
        let written = write!(
            text,
            "<tool_call>\n{{\"name\": {name}, \"arguments\": {arguments}}}\n</tool_call>\n"
        );
        written.map_err(|_| UpstreamError::Malformed)?;
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chunk::FunctionDelta;

    fn delta(index: usize, name: Option<&str>, arguments: Option<&str>) -> CallDelta {
        CallDelta {
            index,
            function: Some(FunctionDelta {
                name: name.map(str::to_owned),
                arguments: arguments.map(str::to_owned),
            }),
        }
    }

    #[test]
    fn pieces_become_calls_in_their_order() {
        let mut calls = ToolCalls::default();
        calls.push(delta(1, Some("second"), None)).unwrap();
        calls
            .push(delta(0, Some("first"), Some("{\"a\":")))
            .unwrap();
        calls.push(delta(0, None, Some("1}"))).unwrap();
        let first = "<tool_call>\n{\"name\": \"first\", \"arguments\": {\"a\":1}}\n</tool_call>\n";
        let second = "<tool_call>\n{\"name\": \"second\", \"arguments\": {}}\n</tool_call>\n";
        assert_eq!(calls.finish().unwrap(), format!("{first}{second}"));
        assert_eq!(calls.finish().unwrap(), "");
    }

    #[test]
    fn what_is_no_call_is_refused() {
        for (name, arguments) in [
            ("f", "{"),
            ("f", "[1]"),
            ("f", "1"),
            ("", "{}"),
            ("f", "{} {}"),
        ] {
            let mut calls = ToolCalls::default();
            calls.push(delta(0, Some(name), Some(arguments))).unwrap();
            assert_eq!(
                calls.finish(),
                Err(UpstreamError::Malformed),
                "{name} {arguments}"
            );
        }
        let mut calls = ToolCalls::default();
        let far = calls.push(delta(MAX_CALLS, Some("f"), None));
        assert_eq!(far, Err(UpstreamError::TooLarge));
        let long = "x".repeat(MAX_ARGUMENT_BYTES + 1);
        let long = calls.push(delta(0, Some("f"), Some(&long)));
        assert_eq!(long, Err(UpstreamError::TooLarge));
    }
}
