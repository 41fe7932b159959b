//! The rules of Mistral's tekken as llama.cpp has them, the first that matches: `X?U*L+|X?U+L*|\p{N}|`
//! ` ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`, where `X` is `[^\r\n\p{L}\p{N}]`, `U` any letter but `a-z`,
//! `L` any letter but `A-Z`: beyond ASCII, letters are of both cases.

use super::{
    class::{Class, class},
    llama3,
};

/// Bytes of the first piece.
pub(super) fn first(text: &str) -> usize {
    llama3::word(text, word_len)
        .or_else(|| llama3::number(text, 1))
        .or_else(|| llama3::marks(text, &['\r', '\n', '/']))
        .unwrap_or_else(|| llama3::space(text))
}

/// Bytes of the word that `letters` begin with.
fn word_len(letters: &str) -> usize {
    let upper = letters.find(|c| !is_upper(c)).unwrap_or(letters.len());
    let (head, after) = letters.split_at_checked(upper).unwrap_or((letters, ""));
    let lower = after.find(|c| !is_lower(c)).unwrap_or(after.len());
    if lower > 0 {
        return upper.saturating_add(lower);
    }
    // `L+` takes back the last letter of `U*` that is of both cases; without one, `U+` takes all.
    let both = head.char_indices().rfind(|(_, c)| is_lower(*c));
    both.map_or(upper, |(at, c)| at.saturating_add(c.len_utf8()))
}

fn is_upper(character: char) -> bool {
    class(character) == Class::Letter && !character.is_ascii_lowercase()
}

fn is_lower(character: char) -> bool {
    class(character) == Class::Letter && !character.is_ascii_uppercase()
}
