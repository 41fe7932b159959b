//! The rules about TDX claims.

mod events;
mod features;
mod registers;
mod tcb;

use super::Ends;
use crate::{Reason, tdx::TdxRules};
use attestation::{UnixTime, tdx::TdxClaims};

/// Every unmet rule of `[tdx]`, in the document's order.
pub(super) fn reasons(rules: &TdxRules, claims: &TdxClaims, now: UnixTime) -> Vec<Reason> {
    let mut reasons = tcb::reasons(rules, claims, now);
    for (accepted, actual) in registers::of(rules, &claims.td) {
        reasons.extend(accepted.reason(actual, now));
    }
    let events = claims.events.as_deref();
    reasons.extend(events::reasons(rules.events.as_ref(), events));
    reasons.extend(features::reasons(rules, claims));
    reasons
}

/// Until when the claims meet what they meet now.
pub(super) fn ends(rules: &TdxRules, claims: &TdxClaims, ends: &mut Ends) {
    tcb::ends(rules, &claims.tcb, ends);
    for (accepted, actual) in registers::of(rules, &claims.td) {
        ends.rule(accepted.end(actual));
    }
}
