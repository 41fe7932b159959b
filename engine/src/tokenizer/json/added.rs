//! Tokens that were added to a vocabulary, and how each is found in a text.

use serde::Deserialize;
use serde_json::Value;

/// Number of a control and of a user-defined token (`llama_token_type`).
const CONTROL: i32 = 3;
const USER_DEFINED: i32 = 4;

/// A token that was added.
#[derive(Clone, Deserialize)]
pub(in super::super) struct Added {
    pub(in super::super) id: u32,
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

/// What a token is whose entry in another file does not say whether it is special.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Unsaid {
    Ordinary,
    Special,
}

impl Added {
    /// Whether an entry of another file, which has its text, says the same of it. Flags that the entry leaves out are not set, but for
    /// `normalized`, which tokens have that are not special.
    pub(in super::super) fn is(&self, entry: &Value, unsaid: Unsaid) -> bool {
        let said = |name, default| entry.get(name).map_or(Some(default), Value::as_bool);
        let special = said("special", unsaid == Unsaid::Special);
        let normalized = said("normalized", special == Some(false));
        let flags = [
            (special, self.special),
            (normalized, self.is_normalized()),
            (said("lstrip", false), self.lstrip),
            (said("rstrip", false), self.rstrip),
            (said("single_word", false), self.single_word),
        ];
        flags.iter().all(|(said, own)| *said == Some(*own))
    }

    pub(in super::super) fn is_special(&self) -> bool {
        self.special
    }

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
