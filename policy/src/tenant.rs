//! Whom a runtime serves, where its policy says so.

/// A tenant: who signs sealed requests with this key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// What people call it.
    pub name: String,
    /// Its Ed25519 public key.
    pub key: [u8; 32],
}
