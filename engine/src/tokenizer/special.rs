//! Special tokens: found only in text that the model's own template wrote.

use std::ops::Range;

use super::{TokenizerSource, vocabulary::Vocabulary};

/// Texts of control tokens that end an answer in the model families that leave `eot_token_id` out of their files.
const END_TEXTS: [&str; 4] = [
    "<|endoftext|>",
    "<|im_end|>",
    "<|eot_id|>",
    "<|end_of_text|>",
];

/// A special token in a text: its bytes are `start..end`.
pub(super) struct Found {
    pub(super) id: u32,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// Finds special tokens; the leftmost wins, of those that start together the longest.
pub(super) struct SpecialMatcher {
    /// Longest first.
    tokens: Vec<(Vec<u8>, u32)>,
    starts: [bool; 256],
}

impl SpecialMatcher {
    /// Tokens with white space are never matched: a template may put a message's outer white space beside its own text.
    pub(super) fn new(vocabulary: &Vocabulary) -> Self {
        let solid = |(_, text): &(u32, &str)| !text.contains(char::is_whitespace);
        let special = vocabulary.special().filter(solid);
        let mut tokens: Vec<_> = special.map(|(id, t)| (t.as_bytes().to_vec(), id)).collect();
        tokens.sort_by_key(|(text, _)| std::cmp::Reverse(text.len()));
        let mut starts = [false; 256];
        for first in tokens.iter().filter_map(|(text, _)| text.first()) {
            if let Some(slot) = starts.get_mut(usize::from(*first)) {
                *slot = true;
            }
        }
        Self { tokens, starts }
    }

    /// All special tokens of `text` that do not touch `words`, in order. `words` are ascending and disjoint.
    pub(super) fn find_all(&self, text: &str, words: &[Range<usize>]) -> Vec<Found> {
        let (bytes, mut words, mut at) = (text.as_bytes(), words.iter().peekable(), 0);
        let mut found = Vec::new();
        while at < bytes.len() {
            let behind = |range: &&Range<usize>| range.is_empty() || range.end <= at;
            while words.next_if(behind).is_some() {}
            let limit = words.peek().map_or(bytes.len(), |range| range.start);
            if limit <= at {
                at = words.peek().map_or(bytes.len(), |range| range.end);
                continue;
            }
            let hit = self.longest_at(bytes.get(at..limit).unwrap_or_default(), at);
            at = hit.as_ref().map_or(at.saturating_add(1), |hit| hit.end);
            found.extend(hit);
        }
        found
    }

    fn longest_at(&self, bytes: &[u8], at: usize) -> Option<Found> {
        let first = usize::from(*bytes.first()?);
        if !self.starts.get(first).copied().unwrap_or(false) {
            return None;
        }
        let (text, id) = self.tokens.iter().find(|(t, _)| bytes.starts_with(t))?;
        Some(Found {
            id: *id,
            start: at,
            end: at.saturating_add(text.len()),
        })
    }
}

/// The tokens that end an answer: those the metadata names, and control tokens known by their text.
pub(super) fn end_tokens(source: &TokenizerSource<'_>, vocabulary: &Vocabulary) -> Vec<u32> {
    let named = [source.eos, source.eot, source.eom].into_iter().flatten();
    let known = vocabulary
        .special()
        .filter(|(_, text)| END_TEXTS.contains(text));
    let mut ends: Vec<u32> = named.chain(known.map(|(id, _)| id)).collect();
    ends.sort_unstable();
    ends.dedup();
    ends
}
