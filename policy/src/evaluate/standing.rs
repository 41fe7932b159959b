//! What every policy demands: its window, genuine anchors, evidence and collateral of these days.

use super::Subject;
use crate::{Policy, Reason, document::AcceptedAnchors};
use attestation::{Anchors, UnixTime};

/// Every unmet demand.
pub(super) fn reasons(policy: &Policy, subject: &Subject<'_>) -> Vec<Reason> {
    let mut reasons = window(policy, subject.now);
    reasons.extend(anchors(policy, subject));
    reasons.extend(freshness(policy, subject));
    reasons.extend(collateral(subject));
    reasons
}

/// The policy's own life.
pub(crate) fn window(policy: &Policy, now: UnixTime) -> Vec<Reason> {
    let mut reasons = Vec::new();
    reasons.extend(not_before(policy, now));
    reasons.extend(expires(policy, now));
    reasons
}

fn not_before(policy: &Policy, now: UnixTime) -> Option<Reason> {
    (now < policy.not_before()).then(|| {
        let expected = format!("{} or later", policy.not_before().to_rfc3339());
        Reason::new(
            "policy.not_before",
            "not_before",
            expected,
            now.to_rfc3339(),
        )
    })
}

fn expires(policy: &Policy, now: UnixTime) -> Option<Reason> {
    (now > policy.expires()).then(|| {
        let expected = format!("{} or earlier", policy.expires().to_rfc3339());
        Reason::new("policy.expired", "expires", expected, now.to_rfc3339())
    })
}

fn anchors(policy: &Policy, subject: &Subject<'_>) -> Option<Reason> {
    let is_custom = subject.claims.anchors != Anchors::Vendor;
    (is_custom && policy.accepted_anchors() == AcceptedAnchors::Vendor).then(|| {
        let expected = "a vendor's pinned root";
        Reason::new("policy.anchors", "every policy", expected, "a custom root")
    })
}

fn freshness(policy: &Policy, subject: &Subject<'_>) -> Option<Reason> {
    let age_seconds = subject.now.since(subject.at);
    (age_seconds > policy.max_age_seconds()).then(|| {
        Reason::new(
            "policy.freshness",
            "freshness.max_age_seconds",
            format!("{} or less", policy.max_age_seconds()),
            age_seconds.to_string(),
        )
    })
}

fn collateral(subject: &Subject<'_>) -> Option<Reason> {
    let end = subject.claims.not_after;
    (subject.now > end).then(|| {
        Reason::new(
            "policy.collateral",
            "every policy",
            format!("{} or earlier", end.to_rfc3339()),
            subject.now.to_rfc3339(),
        )
    })
}
