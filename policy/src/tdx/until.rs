//! What is accepted for a time: statuses and advisories of Intel's collateral.

use crate::Position;
use attestation::{UnixTime, tdx::TcbStatus};

/// `[[tdx.statuses_until]]`: a status that is accepted for a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusUntil {
    /// Which one.
    pub status: TcbStatus,
    /// Last second at which it is accepted.
    pub until: UnixTime,
    /// Why.
    pub why: Option<String>,
    /// Where it stands in the document.
    pub at: Position,
}

/// `[[tdx.advisories]]`: an advisory to which a platform may be exposed for a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdvisoryUntil {
    /// Intel's name for it, e.g. `INTEL-SA-00837`.
    pub id: String,
    /// Last second at which it is accepted.
    pub until: UnixTime,
    /// Why.
    pub why: Option<String>,
    /// Where it can be read.
    pub link: Option<String>,
    /// Where it stands in the document.
    pub at: Position,
}
