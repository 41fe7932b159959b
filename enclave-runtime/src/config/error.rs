//! Why a configuration was refused.

use crate::evidence::VekError;
use attestation::UnixTime;
use provision::{FileError, PolicyKeeperError, PublicKeyError, policy_keeper::PolicyUrlError};
use std::fmt;

/// Why a configuration, or a file that it names, was refused; `code()` is stable.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A file could not be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// Not TOML.
    #[error("{0}")]
    Syntax(toml::de::Error),
    /// Every field that is absent, unknown or wrong.
    #[error("{0}")]
    Mistakes(Mistakes),
    /// `policy.source`.
    #[error("policy.source: {0}")]
    PolicySource(#[from] PolicyUrlError),
    /// The root, or what is signed under it.
    #[error(transparent)]
    Policy(#[from] PolicyKeeperError),
    /// The root document that is pinned is not the first one.
    #[error(
        "policy.root is version {version} of the root; a runtime pins version 1, so that its manifest can name it, and finds the \
         later ones in roots.jsonl"
    )]
    LaterRoot {
        /// Its version.
        version: u64,
    },
    /// The signed policy is of another time.
    #[error("the policy is in force from {} to {}", .not_before.to_rfc3339(), .expires.to_rfc3339())]
    PolicyNotInForce {
        /// First second.
        not_before: UnixTime,
        /// First second after.
        expires: UnixTime,
    },
    /// The certificate that endorses reports.
    #[error("evidence.vek: {0}")]
    Vek(#[from] VekError),
    /// The keys of whoever sealed the model.
    #[error("model_key.owner: {0}")]
    Owner(#[from] PublicKeyError),
}

/// One line for each mistake; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistakes(pub Vec<String>);

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl ConfigError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::File(error) => error.code(),
            Self::Syntax(_) => "config.syntax",
            Self::Mistakes(_) => "config.mistakes",
            Self::PolicySource(_) => "config.policy_source",
            Self::Policy(error) => error.code(),
            Self::LaterRoot { .. } => "config.later_root",
            Self::PolicyNotInForce { .. } => "config.policy_not_in_force",
            Self::Vek(error) => error.code(),
            Self::Owner(error) => error.code(),
        }
    }
}
