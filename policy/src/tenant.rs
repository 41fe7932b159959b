//! Whom a runtime serves, where its policy says so.

use crate::Validity;
use attestation::UnixTime;

/// A tenant: who signs sealed requests with this key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// What people call it.
    pub name: String,
    /// Its Ed25519 public key.
    pub key: [u8; 32],
    /// `roles`, each once; without them [`TenantRole::Infer`] alone.
    pub roles: Vec<TenantRole>,
    /// When it is one.
    pub validity: Validity,
}

/// What a tenant may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TenantRole {
    /// `infer`: send requests.
    Infer,
    /// `audit`: read what the node proves about itself and about its own exchanges.
    Audit,
    /// `operate`: ask for the node's state.
    Operate,
}

/// Names of the roles in a document.
pub(crate) const TENANT_ROLES: [(&str, TenantRole); 3] = [
    ("infer", TenantRole::Infer),
    ("audit", TenantRole::Audit),
    ("operate", TenantRole::Operate),
];

impl Tenant {
    /// Whether it has this role at `now`.
    #[must_use]
    pub fn may(&self, role: TenantRole, now: UnixTime) -> bool {
        self.roles.contains(&role) && self.validity.holds(now)
    }
}
