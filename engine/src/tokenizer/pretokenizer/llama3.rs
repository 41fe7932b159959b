//! The rules of Llama 3, the first that matches: `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|`
//! ` ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`. Qwen 2 has `\p{N}` for `\p{N}{1,3}`.

use super::class::{Class, class, first_class, run_len, space_len};

/// Bytes of the first piece; `most` characters of a number go together.
pub(super) fn first(text: &str, most: usize) -> usize {
    contraction(text)
        .or_else(|| word(text, |letters| run_len(letters, Class::Letter)))
        .or_else(|| number(text, most))
        .or_else(|| marks(text, &['\r', '\n']))
        .unwrap_or_else(|| space(text))
}

fn contraction(text: &str) -> Option<usize> {
    let after = text.strip_prefix('\'')?.as_bytes();
    let begins = |wanted: &&str| {
        let head = after.get(..wanted.len());
        head.is_some_and(|head| head.eq_ignore_ascii_case(wanted.as_bytes()))
    };
    let found = ["s", "t", "re", "ve", "m", "ll", "d"]
        .into_iter()
        .find(begins)?;
    Some(found.len().saturating_add(1))
}

/// Letters, with one character before them that is no letter, number or line end; `letters_len` measures the letters.
pub(super) fn word(text: &str, letters_len: impl Fn(&str) -> usize) -> Option<usize> {
    let first = text.chars().next()?;
    let lead = match class(first) {
        Class::Letter => 0,
        Class::Number => return None,
        Class::Space | Class::Other if matches!(first, '\r' | '\n') => return None,
        Class::Space | Class::Other => first.len_utf8(),
    };
    let letters = text.get(lead..)?;
    (first_class(letters) == Some(Class::Letter)).then(|| lead.saturating_add(letters_len(letters)))
}

/// Up to `most` characters of a number.
pub(super) fn number(text: &str, most: usize) -> Option<usize> {
    let digits = text.chars().take_while(|c| class(*c) == Class::Number);
    let len: usize = digits.take(most).map(char::len_utf8).sum();
    (len > 0).then_some(len)
}

/// What is neither letter, number nor white space, with one space before it and any of `tail` behind it.
pub(super) fn marks(text: &str, tail: &[char]) -> Option<usize> {
    let lead = usize::from(text.starts_with(' '));
    let body = text.get(lead..)?;
    let run = run_len(body, Class::Other);
    let after = body.get(run..).filter(|_| run > 0)?;
    let tail = after
        .len()
        .saturating_sub(after.trim_start_matches(tail).len());
    Some(lead.saturating_add(run).saturating_add(tail))
}

/// White space: up to its last line end if it has one.
pub(super) fn space(text: &str) -> usize {
    let run = run_len(text, Class::Space);
    let last = text
        .get(..run)
        .and_then(|spaces| spaces.rfind(['\r', '\n']));
    last.map_or_else(|| space_len(text), |at| at.saturating_add(1))
}
