//! What kinds of characters the rules tell apart.

use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Letter,
    Number,
    Space,
    Other,
}

pub(super) fn class(character: char) -> Class {
    if character.is_ascii() {
        return ascii_class(character);
    }
    if character.is_whitespace() {
        return Class::Space;
    }
    match character.general_category_group() {
        GeneralCategoryGroup::Letter => Class::Letter,
        GeneralCategoryGroup::Number => Class::Number,
        _ => Class::Other,
    }
}

fn ascii_class(character: char) -> Class {
    match character {
        'A'..='Z' | 'a'..='z' => Class::Letter,
        '0'..='9' => Class::Number,
        ' ' | '\t'..='\r' => Class::Space,
        _ => Class::Other,
    }
}

/// Class of the first character.
pub(super) fn first_class(text: &str) -> Option<Class> {
    text.chars().next().map(class)
}

/// Bytes of the characters of one class that `text` begins with.
pub(super) fn run_len(text: &str, wanted: Class) -> usize {
    text.find(|c| class(c) != wanted).unwrap_or(text.len())
}

/// Bytes of the white space that `text` begins with; up to a word, all but its last character, which goes to the word.
pub(super) fn space_len(text: &str) -> usize {
    let run = run_len(text, Class::Space);
    let (spaces, after) = text.split_at_checked(run).unwrap_or((text, ""));
    let last = spaces.chars().next_back().map_or(0, char::len_utf8);
    match after.is_empty() || run == last {
        true => run,
        false => run.saturating_sub(last),
    }
}

pub(super) fn is_number(character: char) -> bool {
    class(character) == Class::Number
}

/// Punctuation, and the ASCII symbols that the rules of `default` put with it.
pub(super) fn is_marked(character: char) -> bool {
    matches!(character, '$' | '+' | '<' | '=' | '>' | '^' | '~' | '|')
        || character.general_category_group() == GeneralCategoryGroup::Punctuation
}
