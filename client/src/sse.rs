//! Server-sent events cut at their blank lines, so that an event is passed on whole or not at all.

use crate::ClientError;

const MAX_EVENT_BYTES: usize = 1024 * 1024;

/// Collects bytes, gives whole events.
#[derive(Default)]
pub(crate) struct Events {
    rest: Vec<u8>,
}

impl Events {
    /// The events that `bytes` complete, each with its closing blank line.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Result<Vec<Vec<u8>>, ClientError> {
        if bytes.len() > MAX_EVENT_BYTES.saturating_sub(self.rest.len()) {
            return Err(ClientError::AnswerTooLarge(MAX_EVENT_BYTES));
        }
        self.rest.extend_from_slice(bytes);
        let mut events = Vec::new();
        while let Some(end) = event_end(&self.rest) {
            let tail = self.rest.split_off(end);
            events.push(std::mem::replace(&mut self.rest, tail));
        }
        Ok(events)
    }

    /// What came after the last whole event.
    pub(crate) fn into_rest(self) -> Vec<u8> {
        self.rest
    }
}

/// The text after `data:` of an event, if it has one such line.
pub(crate) fn data(event: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(event).ok()?;
    let line = text.lines().find(|line| line.starts_with("data:"))?;
    Some(line.trim_start_matches("data:").trim())
}

/// Whether this event tells a reader of the OpenAI API that the answer is complete.
pub(crate) fn is_done(event: &[u8]) -> bool {
    data(event) == Some("[DONE]")
}

/// One past the first blank line.
fn event_end(bytes: &[u8]) -> Option<usize> {
    let lf = position(bytes, b"\n\n").map(|at| at + 2);
    let crlf = position(bytes, b"\r\n\r\n").map(|at| at + 4);
    match (lf, crlf) {
        (Some(lf), Some(crlf)) => Some(lf.min(crlf)),
        (lf, crlf) => lf.or(crlf),
    }
}

fn position(bytes: &[u8], pattern: &[u8]) -> Option<usize> {
    bytes
        .windows(pattern.len())
        .position(|window| window == pattern)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_whole_however_the_bytes_are_cut() {
        let stream = b"data: {\"a\":1}\n\n: padding\n\ndata: [DONE]\r\n\r\nrest";
        for cut in 0..stream.len() {
            let mut events = Events::default();
            let mut all = events.push(&stream[..cut]).unwrap();
            all.extend(events.push(&stream[cut..]).unwrap());
            assert_eq!(all.len(), 3, "cut at {cut}");
            assert_eq!(data(&all[0]), Some("{\"a\":1}"));
            assert_eq!(data(&all[1]), None);
            assert!(is_done(&all[2]) && !is_done(&all[0]));
            assert_eq!(events.into_rest(), b"rest");
        }
    }

    #[test]
    fn an_endless_event_is_refused() {
        let mut events = Events::default();
        assert!(events.push(&vec![b'a'; MAX_EVENT_BYTES]).is_ok());
        let error = events.push(b"a").unwrap_err();
        assert_eq!(error.code(), "channel.answer_too_large");
    }
}
