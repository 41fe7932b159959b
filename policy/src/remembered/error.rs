//! Why documents do not follow those that were obeyed before.

/// Why a document does not follow the one that was obeyed before; `code()` is stable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SuccessionError {
    /// A version below the one that was obeyed.
    #[error(
        "version {offered} of {document} is older than version {obeyed}, which was obeyed here"
    )]
    Rollback {
        /// The document.
        document: &'static str,
        /// The version that was obeyed.
        obeyed: u64,
        /// The version offered.
        offered: u64,
    },
    /// Another document of the version that was obeyed.
    #[error(
        "version {version} of {document} is another document than the one that was obeyed here"
    )]
    Equivocation {
        /// The document.
        document: &'static str,
        /// The version of both.
        version: u64,
    },
    /// Nothing where something was obeyed.
    #[error("{document} is missing; version {obeyed} was obeyed here")]
    Missing {
        /// The document.
        document: &'static str,
        /// The version that was obeyed.
        obeyed: u64,
    },
    /// The policy names another predecessor than the one that was obeyed.
    #[error(
        "`previous` of policy version {version} is not the digest of the policy that was obeyed here"
    )]
    Previous {
        /// The version offered.
        version: u64,
    },
    /// A log that ends before the last order that was obeyed.
    #[error("the orders end at {offered}; order {obeyed} was obeyed here")]
    Shortened {
        /// The serial that was obeyed.
        obeyed: u64,
        /// The last serial offered.
        offered: u64,
    },
    /// A log in which an order that was obeyed is another one.
    #[error("order {serial} is another one than the one that was obeyed here")]
    Forked {
        /// The serial.
        serial: u64,
    },
}

impl SuccessionError {
    /// Stable code, e.g. `policy.rollback`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Rollback { .. } => "policy.rollback",
            Self::Equivocation { .. } => "policy.equivocation",
            Self::Missing { .. } => "policy.missing",
            Self::Previous { .. } => "policy.previous",
            Self::Shortened { .. } => "policy.order.shortened",
            Self::Forked { .. } => "policy.order.forked",
        }
    }
}
