//! Special tokens: found only in text that the model's own template wrote.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
    ops::Range,
};

use super::{TokenizerSource, prefixes::Prefixes, source::Model, vocabulary::Vocabulary};

/// Texts of control tokens that end an answer in the model families that leave `eot_token_id` out of their files.
const END_TEXTS: [&str; 6] = [
    "<|endoftext|>",
    "<|im_end|>",
    "<|eot_id|>",
    "<|eom_id|>",
    "<|end_of_text|>",
    "<end_of_turn>",
];

/// Ends a sequence in many families, so words never become it; to Gemma 3 it is the end of struck-out text, so it ends no answer by its text.
const SEQUENCE_END: &str = "</s>";

/// A special token in a text: its bytes are `start..end`.
pub(super) struct Found {
    pub(super) id: u32,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// Finds special tokens as llama.cpp does: the longest first, of equals the leftmost.
pub(super) struct SpecialMatcher {
    /// Those that somebody's words never become.
    steering: Prefixes,
    /// Those that are text, wherever they stand: what SentencePiece calls user-defined symbols.
    symbols: Prefixes,
}

/// The longest token that fits at `start`; the greatest is the longest, of equals the leftmost.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Fit {
    len: usize,
    start: Reverse<usize>,
    id: Reverse<u32>,
    /// Bytes from `start` to the next of somebody's words.
    room: usize,
}

impl SpecialMatcher {
    /// Steering tokens with white space are never matched: a template may put a message's outer white space beside its own text.
    pub(super) fn new(vocabulary: &Vocabulary, model: Model) -> Self {
        let ends = |text: &str| text == SEQUENCE_END || END_TEXTS.contains(&text);
        let is_symbol = |id: u32, text: &str| {
            model == Model::SentencePiece && vocabulary.is_user_defined(id) && !ends(text)
        };
        let solid = |text: &str| !text.contains(char::is_whitespace);
        let steering = vocabulary.special();
        Self {
            steering: Prefixes::new(
                steering.filter(|(id, text)| !is_symbol(*id, text) && solid(text)),
            ),
            symbols: Prefixes::new(
                vocabulary
                    .special()
                    .filter(|(id, text)| is_symbol(*id, text)),
            ),
        }
    }

    /// All special tokens of `text`, in order; steering ones do not touch `words`, which are ascending and disjoint.
    pub(super) fn find_all(&self, text: &str, words: &[Range<usize>]) -> Vec<Found> {
        let mut taken: BTreeMap<usize, (usize, u32)> = BTreeMap::new();
        let mut fits = self.fits(text.as_bytes(), words);
        while let Some(fit) = fits.pop() {
            let (start, end) = (fit.start.0, fit.start.0.saturating_add(fit.len));
            let before = taken.range(..=start).next_back();
            if before.is_some_and(|(_, (end, _))| *end > start) {
                continue;
            }
            match taken.range(start..end).next().map(|(next, _)| *next) {
                None => drop(taken.insert(start, (end, fit.id.0))),
                Some(next) => {
                    let bytes = text.as_bytes().get(start..next).unwrap_or_default();
                    fits.extend(self.fit(bytes, start, fit.room));
                }
            }
        }
        let found = |(start, (end, id))| Found { id, start, end };
        taken.into_iter().map(found).collect()
    }

    /// What fits at each place of the text.
    fn fits(&self, bytes: &[u8], words: &[Range<usize>]) -> BinaryHeap<Fit> {
        let (mut words, mut at) = (words.iter().peekable(), 0);
        let mut fits = BinaryHeap::new();
        while at < bytes.len() {
            let behind = |range: &&Range<usize>| range.is_empty() || range.end <= at;
            while words.next_if(behind).is_some() {}
            let room = words.peek().map_or(bytes.len(), |range| range.start);
            let room = room.saturating_sub(at);
            if room == 0 && self.symbols.is_empty() {
                at = words.peek().map_or(bytes.len(), |range| range.end);
                continue;
            }
            fits.extend(self.fit(bytes.get(at..).unwrap_or_default(), at, room));
            at = at.saturating_add(1);
        }
        fits
    }

    /// The longest token that `bytes`, which stand at `start`, begin with.
    fn fit(&self, bytes: &[u8], start: usize, room: usize) -> Option<Fit> {
        let near = bytes.get(..room).unwrap_or(bytes);
        let steering = self.steering.of(near).last();
        let (len, id) = steering.max(self.symbols.of(bytes).last())?;
        Some(Fit {
            len,
            start: Reverse(start),
            id: Reverse(id),
            room,
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

/// Those that the source names beside them, ascending.
pub(super) fn further_ends(source: &TokenizerSource<'_>, known: &[u32]) -> Vec<u32> {
    let named = source.ends.iter().copied();
    let mut further: Vec<u32> = named.filter(|id| !known.contains(id)).collect();
    further.sort_unstable();
    further.dedup();
    further
}
