//! What was verified once, for those who judge the same nodes again and again: a warm verdict costs one or two signatures.
//!
//! Only successes are kept and only endorsements are named: the key is SHA-256 over the verifier's roots and the exact bytes received
//! (certificates, revocation lists, collateral documents, manifests, OCSP responses), never anything of the evidence, whose bytes its
//! sender may vary. Reports and quotes are verified each time.

mod kept;
mod key;
mod warm;

pub(crate) use warm::Warm;

use crate::{nvidia, snp, tdx};
use kept::Kept;

/// Chip endorsement keys: one for each SNP node of a fleet.
const MAX_VEKS: usize = 256;
/// Intel's collateral: one for each platform family and time of issue.
const MAX_TDX_COLLATERAL: usize = 32;
/// Quoting enclaves: one for each TDX node of a fleet.
const MAX_ENCLAVES: usize = 256;
/// GPUs and switches: eight or twelve for each node that has any.
const MAX_DEVICES: usize = 1024;
/// Sets of manifests and OCSP responses: one for each node, where nodes fetch their own.
const MAX_REFERENCES: usize = 64;

/// Endorsements that were verified, each with the window in which it may be used. A plain value: its owner passes it to
/// [`crate::Verifier::verify_cached`].
///
/// It may serve several verifiers: what one set of roots vouches for is not found under another. It is bounded: beyond a cap, what was
/// not used for the longest time goes.
#[derive(Clone, Debug)]
pub struct Cache {
    veks: Kept<snp::VerifiedVek>,
    tdx_collateral: Kept<tdx::VerifiedCollateral>,
    enclaves: Kept<tdx::VerifiedQe>,
    devices: Kept<nvidia::VerifiedDevice>,
    references: Kept<nvidia::VerifiedReferences>,
}

impl Cache {
    /// An empty one.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            veks: Kept::new(MAX_VEKS),
            tdx_collateral: Kept::new(MAX_TDX_COLLATERAL),
            enclaves: Kept::new(MAX_ENCLAVES),
            devices: Kept::new(MAX_DEVICES),
            references: Kept::new(MAX_REFERENCES),
        }
    }

    /// How many verified values it keeps.
    #[must_use]
    pub fn len(&self) -> usize {
        let cpus = self.veks.len() + self.tdx_collateral.len() + self.enclaves.len();
        cpus + self.devices.len() + self.references.len()
    }

    /// Whether it keeps none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many times a kept value was found and used instead of verifying anew.
    #[must_use]
    pub const fn hits(&self) -> u64 {
        let cpus = self.veks.hits() + self.tdx_collateral.hits() + self.enclaves.hits();
        cpus + self.devices.hits() + self.references.hits()
    }
}

impl Default for Cache {
    fn default() -> Self {
        Self::new()
    }
}
