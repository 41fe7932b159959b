//! The dead man's switch: what happens when nobody signs timestamps any more.

use crate::Timestamp;
use attestation::UnixTime;

/// `[lease]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeaseRule {
    /// `max_age_seconds`: greatest age of the timestamp in force.
    pub max_age_seconds: u64,
    /// `when_absent`.
    pub when_absent: WhenAbsent,
}

/// What follows when there is no timestamp of these days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenAbsent {
    /// `stop`: no node is admitted, and runtimes wipe their keys.
    Stop,
    /// `continue`: an alarm and nothing else.
    Continue,
}

/// Names of the consequences in a document.
pub(crate) const CONSEQUENCES: [(&str, WhenAbsent); 2] = [
    ("stop", WhenAbsent::Stop),
    ("continue", WhenAbsent::Continue),
];

impl LeaseRule {
    /// Last second for which `timestamp` is of these days.
    #[must_use]
    pub fn end(&self, timestamp: &Timestamp) -> UnixTime {
        let stale = timestamp.issued.plus(self.max_age_seconds);
        stale.min(timestamp.expires)
    }

    /// Whether `timestamp` is there and of these days.
    #[must_use]
    pub fn is_current(&self, timestamp: Option<&Timestamp>, now: UnixTime) -> bool {
        timestamp.is_some_and(|timestamp| now <= self.end(timestamp))
    }
}
