//! Unicode normalization of ordinary text before it is cut into pieces.
//!
//! `tokenizer.json` asks for it in its normalizer. Model files have no word for it, and llama.cpp does none.

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};
use zeroize::Zeroizing;

/// How equal characters that can be written in several ways are written before text becomes tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Normalization {
    /// As they stand.
    #[default]
    AsWritten,
    /// Composed: Unicode's NFC.
    Composed,
}

impl Normalization {
    /// `text` in this form; none: it is in it already.
    pub(super) fn changed(self, text: &str) -> Option<Zeroizing<String>> {
        let quick = || is_nfc_quick(text.chars());
        match self {
            Self::Composed if quick() != IsNormalized::Yes => Some(composed(text)),
            _ => None,
        }
    }

    /// How many times longer it makes a text at most.
    pub(super) fn growth(self) -> usize {
        match self {
            Self::AsWritten => 1,
            Self::Composed => 3,
        }
    }

    /// Bytes that are left of a text of `len` at least. U+0390 of two bytes can be written in seven; nothing shrinks more.
    pub(super) fn least_len(self, len: usize) -> usize {
        match self {
            Self::AsWritten => len,
            Self::Composed => len.div_ceil(4),
        }
    }
}

/// Made with room for the longest that can become of `text`, so that it never moves and leaves no copy behind.
fn composed(text: &str) -> Zeroizing<String> {
    let room = text.len().saturating_mul(Normalization::Composed.growth());
    let mut composed = Zeroizing::new(String::with_capacity(room));
    composed.extend(text.nfc());
    composed
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn changed(text: &str) -> Option<String> {
        let changed = Normalization::Composed.changed(text);
        changed.map(|changed| changed.as_str().to_owned())
    }

    fn every_character() -> impl Iterator<Item = char> {
        '\0'..=char::MAX
    }

    fn apart(character: char) -> impl Iterator<Item = char> {
        std::iter::once(character).nfd()
    }

    #[test]
    fn characters_are_composed() {
        assert_eq!(changed("e\u{301}").as_deref(), Some("é"));
        assert_eq!(changed("\u{1112}\u{1161}\u{11ab}").as_deref(), Some("한"));
        assert_eq!(changed("a\u{315}\u{300}").as_deref(), Some("à\u{315}"));
        assert_eq!(changed("\u{212b}").as_deref(), Some("Å"));
        assert_eq!(changed("é한a"), None);
        assert!(Normalization::AsWritten.changed("e\u{301}").is_none());
    }

    #[test]
    fn no_character_grows_beyond_the_room() {
        let len = |c: char| std::iter::once(c).nfc().map(char::len_utf8).sum::<usize>();
        let most = Normalization::Composed.growth();
        assert!(every_character().all(|c| len(c) <= most * c.len_utf8()));
        assert!(every_character().any(|c| len(c) == most * c.len_utf8()));
    }

    /// Each character is as short as it can be, and its parts are as long as they can be.
    #[test]
    fn no_text_shrinks_beyond_the_least() {
        let mut longest: HashMap<char, usize> = HashMap::new();
        for character in every_character() {
            let mut parts = apart(character);
            if let (Some(part), None) = (parts.next(), parts.next()) {
                let longest = longest.entry(part).or_default();
                *longest = character.len_utf8().max(*longest);
            }
        }
        let written = |c: char| apart(c).map(|part| longest[&part]).sum::<usize>();
        let least = |c: char| Normalization::Composed.least_len(written(c));
        assert!(every_character().all(|c| c.len_utf8() <= written(c)));
        assert!(every_character().all(|c| least(c) <= c.len_utf8()));
    }
}
