//! Bytes to characters.

use zeroize::Zeroizing;

/// How many of the last bytes begin a character that is not all there: 0 to 3.
pub(super) fn incomplete_tail(bytes: &[u8]) -> usize {
    let last = bytes.utf8_chunks().last();
    let tail = last.map_or(&[][..], |chunk| chunk.invalid());
    match std::str::from_utf8(tail) {
        Err(error) if error.error_len().is_none() => tail.len(),
        _ => 0,
    }
}

/// The text; what is no character becomes U+FFFD.
pub(super) fn lossy(bytes: &[u8]) -> String {
    // U+FFFD has three bytes: the text never outgrows this and never moves, so that no copy stays behind.
    let mut text = Zeroizing::new(String::with_capacity(bytes.len().saturating_mul(3)));
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        if !chunk.invalid().is_empty() {
            text.push(char::REPLACEMENT_CHARACTER);
        }
    }
    std::mem::take(&mut *text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_beginning_that_can_go_on_is_incomplete() {
        assert_eq!(incomplete_tail(b"a\xe2\x82"), 2);
        assert_eq!(incomplete_tail(b"\xf0\x9f\x98"), 3);
        assert_eq!(incomplete_tail("a€".as_bytes()), 0);
        assert_eq!(incomplete_tail(b"a\xff"), 0);
        assert_eq!(incomplete_tail(b"\xe2\x28"), 0);
        assert_eq!(incomplete_tail(b""), 0);
    }
}
