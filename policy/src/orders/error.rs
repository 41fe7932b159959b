//! Why a log of orders was refused.

use attestation::UnixTime;

/// Why a log of orders was refused; `code()` is stable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OrderError {
    /// More than [`super::MAX_ORDERS`] orders.
    #[error("the log has more than {} orders", super::MAX_ORDERS)]
    TooMany,
    /// An order that is not the next one: left out, replayed or in another order.
    #[error("order {found} does not follow; the next order is {expected}")]
    Serial {
        /// The next serial.
        expected: u64,
        /// That of the order.
        found: u64,
    },
    /// `previous` is not the digest of the order before.
    #[error("`previous` of order {serial} is not the digest of the order before")]
    Previous {
        /// The order.
        serial: u64,
    },
    /// An order that was issued before the one before it.
    #[error("order {serial} was issued before the one before it, at {}", .issued.to_rfc3339())]
    Issued {
        /// The order.
        serial: u64,
        /// Its `issued`.
        issued: UnixTime,
    },
}

impl OrderError {
    /// Stable code, e.g. `policy.order.serial`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooMany => "policy.order.too_many",
            Self::Serial { .. } => "policy.order.serial",
            Self::Previous { .. } => "policy.order.previous",
            Self::Issued { .. } => "policy.order.issued",
        }
    }
}
