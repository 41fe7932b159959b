//! Chat messages to prompt text through the template in the model file (minijinja, with fuel).
//!
//! A message must not be able to speak for the template: `<|im_end|>` typed by a user is eight ordinary tokens, never the end of his turn.
//! The rendered prompt therefore knows which of its bytes are somebody's words ([`RenderedPrompt::words`]), and the tokenizer
//! finds special tokens only outside of them.

mod error;
mod marks;
mod template;

use std::ops::Range;

use zeroize::{Zeroize, ZeroizeOnDrop};

pub use error::ChatError;
pub use template::ChatTemplate;

/// One message. No Debug: it is the prompt. Wiped when dropped.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Message {
    /// `system`, `user`, `assistant` or `tool`.
    pub role: String,
    /// Text.
    pub content: String,
}

/// A prompt as the template wrote it. No Debug. Wiped when dropped.
pub struct RenderedPrompt {
    text: String,
    words: Vec<Range<usize>>,
}

impl RenderedPrompt {
    /// The whole prompt.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Byte ranges of the text that came from messages, ascending and disjoint.
    pub fn words(&self) -> &[Range<usize>] {
        &self.words
    }
}

impl Drop for RenderedPrompt {
    fn drop(&mut self) {
        self.text.zeroize();
    }
}
