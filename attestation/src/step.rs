//! What every verifier of this crate tells of itself: its steps, in order, and what a refusal says of the input.

/// One step of a verification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Stable id; the code of the error when the step fails.
    pub id: &'static str,
    /// What it checks.
    pub title: &'static str,
    /// Where the specification demands it.
    pub section: &'static str,
}

impl Step {
    pub(crate) const fn new(id: &'static str, title: &'static str, section: &'static str) -> Self {
        Self { id, title, section }
    }
}

/// What a refusal says of the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorClass {
    /// It is no evidence at all: unknown version or structure.
    Malformed,
    /// It is evidence, and not authentic, not current or not for this purpose.
    Rejected,
    /// It may be authentic; this build cannot tell.
    Unsupported,
    /// Nothing is wrong with what was given; something that the verdict needs was not.
    Incomplete,
}
