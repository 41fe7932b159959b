//! The rules about TDX claims.

mod events;
mod features;
mod registers;
mod tcb;

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

/// Last second at which claims without a reason still have none; `None`: there is no such second.
pub(super) fn end(rules: &TdxRules, claims: &TdxClaims) -> Option<UnixTime> {
    let registers = registers::of(rules, &claims.td);
    let ends = registers.filter_map(|(accepted, actual)| accepted.end(actual));
    ends.chain(tcb::end(rules, &claims.tcb)).min()
}
