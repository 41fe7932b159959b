//! What every policy demands: its window, genuine anchors, evidence and collateral of these days.

use super::{Ends, Subject};
use crate::{Policy, Reason, document::AcceptedAnchors};
use attestation::{Anchors, CpuClaims, UnixTime};

/// Every unmet demand.
pub(super) fn reasons(policy: &Policy, subject: &Subject<'_>) -> Vec<Reason> {
    let mut reasons = window(policy, subject.now);
    reasons.extend(anchors(policy, subject));
    reasons.extend(freshness(policy, subject));
    reasons.extend(collateral(subject));
    reasons.extend(collateral_age(policy, subject));
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

/// As far as the claims tell a date.
fn collateral_age(policy: &Policy, subject: &Subject<'_>) -> Option<Reason> {
    let most = policy.max_collateral_age_seconds()?;
    let issued = collateral_issued(subject)?;
    let age_seconds = subject.now.since(issued);
    (age_seconds > most).then(|| {
        Reason::new(
            "policy.collateral.age",
            "freshness.max_collateral_age_seconds",
            format!("{most} or less"),
            format!("{age_seconds}, of {}", issued.to_rfc3339()),
        )
    })
}

/// The end of the collateral's age.
pub(super) fn ends(policy: &Policy, subject: &Subject<'_>, ends: &mut Ends) {
    let most = policy.max_collateral_age_seconds();
    let issued = collateral_issued(subject);
    ends.rule(most.and_then(|most| Some(issued?.plus(most))));
}

/// When the oldest of the parts' collateral was issued: the ARK's list, Intel's TCB info and QE identity, the youngest word about each device.
fn collateral_issued(subject: &Subject<'_>) -> Option<UnixTime> {
    let cpu = match &subject.claims.cpu {
        CpuClaims::Snp(claims) => claims.crl_this_update,
        CpuClaims::Tdx(claims) => Some(claims.collateral_issued),
        _ => None,
    };
    let devices = subject.devices().iter();
    let devices = devices.map(|claims| claims.window.not_before);
    cpu.into_iter().chain(devices).min()
}
