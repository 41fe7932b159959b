//! What a user may set of a client beside its policy.

use protocol::{CacheSecret, TenantSigner};
use provision::SigningKey;
use std::num::NonZeroUsize;

/// Nodes that are kept ready by default.
const DEFAULT_NODES: NonZeroUsize = NonZeroUsize::MIN.saturating_add(2);

/// How many nodes are kept ready, and what every request of the client says inside its seal. No Debug: it holds secrets.
pub struct Settings {
    /// Admitted nodes that are kept ready. A failover admits further ones when it needs them.
    pub nodes: NonZeroUsize,
    /// Country that the node must be in: ISO 3166-1 alpha-2, upper case.
    pub residency: Option<String>,
    /// The key that signs every request for a tenant of the runtime's policy.
    pub tenant: Option<TenantKey>,
    /// With whom cached state may be shared: nobody, if absent.
    pub cache_secret: Option<CacheSecret>,
    /// Whether verdicts on nodes are compared with the gateway's.
    pub verdicts: Verdicts,
}

/// What becomes of this client's verdicts on nodes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verdicts {
    /// The gateway is told, and its own is taken: that they differ is an alarm. It learns how this client judged the node and by which policy.
    #[default]
    Compared,
    /// Nobody is told.
    Kept,
}

/// A tenant's private key.
pub struct TenantKey(SigningKey);

impl TenantKey {
    /// Signs as the tenant whose key this is.
    #[must_use]
    pub const fn new(key: SigningKey) -> Self {
        Self(key)
    }
}

impl TenantSigner for TenantKey {
    fn key(&self) -> [u8; 32] {
        self.0.public_key()
    }

    fn sign(&self, statement: &[u8]) -> Option<[u8; 64]> {
        self.0.sign_message(statement).ok()
    }
}

impl Settings {
    pub(crate) fn tenant(&self) -> Option<&dyn TenantSigner> {
        let tenant = self.tenant.as_ref();
        tenant.map(|key| key as &dyn TenantSigner)
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            nodes: DEFAULT_NODES,
            residency: None,
            tenant: None,
            cache_secret: None,
            verdicts: Verdicts::default(),
        }
    }
}
