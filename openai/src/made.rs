//! What was made of one choice, in the order in which it was made, until it is told.

use engine::{FinishReason, TokenLogprobs};

/// What was made and is not told yet. No Debug: it is the answer.
#[derive(Default)]
pub struct Made {
    pub(crate) pieces: Vec<Piece>,
    /// One for each token, where they were asked for.
    pub logprobs: Vec<TokenLogprobs>,
    /// Why it ended; none while it goes on.
    pub end: Option<Finish>,
}

/// A part of an answer. No Debug.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Text; never empty.
    Text(String),
    /// The call of a tool begins; calls of one choice are numbered from 0.
    Call { number: usize, name: String },
    /// A part of the JSON of the arguments of the call that began last.
    Arguments { number: usize, json: String },
}

/// Why a choice ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    /// By itself, or at a stop string.
    Stop,
    /// At the limit.
    Length,
    /// With calls of tools.
    ToolCalls,
}

impl Made {
    /// Whether there is anything to tell.
    pub const fn is_empty(&self) -> bool {
        self.pieces.is_empty() && self.logprobs.is_empty() && self.end.is_none()
    }

    /// Adds text, to the text before it if there is some.
    pub fn push_text(&mut self, text: &str) {
        match (self.pieces.last_mut(), text) {
            (_, "") => {}
            (Some(Piece::Text(before)), text) => before.push_str(text),
            (_, text) => self.pieces.push(Piece::Text(text.to_owned())),
        }
    }

    /// Adds to the arguments of the call that began last, which is call `number`.
    pub fn push_arguments(&mut self, number: usize, text: &str) {
        match (self.pieces.last_mut(), text) {
            (_, "") => {}
            (Some(Piece::Arguments { json, .. }), text) => json.push_str(text),
            (_, text) => {
                let json = text.to_owned();
                self.pieces.push(Piece::Arguments { number, json });
            }
        }
    }

    /// All text.
    pub fn text(&self) -> String {
        let texts = self.pieces.iter().filter_map(|piece| match piece {
            Piece::Text(text) => Some(text.as_str()),
            Piece::Call { .. } | Piece::Arguments { .. } => None,
        });
        texts.collect()
    }

    /// All calls: name and arguments of each.
    pub fn calls(&self) -> Vec<(&str, String)> {
        let mut calls: Vec<(&str, String)> = Vec::new();
        for piece in &self.pieces {
            match (piece, calls.last_mut()) {
                (Piece::Call { name, .. }, _) => calls.push((name, String::new())),
                (Piece::Arguments { json, .. }, Some((_, arguments))) => arguments.push_str(json),
                (Piece::Arguments { .. } | Piece::Text(_), _) => {}
            }
        }
        calls
    }
}

impl Finish {
    /// As OpenAI's API says it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Length => "length",
            Self::ToolCalls => "tool_calls",
        }
    }

    /// Why a choice ended, of which the engine says `reason` and which made calls or none.
    pub const fn of(reason: FinishReason, calls: usize) -> Self {
        match (reason, calls) {
            (FinishReason::Length, _) => Self::Length,
            (FinishReason::Stop, 0) => Self::Stop,
            (FinishReason::Stop, _) => Self::ToolCalls,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_apart_is_told_together() {
        let mut made = Made::default();
        assert!(made.is_empty());
        made.push_text("a");
        made.push_text("");
        made.push_text("b");
        for (number, name) in ["f", "g"].into_iter().enumerate() {
            let name = name.to_owned();
            made.pieces.push(Piece::Call { number, name });
            made.push_arguments(number, "{");
            made.push_arguments(number, "}");
        }
        assert_eq!(made.pieces.len(), 5);
        assert_eq!(made.text(), "ab");
        let calls = [("f", "{}".to_owned()), ("g", "{}".to_owned())];
        assert_eq!(made.calls(), calls);
    }

    #[test]
    fn an_answer_that_was_cut_says_so_whatever_it_called() {
        assert_eq!(Finish::of(FinishReason::Stop, 0), Finish::Stop);
        assert_eq!(Finish::of(FinishReason::Stop, 2), Finish::ToolCalls);
        assert_eq!(Finish::of(FinishReason::Length, 2), Finish::Length);
    }
}
