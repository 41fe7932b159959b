//! Server-sent events: whole ones pass as they come, but the one that says "complete" waits for the authenticated end.

use crate::SessionError;

const MAX_EVENT_BYTES: usize = 1024 * 1024;

/// `data: [DONE]` and whatever follows it, kept until the end is authenticated.
#[derive(Default)]
pub(crate) struct Held {
    rest: Vec<u8>,
    tail: Vec<u8>,
}

impl Held {
    /// What may be shown now; nothing if no event is whole yet.
    pub(crate) fn pass(&mut self, part: &[u8]) -> Result<Vec<u8>, SessionError> {
        let kept = self.rest.len() + self.tail.len();
        if part.len() > MAX_EVENT_BYTES.saturating_sub(kept) {
            return Err(SessionError::AnswerTooLarge(MAX_EVENT_BYTES));
        }
        self.rest.extend_from_slice(part);
        let mut passed = Vec::new();
        while let Some(end) = event_end(&self.rest) {
            let rest = self.rest.split_off(end);
            let event = std::mem::replace(&mut self.rest, rest);
            let is_held = !self.tail.is_empty() || is_done(&event);
            let to = if is_held { &mut self.tail } else { &mut passed };
            to.extend(event);
        }
        Ok(passed)
    }

    /// What was held, once the end is authenticated.
    pub(crate) fn release(&mut self) -> Vec<u8> {
        let mut tail = std::mem::take(&mut self.tail);
        tail.append(&mut self.rest);
        tail
    }
}

/// Whether this event tells a reader of the OpenAI API that the answer is complete.
fn is_done(event: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(event) else {
        return false;
    };
    let mut values = text.lines().filter_map(|line| line.strip_prefix("data:"));
    values.any(|value| value.trim_start().starts_with("[DONE]"))
}

/// One past the first blank line.
fn event_end(bytes: &[u8]) -> Option<usize> {
    let ends = [b"\n\n".as_slice(), b"\r\n\r\n", b"\r\r"];
    let ends = ends.into_iter().filter_map(|end| one_past(bytes, end));
    ends.min()
}

fn one_past(bytes: &[u8], pattern: &[u8]) -> Option<usize> {
    let at = bytes
        .windows(pattern.len())
        .position(|window| window == pattern)?;
    Some(at + pattern.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn done_waits_for_the_end_however_the_bytes_are_cut() {
        let stream = b"data: {\"a\":1}\n\n: padding\r\n\r\ndata: [DONE]\n\n: more\n\nrest";
        let before = b"data: {\"a\":1}\n\n: padding\r\n\r\n";
        for cut in 0..stream.len() {
            let mut held = Held::default();
            let mut passed = held.pass(&stream[..cut]).unwrap();
            passed.extend(held.pass(&stream[cut..]).unwrap());
            assert_eq!(passed, before, "cut at {cut}");
            assert_eq!(held.release(), &stream[before.len()..], "cut at {cut}");
            assert_eq!(held.release(), b"");
        }
    }

    #[test]
    fn whatever_a_reader_takes_for_done_is_held() {
        for done in [
            "data: [DONE]\n\n",
            "data:[DONE]\r\n\r\n",
            "data: [DONE]\r\r",
            "event: x\ndata:   [DONE] \n\n",
        ] {
            assert_eq!(
                Held::default().pass(done.as_bytes()).unwrap(),
                b"",
                "{done:?}"
            );
        }
        let not = b"data: {\"text\":\"[DONE]\"}\n\n";
        assert_eq!(Held::default().pass(not).unwrap(), not);
    }

    #[test]
    fn an_endless_event_is_refused() {
        let mut held = Held::default();
        assert!(held.pass(&vec![b'a'; MAX_EVENT_BYTES]).is_ok());
        let error = held.pass(b"a").unwrap_err();
        assert_eq!(error.code(), "channel.answer_too_large");
    }
}
