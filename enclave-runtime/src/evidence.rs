//! Evidence from the platform: Linux configfs-tsm where it exists, else the `/dev/sev-guest` ioctl, else a refusal to start; beside it the
//! GPUs, where they are asked for.

mod cert_table;
mod nvml;
mod quote;
mod report;
mod sev_guest;
mod tree;
mod tsm;
mod vek;
mod with_gpus;

pub use cert_table::{CertTable, CertTableError};
pub use nvml::{
    CallError, GpuAnswer, GpuIdentities, GpuVersions, LIBRARY as NVML_LIBRARY, MultiGpuMode, Nvml,
    NvmlError, Return, SelfCheck,
};
pub use sev_guest::SevGuest;
pub use tree::{Configfs, ReportTree};
pub use tsm::{Tsm, TsmError};
pub use vek::{VekError, VekFile};
pub use with_gpus::WithGpus;

use crate::telemetry;
use attestation::{EvidenceError, EvidenceProvider, GpuNonce, UnixTime, roots::NvidiaRoots};
use aws_lc_rs::rand;
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
    /// The library to ask the GPUs through; `None`: they are not asked.
    pub nvml: Option<PathBuf>,
}

/// Who answers for this machine.
#[derive(Clone)]
pub struct Platform {
    /// For the CPU, and for the GPUs if they are asked.
    pub provider: Arc<dyn EvidenceProvider>,
    /// What drives the GPUs, if they are asked.
    pub gpus: Option<GpuVersions>,
    /// The GPUs that gave evidence: none where they are not asked.
    pub identities: GpuIdentities,
}

/// Finds this machine's provider. GPUs that are asked for are checked first, and made ready: whatever uses them comes after this.
pub fn discover(settings: EvidenceSettings, now: UnixTime) -> Result<Platform, EvidenceError> {
    let nvml = settings.nvml.clone();
    let cpu = discover_cpu(settings)?;
    match nvml {
        None => Ok(Platform {
            provider: cpu,
            gpus: None,
            identities: GpuIdentities::default(),
        }),
        Some(library) => with_gpus(cpu, &library, now),
    }
}

fn discover_cpu(settings: EvidenceSettings) -> Result<Arc<dyn EvidenceProvider>, EvidenceError> {
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

fn with_gpus(
    cpu: Arc<dyn EvidenceProvider>,
    library: &Path,
    now: UnixTime,
) -> Result<Platform, EvidenceError> {
    let nvml = Nvml::open(library)?;
    let check = SelfCheck::new(own_nonce()?, NvidiaRoots::vendor(), now);
    let were_ready = nvml.make_ready(&check)?;
    let versions = nvml.versions()?;
    telemetry::gpus_confidential(&versions, nvml.multi_gpu().name());
    if !were_ready {
        telemetry::gpus_made_ready();
    }
    Ok(Platform {
        identities: nvml.identities().clone(),
        provider: Arc::new(WithGpus::new(cpu, nvml)),
        gpus: Some(versions),
    })
}

fn own_nonce() -> Result<GpuNonce, EvidenceError> {
    let mut nonce = [0; 32];
    match rand::fill(&mut nonce) {
        Ok(()) => Ok(GpuNonce(nonce)),
        Err(_) => Err(EvidenceError::Unavailable(
            "the system gave no random bytes".to_owned(),
        )),
    }
}
