//! What a template writes, up to a limit.

use std::io::{self, Write};

use zeroize::Zeroizing;

/// Bytes of a rendering that has no words at all.
const MAX_OWN_BYTES: usize = 1 << 20;
/// How often a template may write what it was given.
const MAX_REPEATS: usize = 8;

/// Collects a rendering and refuses to grow beyond its limit.
pub(super) struct Output {
    bytes: Zeroizing<Vec<u8>>,
    limit: usize,
}

impl Output {
    /// Room for what a template makes of `words` bytes.
    pub(super) fn for_words(words: usize) -> Self {
        Self {
            bytes: Zeroizing::default(),
            limit: words
                .saturating_mul(MAX_REPEATS)
                .saturating_add(MAX_OWN_BYTES),
        }
    }

    /// Whether a template wanted more.
    pub(super) fn is_full(&self) -> bool {
        self.limit == 0
    }

    /// The text.
    pub(super) fn into_text(mut self) -> Option<Zeroizing<String>> {
        let bytes = std::mem::take(&mut *self.bytes);
        String::from_utf8(bytes).ok().map(Zeroizing::new)
    }
}

impl Write for &mut Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() > self.limit.saturating_sub(self.bytes.len()) {
            self.limit = 0;
            return Err(io::ErrorKind::WriteZero.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
