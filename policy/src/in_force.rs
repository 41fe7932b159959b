//! What is in force on a host: one root, one policy, and what stands beside it. A node is judged by all of it together.

use crate::{
    Admitted, Denial, Inventory, Listed, Orders, Policy, Reason, Root, Timestamp, TrustRoot,
    evaluate::{Subject, Surroundings, orders},
};
use attestation::{NodeClaims, UnixTime, Verified};

/// Documents that were verified together. [`crate::Publication::verify`] makes one; a policy by itself is one without anything beside it.
#[derive(Clone, Debug)]
pub struct InForce {
    root: Option<Root>,
    policy: Policy,
    inventory: Option<Inventory>,
    orders: Orders,
    timestamp: Option<Timestamp>,
}

impl From<Policy> for InForce {
    fn from(policy: Policy) -> Self {
        Self {
            root: None,
            policy,
            inventory: None,
            orders: Orders::none(),
            timestamp: None,
        }
    }
}

impl InForce {
    /// What was verified together under `root`.
    pub(crate) const fn of(
        root: Root,
        policy: Policy,
        inventory: Option<Inventory>,
        orders: Orders,
        timestamp: Option<Timestamp>,
    ) -> Self {
        Self {
            root: Some(root),
            policy,
            inventory,
            orders,
            timestamp,
        }
    }

    /// Documents that nobody signed, for [`crate::Trial`], which gives reasons and no admission.
    pub(crate) const fn supposing(
        policy: Policy,
        inventory: Option<Inventory>,
        orders: Orders,
        timestamp: Option<Timestamp>,
    ) -> Self {
        Self {
            root: None,
            policy,
            inventory,
            orders,
            timestamp,
        }
    }

    /// Every reason against claims that were verified at `at`: what [`Self::evaluate`] would tell, without an admission.
    pub(crate) fn judge_claims(
        &self,
        claims: &NodeClaims,
        at: UnixTime,
        now: UnixTime,
    ) -> Vec<Reason> {
        let subject = Subject::claimed(claims, at, now, self.surroundings());
        let (reasons, _) = self.policy.judge(&subject);
        self.policy.placed(reasons)
    }

    /// A policy that `keys` signed, with nothing beside it.
    #[must_use]
    pub fn under_keys(policy: Policy, keys: TrustRoot) -> Self {
        let root = Some(Root::of_keys(keys));
        Self {
            root,
            ..policy.into()
        }
    }

    /// The policy.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The root; `None` for a policy by itself.
    #[must_use]
    pub const fn root(&self) -> Option<&Root> {
        self.root.as_ref()
    }

    /// The inventory.
    #[must_use]
    pub const fn inventory(&self) -> Option<&Inventory> {
        self.inventory.as_ref()
    }

    /// The orders.
    #[must_use]
    pub const fn orders(&self) -> &Orders {
        &self.orders
    }

    /// The timestamp.
    #[must_use]
    pub const fn timestamp(&self) -> Option<&Timestamp> {
        self.timestamp.as_ref()
    }

    /// Version and digest of the root; `None` for a policy by itself.
    #[must_use]
    pub fn listed_root(&self) -> Option<Listed> {
        let listed = |root: &Root| Listed {
            version: root.version(),
            digest: *root.digest(),
        };
        self.root().map(listed)
    }

    /// Version and digest of the policy.
    #[must_use]
    pub const fn listed_policy(&self) -> Listed {
        Listed {
            version: self.policy.version(),
            digest: *self.policy.digest(),
        }
    }

    /// Version and digest of the inventory.
    #[must_use]
    pub fn listed_inventory(&self) -> Option<Listed> {
        let listed = |inventory: &Inventory| Listed {
            version: inventory.version(),
            digest: *inventory.digest(),
        };
        self.inventory().map(listed)
    }

    /// Serial and digest of the last order; `None` if nothing was ever ordered.
    #[must_use]
    pub fn listed_orders(&self) -> Option<Listed> {
        (self.orders.serial() > 0).then(|| Listed {
            version: self.orders.serial(),
            digest: *self.orders.digest(),
        })
    }

    /// The same with the policy that `change` makes of this one.
    #[must_use]
    pub fn map_policy(self, change: impl FnOnce(Policy) -> Policy) -> Self {
        Self {
            policy: change(self.policy),
            ..self
        }
    }

    /// Judges `verified` at `now` by everything in force.
    pub fn evaluate(
        &self,
        verified: Verified<NodeClaims>,
        now: UnixTime,
    ) -> Result<Admitted, Denial> {
        self.policy
            .evaluate_among(verified, now, self.surroundings())
    }

    /// Whether the node of this name may be used at all: evidence does not tell its name, the key list and the gateway's offers do.
    #[must_use]
    pub fn judge_name(&self, node: &str) -> Option<Reason> {
        orders::node(&self.orders, node)
    }

    /// Whether requests of this tenant may be served.
    #[must_use]
    pub fn judge_tenant(&self, key: &[u8; 32]) -> Option<Reason> {
        orders::tenant(&self.orders, key)
    }

    /// Whether anything may be served or sent at `now`: the policy's window, an order that stops everything, and the policy's lease.
    #[must_use]
    pub fn judge_standing(&self, now: UnixTime) -> Vec<Reason> {
        self.policy.standing_among(self.surroundings(), now)
    }

    const fn surroundings(&self) -> Surroundings<'_> {
        Surroundings {
            inventory: self.inventory.as_ref(),
            orders: &self.orders,
            timestamp: self.timestamp.as_ref(),
        }
    }
}
