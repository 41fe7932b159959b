//! Server-sent events as far as OpenAI's streams use them: `data:` lines, comments, blank lines. Everything else of an event is passed over.

use crate::UpstreamError;
use zeroize::Zeroizing;

/// Longest line: a chunk with 20 alternatives for its token has some 4 KiB.
const MAX_LINE_BYTES: usize = 1 << 20;

/// Lines as they become whole. No Debug: they are the answer.
#[derive(Default)]
pub(crate) struct Events {
    line: Zeroizing<Vec<u8>>,
}

impl Events {
    /// Takes bytes; gives the data of each event that became whole with them, in order.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Result<Vec<Zeroizing<Vec<u8>>>, UpstreamError> {
        let mut whole = Vec::new();
        let mut rest = bytes;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let (head, tail) = rest.split_at(end);
            self.extend(head)?;
            whole.extend(self.take_line());
            rest = tail.get(1..).unwrap_or_default();
        }
        self.extend(rest)?;
        Ok(whole)
    }

    fn extend(&mut self, bytes: &[u8]) -> Result<(), UpstreamError> {
        if self.line.len() + bytes.len() > MAX_LINE_BYTES {
            return Err(UpstreamError::TooLarge);
        }
        self.line.extend_from_slice(bytes);
        Ok(())
    }

    /// What stands behind `data:`, if the line has it.
    fn take_line(&mut self) -> Option<Zeroizing<Vec<u8>>> {
        let line = std::mem::take(&mut self.line);
        let line = line.strip_suffix(b"\r").unwrap_or(&line);
        let data = line.strip_prefix(b"data:")?;
        let data = data.strip_prefix(b" ").unwrap_or(data);
        Some(Zeroizing::new(data.to_vec()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(parts: &[&[u8]]) -> Vec<String> {
        let mut events = Events::default();
        let data = parts.iter().flat_map(|part| events.push(part).unwrap());
        data.map(|data| String::from_utf8(data.to_vec()).unwrap())
            .collect()
    }

    #[test]
    fn data_is_found_however_it_is_cut() {
        let stream =
            b": comment\r\n\r\nevent: x\ndata: one\r\n\ndata:two\n\nid: 3\ndata: [DONE]\n\n";
        let expected = ["one", "two", "[DONE]"];
        assert_eq!(all(&[stream]), expected);
        for cut in 0..stream.len() {
            let (head, tail) = stream.split_at(cut);
            assert_eq!(all(&[head, tail]), expected, "cut at {cut}");
        }
    }

    #[test]
    fn what_is_not_ended_is_not_told() {
        assert_eq!(all(&[b"data: half"]), [""; 0]);
    }

    #[test]
    fn lines_have_their_limit() {
        let mut events = Events::default();
        events.push(&vec![b'a'; MAX_LINE_BYTES]).unwrap();
        assert_eq!(events.push(b"a").err(), Some(UpstreamError::TooLarge));
    }
}
