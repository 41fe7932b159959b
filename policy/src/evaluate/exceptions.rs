//! What exceptions waive, inside their windows.

use super::{Ends, Subject};
use crate::{Exception, HardwareId, Policy, Reason, Waived, remedy};
use attestation::UnixTime;

/// Takes out of `reasons` those that an exception waives now.
pub(super) fn waive(
    policy: &Policy,
    subject: &Subject<'_>,
    reasons: &mut Vec<Reason>,
) -> Vec<Waived> {
    let mut waived = Vec::new();
    reasons.retain(|reason| match lasting(policy, subject, reason) {
        Some(exception) => {
            waived.push(of(exception, reason.clone()));
            false
        }
        None => true,
    });
    waived
}

/// Whether an exception waives `reason` at `now` for a node of this `hardware`.
pub(super) fn is_waived(
    policy: &Policy,
    reason: &Reason,
    hardware: &[HardwareId],
    now: UnixTime,
) -> bool {
    let waives = |exception: &Exception| {
        let is_about_node = exception.hardware.is_none_or(|id| hardware.contains(&id));
        is_about_node && is_about(exception, reason) && exception.holds(now)
    };
    remedy::waivable(reason.code).is_some() && policy.exceptions().any(waives)
}

/// The ends of the exceptions that an admission rests on.
pub(super) fn ends(waived: &[Waived], ends: &mut Ends) {
    for waived in waived {
        ends.rule(waived.until);
    }
}

/// The exception that waives `reason` for the longest.
fn lasting<'a>(
    policy: &'a Policy,
    subject: &Subject<'_>,
    reason: &Reason,
) -> Option<&'a Exception> {
    remedy::waivable(reason.code)?;
    let waives = |exception: &&Exception| {
        let is_about_node = exception
            .hardware
            .is_none_or(|id| subject.hardware().any(|part| part == id));
        is_about_node && is_about(exception, reason) && exception.holds(subject.now)
    };
    let order = |exception: &&'a Exception| (exception.until, &exception.who, &exception.why);
    policy.exceptions().filter(waives).max_by_key(order)
}

/// Residency is told piece by piece: an exception for one piece of the node is none for the others.
fn is_about(exception: &Exception, reason: &Reason) -> bool {
    let is_about_piece = |id: &HardwareId| {
        !reason.rule.starts_with("residency") || reason.actual.contains(&id.to_string())
    };
    exception.is_about(reason) && exception.hardware.as_ref().is_none_or(is_about_piece)
}

fn of(exception: &Exception, reason: Reason) -> Waived {
    Waived {
        reason,
        who: exception.who.clone(),
        why: exception.why.clone(),
        until: exception.until,
    }
}
