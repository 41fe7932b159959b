//! Why something could not be fetched: retryable told apart from refused.

/// What went wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{url}: {fault}")]
pub struct FetchError {
    /// What was asked for.
    pub url: String,
    /// What went wrong.
    pub fault: Fault,
}

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// No connection, or one that broke off.
    #[error("not reachable: {0}")]
    Unreachable(String),
    /// No whole answer in time.
    #[error("no answer in time")]
    TimedOut,
    /// Status 429 or 5xx.
    #[error("the service is not available now (status {status})")]
    Unavailable {
        /// The status.
        status: u16,
        /// `Retry-After`, if it was given in seconds.
        retry_after_s: Option<u64>,
    },
    /// Status 404.
    #[error("the service does not have it (status 404)")]
    NotFound,
    /// Another status that is not 200.
    #[error("the service refused (status {0})")]
    Refused(u16),
    /// An answer that is larger than any of its kind.
    #[error("the answer has more than {0} bytes")]
    TooLarge(usize),
    /// An answer that is not what was asked for.
    #[error("the answer is no {0}")]
    Malformed(&'static str),
}

impl FetchError {
    /// Stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self.fault {
            Fault::Unreachable(_) => "collateral.fetch.unreachable",
            Fault::TimedOut => "collateral.fetch.timed_out",
            Fault::Unavailable { .. } => "collateral.fetch.unavailable",
            Fault::NotFound => "collateral.fetch.not_found",
            Fault::Refused(_) => "collateral.fetch.refused",
            Fault::TooLarge(_) => "collateral.fetch.too_large",
            Fault::Malformed(_) => "collateral.fetch.malformed",
        }
    }

    /// Whether the same request may succeed later.
    #[must_use]
    pub const fn retryable(&self) -> bool {
        self.fault.retryable()
    }
}

impl Fault {
    /// Whether the same request may succeed later.
    #[must_use]
    pub const fn retryable(&self) -> bool {
        matches!(
            self,
            Self::Unreachable(_) | Self::TimedOut | Self::Unavailable { .. }
        )
    }
}
