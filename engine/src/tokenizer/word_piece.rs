//! WordPiece (`bert`): a word becomes the longest token that it begins with, then the longest continuation, and so on.
//!
//! The first token of a word is spelled with U+2581 before it, a continuation as it is (`##ing` of `vocab.txt` is `ing`).

use zeroize::Zeroizing;

use super::{
    bert_text,
    bert_text::Case,
    prefixes::Prefixes,
    vocabulary::{SPACE, Vocabulary},
};

/// A word of more characters is unknown.
const MAX_WORD_CHARACTERS: usize = 100;

/// Ordinary tokens of a model, and the one for unknown words.
pub(super) struct WordPiece {
    tokens: Prefixes,
    unknown: u32,
    case: Case,
}

impl WordPiece {
    pub(super) fn new(unknown: u32, case: Case, vocabulary: &Vocabulary) -> Self {
        Self {
            tokens: Prefixes::new(vocabulary.normals()),
            unknown,
            case,
        }
    }

    /// Appends the tokens of `text`, until there are more than `most`.
    pub(super) fn encode(&self, text: &str, ids: &mut Vec<u32>, most: usize) {
        let normal = bert_text::normal(text, self.case);
        for word in bert_text::words(&normal) {
            if ids.len() > most {
                return;
            }
            self.encode_word(word, ids);
        }
    }

    /// A word that has no tokens to its very end is unknown.
    fn encode_word(&self, word: &str, ids: &mut Vec<u32>) {
        let before = ids.len();
        let mut spelled = Zeroizing::new(String::with_capacity(
            word.len().saturating_add(SPACE.len()),
        ));
        spelled.push_str(SPACE);
        spelled.push_str(word);
        let mut rest = spelled.as_bytes();
        while !rest.is_empty() {
            // A word may have U+2581 itself, which begins no continuation.
            let begins = rest.len() == spelled.len() || !rest.starts_with(SPACE.as_bytes());
            let longest = self.tokens.of(rest).last();
            let Some((len, id)) = longest.filter(|_| begins && is_short(word)) else {
                ids.truncate(before);
                ids.push(self.unknown);
                return;
            };
            ids.push(id);
            rest = rest.get(len..).unwrap_or_default();
        }
    }
}

fn is_short(word: &str) -> bool {
    word.chars().nth(MAX_WORD_CHARACTERS).is_none()
}
