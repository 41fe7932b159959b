//! The outcome of an appraisal: a proof type, or all the reasons against.

use crate::{InForce, Placement, Position};
use attestation::{Digest, NodeClaims, UnixTime, Verified};
use std::sync::Arc;

/// A node that one policy admits until [`Admitted::not_after`]. Only [`crate::Policy::evaluate`] and [`crate::InForce::evaluate`] make one.
#[derive(Clone, Debug)]
pub struct Admitted {
    verified: Verified<NodeClaims>,
    grounds: Grounds,
}

/// What an admission rests on beside the claims.
#[derive(Clone, Debug)]
pub(crate) struct Grounds {
    pub(crate) policy_version: u64,
    pub(crate) policy_digest: Digest,
    pub(crate) not_after: UnixTime,
    pub(crate) placement: Option<Arc<Placement>>,
    pub(crate) waived: Vec<Waived>,
}

/// A reason against a node that an exception waived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waived {
    /// The reason.
    pub reason: Reason,
    /// Who answers for the exception.
    pub who: String,
    /// Why it was made.
    pub why: String,
    /// Its last second.
    pub until: UnixTime,
}

impl Admitted {
    pub(crate) const fn new(verified: Verified<NodeClaims>, grounds: Grounds) -> Self {
        Self { verified, grounds }
    }

    /// The claims that were judged.
    pub const fn claims(&self) -> &NodeClaims {
        self.verified.claims()
    }

    /// Version of the policy that admitted.
    pub const fn policy_version(&self) -> u64 {
        self.grounds.policy_version
    }

    /// SHA-256 of the policy document's bytes.
    pub const fn policy_digest(&self) -> &Digest {
        &self.grounds.policy_digest
    }

    /// The first end among all that the admission rests on; nothing may be sealed after it.
    pub const fn not_after(&self) -> UnixTime {
        self.grounds.not_after
    }

    /// Where the inventory places the CPU; `None` without an inventory, or where it does not list it.
    pub fn placement(&self) -> Option<&Placement> {
        self.grounds.placement.as_deref()
    }

    /// The reasons against the node that exceptions waived, each until the exception's end.
    pub fn waived(&self) -> &[Waived] {
        &self.grounds.waived
    }

    /// What `in_force` says at `now` of the same evidence: documents that come later judge anew, without a challenge.
    pub fn judged_again(&self, in_force: &InForce, now: UnixTime) -> Result<Self, Denial> {
        in_force.evaluate(self.verified.clone(), now)
    }
}

/// One unmet rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// Stable code, e.g. `policy.snp.measurement`.
    pub code: &'static str,
    /// The rule as it stands in the document, e.g. `snp.measurements`.
    pub rule: String,
    /// What the rule accepts.
    pub expected: String,
    /// What the evidence says.
    pub actual: String,
    /// Where the rule stands in the document; `None` for what every policy demands.
    pub at: Option<Position>,
    /// The advisory that the rule names.
    pub advisory: Option<Advisory>,
}

/// Why a floor is where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advisory {
    /// Its name, e.g. `AMD-SB-3019`.
    pub name: String,
    /// Where it can be read.
    pub link: Option<String>,
}

impl Reason {
    /// A reason without a place and without an advisory.
    pub(crate) fn new(
        code: &'static str,
        rule: impl Into<String>,
        expected: impl Into<String>,
        actual: impl Into<String>,
    ) -> Self {
        Self {
            code,
            rule: rule.into(),
            expected: expected.into(),
            actual: actual.into(),
            at: None,
            advisory: None,
        }
    }
}

/// Every unmet rule, in the document's order; never empty.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("policy version {policy_version} denies the node: {}", .reasons.iter().map(|r| r.code).collect::<Vec<_>>().join(", "))]
pub struct Denial {
    /// Version of the policy that denied.
    pub policy_version: u64,
    /// The reasons.
    pub reasons: Vec<Reason>,
}
