//! Exit statuses: one contract for every command.

use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Verified and complete.
    Accepted = 0,
    /// Could not be done.
    Internal = 1,
    /// Wrong arguments.
    Usage = 2,
    /// Something did not hold.
    Rejected = 10,
    /// Something that the verdict needs is missing.
    Incomplete = 20,
    /// Input that does not parse.
    Malformed = 30,
}

impl Exit {
    /// The word for verdict lines and JSON.
    pub(crate) const fn verdict(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Internal => "failed",
            Self::Usage => "usage",
            Self::Rejected => "rejected",
            Self::Incomplete => "incomplete",
            Self::Malformed => "malformed",
        }
    }

    /// Of two findings the one that decides: malformed over rejected over incomplete over accepted.
    pub(crate) fn and(self, other: Self) -> Self {
        let rank = |exit| match exit {
            Self::Malformed => 3,
            Self::Rejected => 2,
            Self::Incomplete => 1,
            _ => 0,
        };
        if rank(other) > rank(self) {
            other
        } else {
            self
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::Exit::{Accepted, Incomplete, Malformed, Rejected};

    #[test]
    fn malformed_over_rejected_over_incomplete() {
        let order = [Accepted, Incomplete, Rejected, Malformed];
        for (i, low) in order.iter().enumerate() {
            for high in &order[i..] {
                assert_eq!(low.and(*high), *high);
                assert_eq!(high.and(*low), *high);
            }
        }
    }
}
