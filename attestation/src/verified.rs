//! The proof type: only a verifier of this crate makes one.

use crate::UnixTime;

/// Claims whose evidence was verified by this crate at [`Verified::at`].
#[derive(Clone, Debug)]
pub struct Verified<C> {
    claims: C,
    at: UnixTime,
}

impl<C> Verified<C> {
    pub(crate) const fn new(claims: C, at: UnixTime) -> Self {
        Self { claims, at }
    }

    /// The claims.
    pub const fn claims(&self) -> &C {
        &self.claims
    }

    /// The time that the caller gave to the verifier.
    pub const fn at(&self) -> UnixTime {
        self.at
    }
}
