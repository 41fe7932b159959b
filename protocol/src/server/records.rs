//! The plaintext of an answer under a padding profile: cut into records of one size, filled where nothing is left to say.
//!
//! A stream of events is filled between events with comments, which every reader of server-sent events passes over (HTML, section 9.2.6); any
//! other body is kept until its end, which is filled with BHTTP's trailing zeros (RFC 9292 section 3.8).

use crate::{
    PaddingProfile,
    padding::RECORD_LEN,
    varint::{self, Encoded},
    wipe,
};
use zeroize::Zeroizing;

/// Bytes of the length before a record's content: a two-byte varint, which 64 to 16,383 have.
const PREFIX: usize = 2;
/// Longest head of a stream: less room than 64 bytes of content beside it would need another prefix.
const MAX_STREAM_HEAD: usize = RECORD_LEN - PREFIX - 64;
/// What closes an event, and what may follow any event.
const BLANK_LINE: &[u8] = b"\n\n";
const SPACES: [u8; RECORD_LEN] = [b' '; RECORD_LEN];

/// What of an answer waits for its records. No Debug: it is the answer.
pub(super) struct Records {
    profile: PaddingProfile,
    is_stream: bool,
    /// Head in BHTTP, until the first record.
    head: Vec<u8>,
    content: Zeroizing<Vec<u8>>,
    /// Where in `content` the last whole event ends; `None` while one goes on that has begun in an earlier record.
    whole: Option<usize>,
    given: usize,
}

/// One record of a stream: head (in the first), length of the content, content, filling.
pub(super) struct Record<'a> {
    head: &'a [u8],
    prefix: Encoded,
    content: &'a [u8],
    filling: [&'static [u8]; 3],
}

impl Records {
    /// For an answer with this head, as BHTTP has it; `None` if the head of a stream leaves no room in its record.
    pub(super) fn new(profile: PaddingProfile, is_stream: bool, head: Vec<u8>) -> Option<Self> {
        (!is_stream || head.len() <= MAX_STREAM_HEAD).then(|| Self {
            profile,
            is_stream,
            head,
            content: Zeroizing::default(),
            whole: Some(0),
            given: 0,
        })
    }

    /// Takes content.
    pub(super) fn push(&mut self, part: &[u8]) {
        let seen = self.content.len().saturating_sub(1);
        wipe::append(&mut self.content, part);
        let fresh = self.content.get(seen..).unwrap_or_default();
        let end = fresh.windows(BLANK_LINE.len()).rposition(is_blank_line);
        if let Some(at) = end {
            self.whole = Some(seen + at + BLANK_LINE.len());
        }
    }

    /// The content that no record has taken yet.
    pub(super) fn waiting(&self) -> &[u8] {
        &self.content
    }

    /// Whether a flush has more to give: `default` gives whatever waits, `strict` one record each time, whether or not anything does.
    // R10.5
    pub(super) fn is_due(&self, given_by_this_flush: usize) -> bool {
        match self.profile {
            PaddingProfile::Strict => given_by_this_flush == 0,
            _ => !self.head.is_empty() || !self.content.is_empty(),
        }
    }

    /// The next record of a stream. `None` for any other body, and where an event that has not ended is in the way of the filling.
    // R10.2
    pub(super) fn next(&self) -> Option<Record<'_>> {
        let room = RECORD_LEN - PREFIX - self.head.len().min(MAX_STREAM_HEAD);
        let taken = if self.content.len() >= room {
            room
        } else {
            self.whole.filter(|&whole| self.may_fill(whole))?
        };
        self.is_stream.then_some(Record {
            head: &self.head,
            prefix: varint::encode(room as u64),
            content: self.content.get(..taken)?,
            filling: filling(room - taken),
        })
    }

    /// Nothing but filling is a record of its own under `strict` alone, or with the head.
    fn may_fill(&self, whole: usize) -> bool {
        whole > 0 || !self.head.is_empty() || self.profile == PaddingProfile::Strict
    }

    /// The record with `taken` bytes of content is out.
    pub(super) fn gave(&mut self, taken: usize) {
        self.head.clear();
        let taken = taken.min(self.content.len());
        self.content.drain(..taken);
        self.whole = self.whole.and_then(|whole| whole.checked_sub(taken));
        self.given += 1;
    }

    /// Everything that is left with `end` behind it, in whole records with zeros after it.
    // R10.4
    pub(super) fn finish(self, end: &[u8]) -> Zeroizing<Vec<u8>> {
        let prefix = varint::encode(self.content.len() as u64);
        // A length of zero would be the end, which `end` begins with.
        let prefix = if self.content.is_empty() {
            &[]
        } else {
            prefix.as_slice()
        };
        let parts = [&self.head, prefix, self.content.as_slice(), end];
        let length: usize = parts.iter().map(|part| part.len()).sum();
        let records = self
            .profile
            .last_records(self.given, length.div_ceil(RECORD_LEN));
        let mut left = Zeroizing::new(Vec::with_capacity(records * RECORD_LEN));
        parts.iter().for_each(|part| left.extend_from_slice(part));
        left.resize(records * RECORD_LEN, 0);
        left
    }
}

impl Record<'_> {
    /// What is sealed: [`RECORD_LEN`] bytes.
    pub(super) fn parts(&self) -> [&[u8]; 6] {
        let [content, first, second, third] = self.body();
        let prefix = self.prefix.as_slice();
        [self.head, prefix, content, first, second, third]
    }

    /// What of it is the body's.
    pub(super) const fn body(&self) -> [&[u8]; 4] {
        let [first, second, third] = self.filling;
        [self.content, first, second, third]
    }

    /// Bytes of the content that was pushed.
    pub(super) const fn taken(&self) -> usize {
        self.content.len()
    }
}

fn is_blank_line(window: &[u8]) -> bool {
    window == BLANK_LINE
}

/// `length` bytes that are no event: a comment of its own block, or newlines where that does not fit.
// R10.3
fn filling(length: usize) -> [&'static [u8]; 3] {
    match length {
        0 => [b"", b"", b""],
        1 => [b"\n", b"", b""],
        2 => [BLANK_LINE, b"", b""],
        _ => [
            b":",
            SPACES.get(..length - 3).unwrap_or_default(),
            BLANK_LINE,
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// R10.3.
    #[test]
    fn fillings_have_the_length_that_was_asked_for() {
        for length in 0..RECORD_LEN {
            assert_eq!(filling(length).concat().len(), length);
        }
        assert_eq!(filling(5).concat(), b":  \n\n");
    }

    #[test]
    fn a_stream_whose_head_fills_a_record_is_refused() {
        let records = |is_stream, length| {
            Records::new(PaddingProfile::Default, is_stream, vec![1; length]).is_some()
        };
        assert!(records(true, MAX_STREAM_HEAD));
        assert!(!records(true, MAX_STREAM_HEAD + 1));
        assert!(records(false, 10_000));
    }

    #[test]
    fn nothing_is_filled_within_an_event() {
        for profile in [PaddingProfile::Default, PaddingProfile::Strict] {
            let mut records = Records::new(profile, true, Vec::new()).unwrap();
            records.push(b"data: a\n\ndata: b");
            let record = records.next().unwrap();
            let (content, taken) = (record.body().concat(), record.taken());
            assert!(content.starts_with(b"data: a\n\n:  "));
            records.gave(taken);
            assert_eq!(records.waiting(), b"data: b");
            records.push(&[b'b'; 600]);
            records.gave(510);
            assert!(records.next().is_none(), "the event has not ended");
            records.push(b"\n\n");
            assert!(records.next().is_some());
        }
    }
}
