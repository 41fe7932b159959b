//! Finds the calls of tools in what a model says, as it says it.

use super::said::{self, SaidCall};
use crate::made::{Made, Piece};
use engine::ToolSyntax;
use zeroize::Zeroize;

const HERMES: (&str, &str) = ("<tool_call>", "</tool_call>");
const MISTRAL: &str = "[TOOL_CALLS]";

/// Reads one answer. What may become a call is held back; what turns out to be none is text. No Debug: it holds the answer.
#[derive(Clone)]
pub struct CallReader {
    mode: Mode,
    /// Those that can be called.
    names: Vec<String>,
    /// Most calls that are told.
    most: usize,
    held: String,
    calls: usize,
}

#[derive(Clone, PartialEq, Eq)]
enum Mode {
    /// Nothing is called.
    Text,
    /// All of it is the arguments of this function.
    Arguments(String),
    /// Calls if it begins as JSON does, else text.
    Undecided,
    /// Calls if all of it is JSON of calls, else text.
    Whole,
    /// Text, until this mark says that calls follow to the end.
    Marked(&'static str),
    /// Text, with calls between two marks.
    Between,
    /// Behind the first of the two marks.
    Inside,
}

impl Default for CallReader {
    /// Of an answer without calls.
    fn default() -> Self {
        Self::new(Mode::Text, Vec::new(), 0)
    }
}

impl Drop for CallReader {
    fn drop(&mut self) {
        self.held.zeroize();
    }
}

impl CallReader {
    const fn new(mode: Mode, names: Vec<String>, most: usize) -> Self {
        Self {
            mode,
            names,
            most,
            held: String::new(),
            calls: 0,
        }
    }

    /// Of an answer that is the arguments of `name`.
    pub(super) fn of_arguments(name: &str) -> Self {
        Self::new(Mode::Arguments(name.to_owned()), Vec::new(), 1)
    }

    /// Of an answer that is JSON of calls.
    pub(super) const fn of_json(names: Vec<String>, most: usize) -> Self {
        Self::new(Mode::Whole, names, most)
    }

    /// Of an answer that may have calls in it.
    pub(super) const fn of_syntax(syntax: ToolSyntax, names: Vec<String>, most: usize) -> Self {
        let mode = match syntax {
            ToolSyntax::Hermes => Mode::Between,
            ToolSyntax::Mistral => Mode::Marked(MISTRAL),
            ToolSyntax::Llama | ToolSyntax::Json => Mode::Undecided,
        };
        Self::new(mode, names, most)
    }

    /// How many calls there were.
    pub const fn calls(&self) -> usize {
        self.calls
    }

    /// Adds to `made` what `text` says.
    pub fn read(&mut self, text: &str, made: &mut Made) {
        match &self.mode {
            Mode::Text => return made.push_text(text),
            Mode::Arguments(name) if !text.is_empty() => {
                if self.calls == 0 {
                    let (number, name) = (0, name.clone());
                    made.pieces.push(Piece::Call { number, name });
                    self.calls = 1;
                }
                return made.push_arguments(0, text);
            }
            _ => self.held.push_str(text),
        }
        while self.step(made) {}
    }

    /// Adds to `made` what was held back.
    pub fn finish(&mut self, made: &mut Made) {
        let held = std::mem::take(&mut self.held);
        match self.mode {
            Mode::Whole | Mode::Inside => self.call_or_say(&held, made),
            // White space around calls says nothing.
            _ if self.calls > 0 => made.push_text(held.trim_end()),
            _ => made.push_text(&held),
        }
    }

    /// Takes what can be told apart now; whether there may be more.
    fn step(&mut self, made: &mut Made) -> bool {
        match self.mode {
            Mode::Text | Mode::Arguments(_) | Mode::Whole => false,
            Mode::Undecided => self.decide(),
            Mode::Marked(mark) => self.seek(mark, Mode::Whole, made),
            Mode::Between => self.seek(HERMES.0, Mode::Inside, made),
            Mode::Inside => {
                let Some((body, rest)) = self.held.split_once(HERMES.1) else {
                    return false;
                };
                let (body, rest) = (body.to_owned(), rest.to_owned());
                self.held = rest;
                self.mode = Mode::Between;
                self.call_or_say(&body, made);
                true
            }
        }
    }

    /// By the first word: JSON, or Llama's tag before it.
    fn decide(&mut self) -> bool {
        match self.held.trim_start().chars().next() {
            None => return false,
            Some('{' | '[' | '<') => self.mode = Mode::Whole,
            Some(_) => self.mode = Mode::Marked("\0"),
        }
        true
    }

    /// Tells the text before `mark`; behind it `then` begins.
    fn seek(&mut self, mark: &'static str, then: Mode, made: &mut Made) -> bool {
        if let Some((before, rest)) = self.held.split_once(mark) {
            made.push_text(before.trim_end());
            self.held = rest.to_owned();
            self.mode = then;
            return true;
        }
        let told = certain(&self.held, mark);
        made.push_text(self.held.get(..told).unwrap_or_default());
        self.held.drain(..told);
        false
    }

    fn call_or_say(&mut self, text: &str, made: &mut Made) {
        match said::calls(text, &self.names) {
            Some(calls) => calls.into_iter().for_each(|call| self.call(call, made)),
            None => made.push_text(text),
        }
    }

    fn call(&mut self, call: SaidCall, made: &mut Made) {
        if self.calls == self.most {
            return;
        }
        let (number, name) = (self.calls, call.name);
        made.pieces.push(Piece::Call { number, name });
        made.push_arguments(number, &call.arguments);
        self.calls += 1;
    }
}

/// How many bytes of `held` are text whatever comes: not the beginning of `mark` at its end, nor white space before that.
fn certain(held: &str, mark: &str) -> usize {
    let begun = (1..mark.len()).rev();
    let begun = begun.filter_map(|length| mark.get(..length));
    let text = begun
        .filter_map(|begun| held.strip_suffix(begun))
        .next()
        .unwrap_or(held);
    text.trim_end().len()
}

#[cfg(test)]
mod tests;
