//! When an entry of a document counts.

use attestation::UnixTime;
use std::fmt;

/// When an entry counts; both ends belong to the window, an absent one is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Validity {
    /// First second.
    pub from: Option<UnixTime>,
    /// Last second.
    pub until: Option<UnixTime>,
}

impl Validity {
    /// Whether `now` is in the window.
    #[must_use]
    pub fn holds(&self, now: UnixTime) -> bool {
        let is_early = self.from.is_some_and(|from| now < from);
        let is_late = self.until.is_some_and(|until| now > until);
        !is_early && !is_late
    }
}

impl fmt::Display for Validity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [from, until] = [self.from, self.until].map(|end| end.map(UnixTime::to_rfc3339));
        match (from, until) {
            (None, None) => formatter.write_str("at any time"),
            (Some(from), None) => write!(formatter, "from {from}"),
            (None, Some(until)) => write!(formatter, "until {until}"),
            (Some(from), Some(until)) => write!(formatter, "from {from} until {until}"),
        }
    }
}
