//! What a user may set of a client beside its policy.

use std::num::NonZeroUsize;

/// Nodes that are kept ready by default.
pub(crate) const DEFAULT_NODES: NonZeroUsize = NonZeroUsize::new(3).unwrap();

/// How many nodes are kept ready, and what every request of the client says inside its seal.
pub struct Settings {
    /// Admitted nodes that are kept ready. A failover admits further ones when it needs them.
    pub nodes: NonZeroUsize,
    /// Country that the node must be in: ISO 3166-1 alpha-2, upper case.
    pub residency: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            nodes: DEFAULT_NODES,
            residency: None,
        }
    }
}
