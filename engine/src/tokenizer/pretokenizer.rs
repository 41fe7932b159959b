//! The pre-tokenizer `smollm`: every number character alone, then GPT-2's rules on what lies between.
//!
//! GPT-2's rules, the first that matches: `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`.
//! Because numbers are cut out first, a number ends what comes before it like the end of the text does.

use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

const CONTRACTIONS: [&str; 7] = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Letter,
    Number,
    Space,
    Other,
}

/// The pieces of `text`, in order, without gaps.
pub(super) fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (piece, after) = rest.split_at_checked(piece_len(rest))?;
        rest = after;
        (!piece.is_empty()).then_some(piece)
    })
}

/// Bytes of the first piece; 0 only for an empty text.
fn piece_len(text: &str) -> usize {
    let Some(first) = text.chars().next() else {
        return 0;
    };
    if let Some(contraction) = CONTRACTIONS.iter().find(|c| text.starts_with(**c)) {
        return contraction.len();
    }
    let lead = usize::from(first == ' ');
    let body = text.get(lead..).unwrap_or_default();
    match body.chars().next().map(class) {
        Some(word @ (Class::Letter | Class::Other)) => lead.saturating_add(run_len(body, word)),
        Some(Class::Number) if lead == 0 => first.len_utf8(),
        _ => space_len(text),
    }
}

/// Bytes of the characters of one class that `text` begins with.
fn run_len(text: &str, wanted: Class) -> usize {
    text.find(|c| class(c) != wanted).unwrap_or(text.len())
}

/// White space up to a word leaves its last character to the word.
fn space_len(text: &str) -> usize {
    let run = run_len(text, Class::Space);
    let (spaces, after) = text.split_at_checked(run).unwrap_or((text, ""));
    let last = spaces.chars().next_back().map_or(0, char::len_utf8);
    match after.chars().next().map(class) {
        None | Some(Class::Number) => run,
        Some(_) if run == last => run,
        Some(_) => run.saturating_sub(last),
    }
}

fn class(character: char) -> Class {
    if character.is_whitespace() {
        return Class::Space;
    }
    match character.general_category_group() {
        GeneralCategoryGroup::Letter => Class::Letter,
        GeneralCategoryGroup::Number => Class::Number,
        _ => Class::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> Vec<&str> {
        pieces(text).collect()
    }

    #[test]
    fn words_take_one_space() {
        assert_eq!(cut("a  b\n c"), ["a", " ", " b", "\n", " c"]);
        assert_eq!(cut(" a!? b"), [" a", "!?", " b"]);
    }

    #[test]
    fn numbers_stand_alone() {
        assert_eq!(cut("a12 3"), ["a", "1", "2", " ", "3"]);
        assert_eq!(cut("x   ½"), ["x", "   ", "½"]);
    }

    #[test]
    fn contractions_are_lower_case_and_ascii() {
        assert_eq!(cut("I'll 'S"), ["I", "'ll", " '", "S"]);
    }

    #[test]
    fn trailing_space_stays_whole() {
        assert_eq!(cut("a \n\n"), ["a", " \n\n"]);
    }
}
