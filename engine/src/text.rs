//! Answer bytes to text that can be sent: whole characters only, and never part of a stop string.

mod stop;
mod utf8;

use zeroize::Zeroize;

pub use stop::StopError;

use stop::StopStrings;

/// What became certain with the bytes of one token.
pub struct Assembled {
    /// Text to send.
    pub text: String,
    /// Whether a stop string was completed: nothing more is to come.
    pub stopped: bool,
}

/// Assembles one answer. No Debug; wiped when dropped.
///
/// Bytes that may still become a stop string, and a character of which bytes are missing, are held back. Which text comes
/// out in the end does not depend on how the bytes were cut into tokens: the stop string that is completed first wins, of
/// those completed by the same byte the longest.
pub struct TextAssembler {
    stop: StopStrings,
    held: Vec<u8>,
}

impl TextAssembler {
    /// An assembler with these stop strings, none of them empty.
    pub fn new(stop: &[Vec<u8>]) -> Result<Self, StopError> {
        let stop = StopStrings::new(stop)?;
        let held = Vec::new();
        Ok(Self { stop, held })
    }

    /// Adds the bytes of a token. Once stopped, more bytes change nothing.
    pub fn push(&mut self, bytes: &[u8]) -> Assembled {
        for byte in bytes {
            if self.stop.is_complete() {
                break;
            }
            self.held.push(*byte);
            self.stop.push(*byte);
        }
        match self.stop.is_complete() {
            true => self.cut_stop_string(),
            false => self.release(),
        }
    }

    /// The end without a stop string: all that was held back. Bytes that are no character become U+FFFD.
    pub fn finish(&mut self) -> String {
        let text = utf8::lossy(&self.held);
        self.held.zeroize();
        text
    }

    fn cut_stop_string(&mut self) -> Assembled {
        let keep = self.held.len().saturating_sub(self.stop.matched());
        let text = utf8::lossy(self.held.get(..keep).unwrap_or_default());
        self.held.zeroize();
        let stopped = true;
        Assembled { text, stopped }
    }

    fn release(&mut self) -> Assembled {
        let certain = self.held.len().saturating_sub(self.stop.matched());
        let ready = self.held.get(..certain).unwrap_or_default();
        let whole = ready.len().saturating_sub(utf8::incomplete_tail(ready));
        let text = utf8::lossy(ready.get(..whole).unwrap_or_default());
        self.held.drain(..whole);
        let stopped = false;
        Assembled { text, stopped }
    }
}

impl Drop for TextAssembler {
    fn drop(&mut self) {
        self.held.zeroize();
    }
}
