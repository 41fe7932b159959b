//! Cutting runs of one kind of character out of a text.

/// Most characters of an isolated run.
pub(super) trait Limit {
    /// The limit.
    const CHARACTERS: usize;
}

/// As long as the run is.
pub(super) struct NoLimit;

impl Limit for NoLimit {
    const CHARACTERS: usize = usize::MAX;
}

/// Every character alone.
pub(super) struct Single;

impl Limit for Single {
    const CHARACTERS: usize = 1;
}

/// The first piece: the wanted characters that `text` begins with, or all before the first of them.
pub(super) fn isolate<L: Limit>(text: &str, wanted: fn(char) -> bool, _: L) -> usize {
    if !text.starts_with(wanted) {
        return text.find(wanted).unwrap_or(text.len());
    }
    let mut run = text.char_indices().take_while(|(_, c)| wanted(*c));
    let last = run.by_ref().take(L::CHARACTERS).last();
    last.map_or(0, |(at, c)| at.saturating_add(c.len_utf8()))
}

/// The first piece: three ASCII digits, or all before the first three in a row.
pub(super) fn three_digits(text: &str) -> usize {
    let digits = |three: &[u8]| three.iter().all(u8::is_ascii_digit);
    match text.as_bytes().windows(3).position(digits) {
        Some(0) => 3,
        Some(before) => before,
        None => text.len(),
    }
}
