//! Claims judged by documents that need no signature: for simulations and test cases. Reasons come out, never an admission.

use crate::{InForce, Inventory, Order, Orders, Policy, PolicyError, Reason, Timestamp};
use attestation::{NodeClaims, UnixTime};

/// Documents as if they were in force.
#[derive(Clone, Debug)]
pub struct Trial(InForce);

/// What stands beside the policy that is tried.
#[derive(Clone, Debug, Default)]
pub struct Beside {
    /// Whose each piece of hardware is.
    pub inventory: Option<Inventory>,
    /// Every order from the first, as if those who may had signed them.
    pub orders: Vec<Order>,
    /// The word that these documents are the newest.
    pub timestamp: Option<Timestamp>,
}

impl Trial {
    /// Tries `policy` among other documents; an error if the orders do not follow each other.
    pub fn new(policy: Policy, beside: Beside) -> Result<Self, PolicyError> {
        let Beside {
            inventory,
            orders,
            timestamp,
        } = beside;
        let orders = Orders::supposing(&orders)?;
        Ok(Self(InForce::supposing(
            policy, inventory, orders, timestamp,
        )))
    }

    /// Tries `policy` in the place of the one in force.
    #[must_use]
    pub fn in_place_of(in_force: &InForce, policy: Policy) -> Self {
        Self(in_force.clone().map_policy(|_| policy))
    }

    /// Tries what is in force.
    #[must_use]
    pub const fn of(in_force: InForce) -> Self {
        Self(in_force)
    }

    /// Every reason against a node with these claims, verified at `at`, when it is asked about at `now`; none: it would be admitted.
    #[must_use]
    pub fn judge(&self, claims: &NodeClaims, at: UnixTime, now: UnixTime) -> Vec<Reason> {
        self.0.judge_claims(claims, at, now)
    }

    /// The reason against the node of this name, if an order stops it.
    #[must_use]
    pub fn judge_name(&self, node: &str) -> Option<Reason> {
        self.0.judge_name(node)
    }
}
