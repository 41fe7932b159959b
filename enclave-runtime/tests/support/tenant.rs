//! Tenants that sign, and one that signs something else.

use protocol::{IdentitySecret, TenantSigner};
use std::ops::Range;

/// A tenant with a key of its own.
pub struct Tenant(IdentitySecret);

/// A tenant whose signature is over a statement in which one bit of one field differs.
pub struct Forger<'a> {
    pub tenant: &'a Tenant,
    pub field: usize,
}

/// Label, request id, binding id, method, path, digest of the body.
pub const SIGNED_FIELDS: usize = 6;

impl Tenant {
    pub fn new() -> Self {
        Self(IdentitySecret::generate())
    }
}

impl TenantSigner for Tenant {
    fn key(&self) -> [u8; 32] {
        self.0.public().0
    }

    fn sign(&self, statement: &[u8]) -> Option<[u8; 64]> {
        Some(self.0.sign(statement))
    }
}

impl TenantSigner for Forger<'_> {
    fn key(&self) -> [u8; 32] {
        self.tenant.key()
    }

    fn sign(&self, statement: &[u8]) -> Option<[u8; 64]> {
        let fields = fields(statement);
        assert_eq!(fields.len(), SIGNED_FIELDS);
        let mut other = statement.to_vec();
        other[fields[self.field].start] ^= 1;
        self.tenant.sign(&other)
    }
}

/// Where each field stands, behind its length as a big-endian u64.
fn fields(statement: &[u8]) -> Vec<Range<usize>> {
    let (mut fields, mut at) = (Vec::new(), 0);
    while at < statement.len() {
        let length = statement[at..at + 8].try_into().unwrap();
        let start = at + 8;
        at = start + usize::try_from(u64::from_be_bytes(length)).unwrap();
        fields.push(start..at);
    }
    fields
}
