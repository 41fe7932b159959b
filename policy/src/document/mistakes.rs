//! Every mistake of a document with its place, so that one reading tells them all.

use super::{PolicyError, Position};
use std::cell::OnceCell;

/// Most mistakes that are told of one document; the reading goes on, the list does not grow.
const MAX_MISTAKES: usize = 100;

/// The mistakes found so far in one text.
pub(crate) struct Mistakes<'t> {
    text: &'t str,
    /// Where each line begins; nobody counts lines before the first mistake.
    lines: OnceCell<Vec<usize>>,
    found: Vec<PolicyError>,
}

impl<'t> Mistakes<'t> {
    pub(crate) const fn of(text: &'t str) -> Self {
        Self {
            text,
            lines: OnceCell::new(),
            found: Vec::new(),
        }
    }

    /// The text.
    pub(crate) const fn text(&self) -> &'t str {
        self.text
    }

    /// Notes the mistake that `make` describes at the byte offset `at`.
    pub(crate) fn note(&mut self, at: usize, make: impl FnOnce(Position) -> PolicyError) {
        if self.found.len() < MAX_MISTAKES {
            let mistake = make(self.position(at));
            self.found.push(mistake);
        }
    }

    /// `value`, if nothing was noted; else what was, in the order of the text.
    pub(crate) fn or<T>(mut self, value: Option<T>) -> Result<T, Vec<PolicyError>> {
        self.found.sort_by_key(PolicyError::position);
        match value {
            Some(value) if self.found.is_empty() => Ok(value),
            _ => Err(self.found),
        }
    }

    /// Line and column of a byte offset.
    pub(crate) fn position(&self, at: usize) -> Position {
        let lines = self.lines.get_or_init(|| line_starts(self.text));
        let line = lines.partition_point(|start| *start <= at);
        let start = line.checked_sub(1).and_then(|line| lines.get(line));
        let before = start.and_then(|start| self.text.get(*start..at));
        Position {
            line,
            column: before.unwrap_or("").chars().count() + 1,
        }
    }
}

fn line_starts(text: &str) -> Vec<usize> {
    let ends = text.match_indices('\n');
    [0].into_iter()
        .chain(ends.map(|(end, _)| end + 1))
        .collect()
}
