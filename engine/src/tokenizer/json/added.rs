//! Tokens that were added to a vocabulary, and how each is found in a text.

use serde::Deserialize;

/// Number of a control and of a user-defined token (`llama_token_type`).
const CONTROL: i32 = 3;
const USER_DEFINED: i32 = 4;

#[derive(Deserialize)]
pub(super) struct Added {
    pub(super) id: u32,
    pub(super) content: String,
    special: bool,
    #[serde(default)]
    lstrip: bool,
    #[serde(default)]
    rstrip: bool,
    #[serde(default)]
    single_word: bool,
    normalized: Option<bool>,
}

impl Added {
    pub(super) fn kind(&self) -> i32 {
        match self.special {
            true => CONTROL,
            false => USER_DEFINED,
        }
    }

    /// Whether white space beside it becomes part of it, or letters beside it hide it.
    pub(super) fn takes_neighbours(&self) -> bool {
        self.lstrip || self.rstrip || self.single_word
    }

    /// Whether it is looked for once the text is normalized, and not before.
    pub(super) fn is_normalized(&self) -> bool {
        self.normalized.unwrap_or(!self.special)
    }

    /// Whether white space is a part of it: such tokens are found in no text.
    pub(super) fn has_space(&self) -> bool {
        self.content.contains(char::is_whitespace)
    }
}
