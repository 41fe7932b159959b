//! Stop strings as byte-matching automata (Knuth, Morris, Pratt): linear in the answer whatever it holds.

use zeroize::{Zeroize, ZeroizeOnDrop};

/// Most stop strings of a job.
const MAX_STRINGS: usize = 16;
/// Most bytes of a stop string.
const MAX_BYTES: usize = 4096;

/// Why stop strings were refused; `code()` is stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StopError {
    /// Too many.
    #[error("more than {MAX_STRINGS} stop strings")]
    Count,
    /// Empty or too long.
    #[error("a stop string is empty or longer than {MAX_BYTES} bytes")]
    Length,
}

impl StopError {
    /// Stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Count => "stop.count",
            Self::Length => "stop.length",
        }
    }
}

/// All stop strings of a job. Wiped when dropped.
pub(super) struct StopStrings {
    automata: Vec<Automaton>,
}

impl StopStrings {
    pub(super) fn new(strings: &[Vec<u8>]) -> Result<Self, StopError> {
        if strings.len() > MAX_STRINGS {
            return Err(StopError::Count);
        }
        if strings.iter().any(|s| s.is_empty() || s.len() > MAX_BYTES) {
            return Err(StopError::Length);
        }
        let automata = strings.iter().map(|s| Automaton::new(s)).collect();
        Ok(Self { automata })
    }

    pub(super) fn push(&mut self, byte: u8) {
        for automaton in &mut self.automata {
            automaton.push(byte);
        }
    }

    /// Whether the bytes so far end with a stop string.
    pub(super) fn is_complete(&self) -> bool {
        self.automata.iter().any(Automaton::is_complete)
    }

    /// How many of the last bytes are the longest complete stop string or, where none is, may become part of one.
    pub(super) fn matched(&self) -> usize {
        let complete = self.automata.iter().filter(|a| a.is_complete());
        let longest = complete.map(|a| a.matched).max();
        longest.unwrap_or_else(|| self.automata.iter().map(|a| a.matched).max().unwrap_or(0))
    }
}

/// One stop string and how much of it the bytes so far end with.
#[derive(Zeroize, ZeroizeOnDrop)]
struct Automaton {
    pattern: Vec<u8>,
    /// For each length of a matched prefix, minus one: the next shorter prefix that the same bytes end with.
    fallback: Vec<usize>,
    matched: usize,
}

impl Automaton {
    fn new(pattern: &[u8]) -> Self {
        let mut automaton = Self {
            pattern: pattern.to_vec(),
            fallback: Vec::with_capacity(pattern.len()),
            matched: 0,
        };
        automaton.fallback.push(0);
        for byte in pattern.iter().skip(1) {
            automaton.push(*byte);
            automaton.fallback.push(automaton.matched);
        }
        automaton.matched = 0;
        automaton
    }

    /// Never called when complete, so `pattern[matched]` exists.
    fn push(&mut self, byte: u8) {
        while self.matched > 0 && self.pattern.get(self.matched) != Some(&byte) {
            let shorter = self.fallback.get(self.matched.saturating_sub(1));
            self.matched = shorter.copied().unwrap_or(0);
        }
        if self.pattern.get(self.matched) == Some(&byte) {
            self.matched = self.matched.saturating_add(1);
        }
    }

    fn is_complete(&self) -> bool {
        self.matched == self.pattern.len()
    }
}
