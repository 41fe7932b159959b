//! Whom a verdict is traced back to.

use attestation::{Verifier, roots::Roots};

/// Roots, and a verifier of whole nodes under them.
#[derive(Clone, Debug)]
pub struct Trust {
    /// For evidence by itself.
    pub roots: Roots,
    /// For nodes.
    pub verifier: Verifier,
}

impl Trust {
    /// The vendors' pinned roots: all that the module and the program that ship know of.
    #[must_use]
    pub fn vendor() -> Self {
        Self {
            roots: Roots::vendor(),
            verifier: Verifier::vendor(),
        }
    }
}
