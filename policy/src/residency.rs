//! Where hardware must stand and whose it must be, by the inventory.

use crate::AllowList;

/// `[residency]`: every piece of hardware that is looked at must be listed, now, and fit each list that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResidencyRules {
    /// `countries`, ISO 3166-1 alpha-2.
    pub countries: Option<AllowList<String>>,
    /// `sites`.
    pub sites: Option<AllowList<String>>,
    /// `owners`.
    pub owners: Option<AllowList<String>>,
    /// `devices`; without it `all`.
    pub scope: ResidencyScope,
}

/// What is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ResidencyScope {
    /// `cpu`: the CPU alone; its evidence covers the devices'.
    Cpu,
    /// `all`: every device too.
    #[default]
    All,
}

/// Names of the scopes in a document.
pub(crate) const SCOPES: [(&str, ResidencyScope); 2] =
    [("cpu", ResidencyScope::Cpu), ("all", ResidencyScope::All)];
