//! The outcome of an appraisal: a proof type, or all the reasons against.

use crate::{InForce, Position};
use attestation::{Digest, NodeClaims, UnixTime, Verified};

/// A node that one policy admits until [`Admitted::not_after`]. Only [`crate::Policy::evaluate`] makes one.
#[derive(Clone, Debug)]
pub struct Admitted {
    verified: Verified<NodeClaims>,
    policy_version: u64,
    policy_digest: Digest,
    not_after: UnixTime,
}

impl Admitted {
    pub(crate) const fn new(
        verified: Verified<NodeClaims>,
        policy_version: u64,
        policy_digest: Digest,
        not_after: UnixTime,
    ) -> Self {
        Self {
            verified,
            policy_version,
            policy_digest,
            not_after,
        }
    }

    /// The claims that were judged.
    pub const fn claims(&self) -> &NodeClaims {
        self.verified.claims()
    }

    /// Version of the policy that admitted.
    pub const fn policy_version(&self) -> u64 {
        self.policy_version
    }

    /// SHA-256 of the policy document's bytes.
    pub const fn policy_digest(&self) -> &Digest {
        &self.policy_digest
    }

    /// Least of policy expiry, collateral and freshness; nothing may be sealed after it.
    pub const fn not_after(&self) -> UnixTime {
        self.not_after
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
