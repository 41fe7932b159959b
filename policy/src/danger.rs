//! A policy that also admits invented vendors. Banned by clippy outside `tee-sim` and `tests`; no document can say this.

use crate::{Policy, document::AcceptedAnchors};

/// Lifts the denial of `Anchors::Custom` for this one value.
#[must_use]
pub fn accept_custom_anchors(policy: Policy) -> Policy {
    policy.accepting(AcceptedAnchors::VendorAndCustom)
}
