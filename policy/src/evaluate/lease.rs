//! The dead man's switch.

use super::Ends;
use crate::{
    Policy, Reason, Timestamp,
    lease::{LeaseRule, WhenAbsent},
};
use attestation::UnixTime;

/// The reason against everything, if the policy stops without a timestamp of these days.
pub(super) fn reason(
    policy: &Policy,
    timestamp: Option<&Timestamp>,
    now: UnixTime,
) -> Option<Reason> {
    let rule = stopping(policy)?;
    (!rule.is_current(timestamp, now)).then(|| {
        Reason::new(
            "policy.lease",
            "lease.max_age_seconds",
            format!("a timestamp of the last {} seconds", rule.max_age_seconds),
            timestamp.map_or("none".to_owned(), issued),
        )
    })
}

/// The end of the timestamp in force.
pub(super) fn ends(policy: &Policy, timestamp: Option<&Timestamp>, ends: &mut Ends) {
    if let (Some(rule), Some(timestamp)) = (stopping(policy), timestamp) {
        ends.rule(rule.end(timestamp));
    }
}

fn stopping(policy: &Policy) -> Option<&LeaseRule> {
    let rule = policy.lease()?;
    (rule.when_absent == WhenAbsent::Stop).then_some(rule)
}

fn issued(timestamp: &Timestamp) -> String {
    let [issued, expires] = [timestamp.issued, timestamp.expires].map(UnixTime::to_rfc3339);
    format!("one of {issued} that expires {expires}")
}
