//! Rules about the mitigation vectors of version 5 reports.

/// `[snp.required_mitigations]`: bits that must be set; zero asks nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MitigationRules {
    /// Of LAUNCH_MIT_VECTOR: what was in place when the guest was started.
    pub launch: u64,
    /// Of CURRENT_MIT_VECTOR: what is in place now.
    pub current: u64,
}
