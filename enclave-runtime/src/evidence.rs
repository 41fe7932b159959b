//! Evidence from the platform: Linux configfs-tsm where it exists, else the `/dev/sev-guest` ioctl, else a refusal to start.

mod cert_table;
mod quote;
mod report;
mod sev_guest;
mod tree;
mod tsm;
mod vek;

pub use cert_table::{CertTable, CertTableError};
pub use sev_guest::SevGuest;
pub use tree::{Configfs, ReportTree};
pub use tsm::{Tsm, TsmError};
pub use vek::{VekError, VekFile};

use attestation::{EvidenceError, EvidenceProvider};
use std::{path::Path, path::PathBuf, sync::Arc};

/// Where the guest's ioctl lives.
const SEV_GUEST: &str = "/dev/sev-guest";

/// How to ask this machine for evidence.
#[derive(Clone, Debug)]
pub struct EvidenceSettings {
    /// Root of configfs-tsm's reports.
    pub tsm_root: PathBuf,
    /// The VCEK or VLEK certificate, for hosts that hand out none.
    pub vek: Option<VekFile>,
    /// VMPL to ask for; the platform's own choice if absent.
    pub privlevel: Option<u8>,
    /// The CCEL event log of a TDX guest, if its firmware keeps one.
    pub event_log: Option<Vec<u8>>,
}

/// Finds this machine's provider.
pub fn discover(settings: EvidenceSettings) -> Result<Arc<dyn EvidenceProvider>, EvidenceError> {
    if settings.tsm_root.is_dir() {
        let tree = Configfs::new(settings.tsm_root);
        let tsm = Tsm::new(tree, settings.vek, settings.privlevel);
        return Ok(Arc::new(tsm.with_event_log(settings.event_log)));
    }
    if Path::new(SEV_GUEST).exists() {
        return Ok(Arc::new(SevGuest::new(settings.vek, settings.privlevel)?));
    }
    Err(EvidenceError::Unavailable(format!(
        "neither {} nor {SEV_GUEST} exists: this is neither an SEV-SNP nor a TDX guest, or its kernel lacks configfs-tsm",
        settings.tsm_root.display(),
    )))
}
