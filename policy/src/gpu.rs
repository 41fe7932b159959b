//! Rules about NVIDIA devices, as the document's `[gpu]` says them.

use crate::AllowList;
use attestation::nvidia::{Architecture, Feature};

/// `[gpu]`: every rule is looked at for every device, all must hold. Without this table a node with devices is denied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GpuRules {
    /// `count`: how many GPUs, exactly.
    pub count: usize,
    /// `switches`: how many switches, exactly; 0 if absent.
    pub switches: usize,
    /// `architectures` of GPUs.
    pub architectures: AllowList<Architecture>,
    /// `modes` of GPUs.
    pub modes: AllowList<Feature>,
    /// `drivers`: versions.
    pub drivers: AllowList<String>,
    /// `vbios`: versions of GPUs' and switches' firmware.
    pub vbios: AllowList<String>,
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
