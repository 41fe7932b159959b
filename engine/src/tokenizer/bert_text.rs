//! BERT's reading of text: cleaned, Chinese characters set apart, without accents and in lower case, cut at white space and punctuation.
//!
//! It is that of Hugging Face's `BertNormalizer` and `BertPreTokenizer`, which the models were trained with.

use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};
use zeroize::Zeroizing;

/// What becomes of upper case and accents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Case {
    /// Lower case, accents taken off.
    #[default]
    Folded,
    /// Both stay.
    Kept,
}

/// `text` without control characters, Chinese characters between spaces, folded if wanted.
pub(super) fn normal(text: &str, case: Case) -> Zeroizing<String> {
    let clean = text.chars().filter(|c| !is_noise(*c)).map(plain_space);
    let apart = clean.flat_map(|c| match is_chinese(c) {
        true => [Some(' '), Some(c), Some(' ')],
        false => [Some(c), None, None],
    });
    let apart = apart.flatten();
    match case {
        Case::Kept => collected(text, apart),
        Case::Folded => {
            let bare = apart.nfd().filter(|c| !is_accent(*c));
            collected(text, bare.flat_map(char::to_lowercase))
        }
    }
}

/// Room for the worst that can become of `text`, so that it never moves: a Chinese character of three bytes gets two spaces, a
/// decomposition triples a text at most.
fn collected(text: &str, characters: impl Iterator<Item = char>) -> Zeroizing<String> {
    let mut normal = Zeroizing::new(String::with_capacity(text.len().saturating_mul(3)));
    normal.extend(characters);
    normal
}

/// The words of a normal text: punctuation characters alone, white space left out.
pub(super) fn words(normal: &str) -> impl Iterator<Item = &str> {
    normal.split_whitespace().flat_map(|word| {
        word.split_inclusive(is_punctuation)
            .flat_map(|part| match part.char_indices().next_back() {
                Some((at, last)) if is_punctuation(last) => {
                    let (before, mark) = part.split_at_checked(at).unwrap_or((part, ""));
                    [before, mark]
                }
                _ => [part, ""],
            })
            .filter(|part| !part.is_empty())
    })
}

/// NUL, the replacement character, and control characters but for tab and line ends.
fn is_noise(character: char) -> bool {
    match character {
        '\0' | '\u{fffd}' => true,
        '\t' | '\n' | '\r' => false,
        _ => matches!(
            character.general_category(),
            GeneralCategory::Control | GeneralCategory::Format | GeneralCategory::PrivateUse
        ),
    }
}

fn plain_space(character: char) -> char {
    match character.is_whitespace() {
        true => ' ',
        false => character,
    }
}

fn is_accent(character: char) -> bool {
    character.general_category() == GeneralCategory::NonspacingMark
}

fn is_punctuation(character: char) -> bool {
    character.is_ascii_punctuation()
        || character.general_category_group() == GeneralCategoryGroup::Punctuation
}

/// The blocks of ideographs that BERT sets apart.
fn is_chinese(character: char) -> bool {
    matches!(u32::from(character),
        0x4e00..=0x9fff | 0x3400..=0x4dbf | 0x2_0000..=0x2_a6df | 0x2_a700..=0x2_b73f
        | 0x2_b740..=0x2_b81f | 0x2_b920..=0x2_ceaf | 0xf900..=0xfaff | 0x2_f800..=0x2_fa1f)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<String> {
        let normal = normal(text, Case::Folded);
        words(&normal).map(str::to_owned).collect()
    }

    #[test]
    fn case_and_accents_are_folded() {
        assert_eq!(read("Café ÀÉÎ\u{301}"), ["cafe", "aei"]);
        assert_eq!(read("İ ﬁ"), ["i", "ﬁ"]);
        let kept = normal("Café", Case::Kept);
        assert_eq!(words(&kept).collect::<Vec<_>>(), ["Café"]);
    }

    #[test]
    fn punctuation_and_ideographs_stand_alone() {
        assert_eq!(read("a,b!?"), ["a", ",", "b", "!", "?"]);
        assert_eq!(read("x東京y"), ["x", "東", "京", "y"]);
        assert_eq!(read("$1「a」"), ["$", "1", "「", "a", "」"]);
    }

    #[test]
    fn control_characters_vanish_and_white_space_parts() {
        assert_eq!(read("a\u{0}b\u{200b}c\u{fffd}"), ["abc"]);
        assert_eq!(read("a\u{3000}b\tc\u{a0}d"), ["a", "b", "c", "d"]);
    }
}
