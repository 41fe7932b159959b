//! Exceptions: what a policy lets pass for a time, and who answers for it.

use crate::{HardwareId, Reason};
use attestation::UnixTime;

/// Longest life of an exception: a year and a day.
pub const MAX_EXCEPTION_SECONDS: u64 = 366 * 24 * 60 * 60;

/// One of `[[exceptions]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exception {
    /// `code` of the reasons that it waives.
    pub code: &'static str,
    /// `rule` of those reasons; `None`: whichever.
    pub rule: Option<String>,
    /// `hardware`: the nodes that this is part of; `None`: every node.
    pub hardware: Option<HardwareId>,
    /// Who answers for it.
    pub who: String,
    /// Why it was made.
    pub why: String,
    /// First second.
    pub from: UnixTime,
    /// Last second.
    pub until: UnixTime,
}

impl Exception {
    /// Whether it is about `reason`.
    #[must_use]
    pub fn is_about(&self, reason: &Reason) -> bool {
        let is_rule = |rule: &String| *rule == reason.rule;
        self.code == reason.code && self.rule.as_ref().is_none_or(is_rule)
    }

    /// Whether `now` is in its window; both ends belong to it.
    #[must_use]
    pub fn holds(&self, now: UnixTime) -> bool {
        self.from <= now && now <= self.until
    }
}
