//! Rules about NVIDIA devices, as the document's `[gpu]` says them.

mod board;
pub(crate) mod version;

pub use board::Board;
pub use version::VersionFloor;

use crate::AllowList;
use attestation::nvidia::{Architecture, Feature};

/// `[gpu]`: every rule is looked at for every device, all must hold. Without this table a node with devices is denied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GpuRules {
    /// `count`: how many GPUs, exactly.
    pub count: usize,
    /// `switches`: how many switches, exactly; 0 if absent.
    pub switches: usize,
    /// `topology`; `any` if absent.
    pub topology: Topology,
    /// `architectures` of GPUs.
    pub architectures: AllowList<Architecture>,
    /// `chips` of GPUs; `None`: any of an accepted architecture.
    pub chips: Option<AllowList<String>>,
    /// `boards` of GPUs; `None`: any.
    pub boards: Option<AllowList<Board>>,
    /// `modes` of GPUs.
    pub modes: AllowList<Feature>,
    /// `drivers` and `minimum_driver`.
    pub drivers: DriverRules,
    /// `vbios` and `minimum_vbios`, of GPUs' and switches' firmware.
    pub vbios: VbiosRules,
}

/// Which drivers are accepted; at least one of the rules is there, and all that are must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DriverRules {
    /// `drivers`: versions.
    pub listed: Option<AllowList<String>>,
    /// `minimum_driver`: this version or a later one.
    pub minimum: Option<VersionFloor>,
}

/// Which firmware is accepted; at least one of the rules is there, and all that are must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VbiosRules {
    /// `vbios`: versions.
    pub listed: Option<AllowList<String>>,
    /// `minimum_vbios`: for each line of firmware its floor; what has none is denied.
    pub minimum: Option<AllowList<VersionFloor>>,
}

/// How the devices of a machine must be linked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Topology {
    /// `any`: as they are.
    #[default]
    Any,
    /// `whole`: each GPU to all the switches given and each switch to all the GPUs given, which proves that none was left out.
    Whole,
}

/// Names of the architectures in a document.
pub(crate) const ARCHITECTURES: [(&str, Architecture); 2] = [
    ("hopper", Architecture::Hopper),
    ("blackwell", Architecture::Blackwell),
];

/// Names of the modes in a document.
pub(crate) const MODES: [(&str, Feature); 3] = [
    ("spt", Feature::Spt),
    ("mpt", Feature::Mpt),
    ("ppcie", Feature::Ppcie),
];

/// Names of the topologies in a document.
pub(crate) const TOPOLOGIES: [(&str, Topology); 2] =
    [("any", Topology::Any), ("whole", Topology::Whole)];
