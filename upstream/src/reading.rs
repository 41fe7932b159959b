//! The bytes of a server's stream, read as steps.

use crate::{UpstreamError, chunk::Chunk, events::Events, tool_calls::ToolCalls};
use engine::{FinishReason, Step, Usage};

/// Most bytes of one answer.
const MAX_ANSWER_BYTES: usize = 256 << 20;
/// Ends the stream.
const DONE: &[u8] = b"[DONE]";

/// One answer as its bytes come, which may be cut anywhere. No Debug: it is the answer.
pub struct Reading {
    events: Events,
    calls: ToolCalls,
    reason: Option<FinishReason>,
    usage: Option<Usage>,
    bytes_left: usize,
    has_ended: bool,
}

impl Default for Reading {
    fn default() -> Self {
        Self {
            events: Events::default(),
            calls: ToolCalls::default(),
            reason: None,
            usage: None,
            bytes_left: MAX_ANSWER_BYTES,
            has_ended: false,
        }
    }
}

impl Reading {
    /// Takes more bytes; adds to `steps` what became certain with them, [`Step::Done`] last. Behind the end nothing is read.
    pub fn push(&mut self, bytes: &[u8], steps: &mut Vec<Step>) -> Result<(), UpstreamError> {
        let left = self.bytes_left.checked_sub(bytes.len());
        self.bytes_left = left.ok_or(UpstreamError::TooLarge)?;
        for data in self.events.push(bytes)? {
            match data.as_slice() {
                _ if self.has_ended => return Ok(()),
                DONE => steps.push(self.end()?),
                data => self.event(data, steps)?,
            }
        }
        Ok(())
    }

    /// Whether the end was read.
    pub const fn has_ended(&self) -> bool {
        self.has_ended
    }

    fn event(&mut self, data: &[u8], steps: &mut Vec<Step>) -> Result<(), UpstreamError> {
        let chunk = Chunk::parse(data)?;
        if self.reason.is_some() && !(chunk.text.is_empty() && chunk.calls.is_empty()) {
            return Err(UpstreamError::Malformed);
        }
        self.reason = self.reason.or(chunk.reason);
        self.usage = chunk.usage.or(self.usage);
        for delta in chunk.calls {
            self.calls.push(delta)?;
        }
        let (mut text, mut logprobs) = (chunk.text, chunk.logprobs.into_iter().peekable());
        while !text.is_empty() || logprobs.peek().is_some() {
            steps.push(Step::Token {
                id: None,
                text: std::mem::take(&mut text),
                logprobs: logprobs.next(),
            });
        }
        Ok(())
    }

    /// The end is one only with a reason and the counts, which are demanded in every request.
    fn end(&mut self) -> Result<Step, UpstreamError> {
        let reason = self.reason.ok_or(UpstreamError::Truncated)?;
        let usage = self.usage.ok_or(UpstreamError::Malformed)?;
        let text = self.calls.finish()?;
        self.has_ended = true;
        Ok(Step::Done {
            reason,
            text,
            usage,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n\
        data: {\"choices\":[{\"delta\":{\"content\":\"b\"},\"finish_reason\":\"stop\"}]}\n\n\
        data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2}}\n\n\
        data: [DONE]\n\ndata: nonsense\n\n";

    /// The text, and the counts if the end came.
    fn read(parts: &[&[u8]]) -> Result<(String, Option<Usage>), UpstreamError> {
        let (mut reading, mut steps) = (Reading::default(), Vec::new());
        for part in parts {
            reading.push(part, &mut steps)?;
        }
        let (mut all, mut counts) = (String::new(), None);
        for step in steps {
            match step {
                Step::Token { text, .. } => all += &text,
                Step::Done { usage, .. } => counts = Some(usage),
                Step::Begun { .. } | Step::Refused(_) => {}
            }
        }
        assert_eq!(counts.is_some(), reading.has_ended());
        Ok((all, counts))
    }

    #[test]
    fn cuts_change_nothing_and_what_follows_the_end_is_not_read() {
        let usage = Usage {
            prompt_tokens: 3,
            cached_tokens: 0,
            completion_tokens: 2,
        };
        let expected = Ok(("ab".to_owned(), Some(usage)));
        for cut in 0..STREAM.len() {
            let (head, tail) = STREAM.as_bytes().split_at(cut);
            assert_eq!(read(&[head, tail]), expected, "cut at {cut}");
        }
    }

    #[test]
    fn an_end_without_a_reason_or_counts_is_none() {
        assert_eq!(read(&[b"data: [DONE]\n"]), Err(UpstreamError::Truncated));
        let ended = STREAM.replace("\"usage\"", "\"others\"");
        assert_eq!(read(&[ended.as_bytes()]), Err(UpstreamError::Malformed));
    }
}
