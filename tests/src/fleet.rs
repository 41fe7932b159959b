//! The simulated machines of the stack: a node with SEV-SNP and one with TDX, a Hopper GPU in each.

use crate::publication;
use attestation::{CollateralBundle, EvidenceProvider, UnixTime, Verifier, snp::Product};
use clap::ValueEnum;
use std::{fs, io, path::Path, sync::Arc};
use tee_sim::{
    GpuMachine, Machine, Report, TdxMachine, Vendor,
    nvidia::Nvidia,
    policy_text::{GpuText, TdxText},
    tdx::{EventLog, Intel},
};

/// The product that the simulated AMD makes.
pub const PRODUCT: Product = Product::Genoa;
/// Versions that the simulated GPU's report names.
const DRIVER: &str = "550.90.07";
const VBIOS: &str = "96.00.9F.00.01";
/// EV_EVENT_TAG and EV_IPL of the TCG.
const EVENT_TAG: u32 = 6;
const IPL: u32 = 13;

/// Which nodes there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Tees {
    /// One with SEV-SNP.
    Snp,
    /// One with SEV-SNP and one with TDX.
    SnpAndTdx,
}

/// A node's machine with what verifiers need beside its evidence.
pub struct Node {
    /// Its name.
    pub name: &'static str,
    /// Answers for CPU and GPU.
    pub machine: Arc<dyn EvidenceProvider>,
    /// Of both.
    pub collateral: CollateralBundle,
}

/// The vendors of all nodes, invented together; their keys are in this value alone.
pub struct Fleet {
    amd: Vendor,
    intel: Intel,
    nvidia: Nvidia,
}

/// Name of the node with SEV-SNP.
pub const SNP_NODE: &str = "demo-node-1";
/// Name of the node with TDX.
pub const TDX_NODE: &str = "demo-node-2";

impl Tees {
    /// The word on the command line.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Snp => "snp",
            Self::SnpAndTdx => "snp-and-tdx",
        }
    }

    /// Names of the nodes.
    #[must_use]
    pub const fn nodes(self) -> &'static [&'static str] {
        match self {
            Self::Snp => &[SNP_NODE],
            Self::SnpAndTdx => &[SNP_NODE, TDX_NODE],
        }
    }
}

impl Fleet {
    /// New vendors, whose collateral is current at `now`.
    #[must_use]
    pub fn invent(now: UnixTime) -> Self {
        Self {
            amd: Vendor::invent(PRODUCT),
            intel: intel(now),
            nvidia: Nvidia::invent(now),
        }
    }

    /// Leaves the public roots in `directory`, for [`verifier`] in other processes.
    pub fn publish_roots(&self, directory: &Path) -> io::Result<()> {
        let nvidia = self.nvidia.issue(&[0; 32]);
        let roots = [
            self.amd.ark_der(),
            self.amd.ask_der(),
            &self.intel.root_der(),
            &nvidia.device_root,
            &nvidia.rim_root,
        ];
        let mut files = ROOTS.iter().zip(roots);
        files.try_for_each(|(name, der)| publication::write(&directory.join(name), der))
    }

    /// The machines of `tees`, a Hopper GPU in each.
    #[must_use]
    pub fn nodes(&self, tees: Tees) -> Vec<Node> {
        match tees {
            Tees::Snp => vec![self.snp()],
            Tees::SnpAndTdx => vec![self.snp(), self.tdx()],
        }
    }

    fn snp(&self) -> Node {
        let machine = GpuMachine::new(Machine::new(&self.amd), vec![self.nvidia.clone()]);
        Node {
            name: SNP_NODE,
            collateral: machine.collateral(),
            machine: Arc::new(machine),
        }
    }

    fn tdx(&self) -> Node {
        let cpu = TdxMachine::new(self.intel.clone());
        let machine = GpuMachine::new(cpu, vec![self.nvidia.clone()]);
        Node {
            name: TDX_NODE,
            collateral: machine.collateral().merge(machine.cpu().collateral()),
            machine: Arc::new(machine),
        }
    }
}

/// Files of the roots.
const ROOTS: [&str; 5] = [
    "simulated-ark.der",
    "simulated-ask.der",
    "simulated-intel-root.der",
    "simulated-device-root.der",
    "simulated-rim-root.der",
];

/// A verifier that trusts the roots in `directory`; what it verifies is `Anchors::Custom`.
pub fn verifier(directory: &Path) -> io::Result<Verifier> {
    let [ark, ask, intel, device, rim] = ROOTS.map(|name| fs::read(directory.join(name)));
    Ok(tee_sim::verifier_of_all(
        (&ark?, &ask?),
        &intel?,
        (&device?, &rim?),
    ))
}

fn intel(now: UnixTime) -> Intel {
    Intel::invent(now).with(|draft| draft.log_events(boot_log()))
}

/// What the simulated guest's firmware wrote down while it booted.
fn boot_log() -> EventLog {
    EventLog::new()
        .event(0, EVENT_TAG, b"simulated firmware volume")
        .event(1, IPL, b"simulated kernel")
        .event(2, IPL, b"simulated command line")
}

/// What a policy says of the SNP guest.
#[must_use]
pub fn snp_report() -> Report {
    Report::of(PRODUCT)
}

/// What a policy says of the TDX guest.
#[must_use]
pub fn tdx_text() -> TdxText {
    let mut quote = intel(UnixTime(0)).draft().quote.clone();
    let td = quote.body.report_mut();
    let [_, rtmr1, ..] = td.rtmrs;
    TdxText {
        mrtd: td.mr_td,
        rtmr1,
    }
}

/// What a policy says of the GPU.
#[must_use]
pub fn gpu_text() -> GpuText {
    GpuText {
        count: 1,
        driver: DRIVER.to_owned(),
        vbios: VBIOS.to_owned(),
    }
}
