//! The highest policy version that nodes have signed for, under each policy root: a node that obeys an older one is refused.

use attestation::Digest;
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

/// Remembers for as long as it lives. (The user's own policy is remembered durably, by `provision`.)
#[derive(Default)]
pub struct SeenPolicies {
    seen: Mutex<HashMap<Digest, Seen>>,
}

#[derive(Clone, Copy)]
struct Seen {
    version: u64,
    digest: Digest,
}

/// Why a policy version is not taken; `code()` is stable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StalePolicy {
    /// Lower than the highest seen.
    #[error("policy version {offered} is older than version {seen}, seen before")]
    Rollback {
        /// Offered now.
        offered: u64,
        /// The highest before.
        seen: u64,
    },
    /// The version seen, with other bytes.
    #[error("policy version {version} was seen before with other contents")]
    Equivocation {
        /// The version.
        version: u64,
    },
}

impl StalePolicy {
    /// Stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Rollback { .. } => "policy.rollback",
            Self::Equivocation { .. } => "policy.equivocation",
        }
    }
}

impl SeenPolicies {
    /// Takes `version` with `digest` under `root`, or says why not.
    // R5.4
    pub fn observe(&self, root: &Digest, version: u64, digest: &Digest) -> Result<(), StalePolicy> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(before) = seen.get(root) {
            if version < before.version {
                return Err(StalePolicy::Rollback {
                    offered: version,
                    seen: before.version,
                });
            }
            if version == before.version && *digest != before.digest {
                return Err(StalePolicy::Equivocation { version });
            }
        }
        seen.insert(
            *root,
            Seen {
                version,
                digest: *digest,
            },
        );
        Ok(())
    }
}
