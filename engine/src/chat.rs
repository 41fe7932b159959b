//! Chat messages to prompt text through the template in the model file (minijinja, with fuel).
//!
//! A message must not be able to speak for the template: `<|im_end|>` typed by a user is eight ordinary tokens, never the end of his turn.
//! The rendered prompt therefore knows which of its bytes are somebody's words ([`RenderedPrompt::words`]), and the tokenizer
//! finds special tokens only outside of them.

mod conversation;
mod error;
mod folder;
mod marks;
mod output;
mod template;
mod tojson;

use std::ops::Range;

use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

pub use error::ChatError;
pub use folder::template_of;
pub use template::ChatTemplate;

/// What a template renders. No Debug. Wiped when dropped.
#[derive(Clone, Default)]
pub struct Chat {
    /// What was said, oldest first.
    pub messages: Vec<Message>,
    /// Tools that may be called: a JSON array, as OpenAI's API has it.
    pub tools: Option<Zeroizing<String>>,
}

impl From<Vec<Message>> for Chat {
    fn from(messages: Vec<Message>) -> Self {
        Self {
            messages,
            tools: None,
        }
    }
}

/// One message. No Debug: it is the prompt. Wiped when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Message {
    /// `system`, `user`, `assistant` or `tool`.
    pub role: String,
    /// Text.
    pub content: String,
    /// Calls that an assistant made: a JSON array, as OpenAI's API has it.
    pub tool_calls: Option<String>,
    /// The call that a `tool` message answers.
    pub tool_call_id: Option<String>,
}

impl Message {
    /// A message without tools.
    pub fn new(role: impl Into<String>, content: impl Into<String>) -> Self {
        Self {
            role: role.into(),
            content: content.into(),
            tool_calls: None,
            tool_call_id: None,
        }
    }
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
