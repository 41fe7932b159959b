//! Every mistake of a document with its place, so that one reading tells them all.

use super::{PolicyError, Position};

/// Most mistakes that are told of one document; the reading goes on, the list does not grow.
const MAX_MISTAKES: usize = 100;

pub(super) struct Mistakes<'t> {
    text: &'t str,
    found: Vec<PolicyError>,
}

impl<'t> Mistakes<'t> {
    pub(super) const fn of(text: &'t str) -> Self {
        Self {
            text,
            found: Vec::new(),
        }
    }

    /// Notes the mistake that `make` describes at the byte offset `at`.
    pub(super) fn note(&mut self, at: usize, make: impl FnOnce(Position) -> PolicyError) {
        if self.found.len() < MAX_MISTAKES {
            let mistake = make(position(self.text, at));
            self.found.push(mistake);
        }
    }

    /// `value`, if nothing was noted; else what was, in the order of the text.
    pub(super) fn or<T>(mut self, value: Option<T>) -> Result<T, Vec<PolicyError>> {
        self.found.sort_by_key(PolicyError::position);
        match value {
            Some(value) if self.found.is_empty() => Ok(value),
            _ => Err(self.found),
        }
    }
}

fn position(text: &str, at: usize) -> Position {
    let before = text.get(..at).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    Position {
        line: before.matches('\n').count() + 1,
        column: before.get(line_start..).unwrap_or("").chars().count() + 1,
    }
}
