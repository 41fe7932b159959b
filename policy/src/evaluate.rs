//! Total evaluation: every rule is looked at, every unmet one is told.

use crate::{Admitted, Denial, Policy};
use attestation::{NodeClaims, UnixTime, Verified};

impl Policy {
    /// Judges `verified` at `now`.
    pub fn evaluate(
        &self,
        verified: Verified<NodeClaims>,
        now: UnixTime,
    ) -> Result<Admitted, Denial> {
        let _ = (verified, now);
        unimplemented!()
    }
}
