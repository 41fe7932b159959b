//! Rules about Intel TDX claims, as the document's `[tdx]` says them.

mod event_rule;
mod until;
pub(crate) mod xfam;

pub(crate) use event_rule::PRESENCES;
pub use event_rule::{EventRule, Presence};
pub use until::{AdvisoryUntil, StatusUntil};
pub use xfam::XfamRules;

use crate::{AllowList, BitRule, ReferenceValue};
use attestation::tdx::TcbStatus;

/// `[tdx]`: every rule is looked at, all must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TdxRules {
    /// `statuses`: TCB statuses in Intel's spelling; `Revoked` has no name here.
    pub statuses: AllowList<TcbStatus>,
    /// `[[tdx.statuses_until]]`: more of them, each for a time.
    pub statuses_until: Option<AllowList<StatusUntil>>,
    /// `grace_seconds`: how long after tcbDate of the level that it meets an accepted status that lacks fixes counts; without it, for ever.
    pub grace_seconds: Option<u64>,
    /// `[[tdx.advisories]]`: those that a platform may be exposed to; `None`: not looked at, the status tells of them.
    pub advisories: Option<AllowList<AdvisoryUntil>>,
    /// `minimum_evaluation_number`: least tcbEvaluationDataNumber of the collateral.
    pub minimum_evaluation_number: u32,
    /// `minimum_pce_svn`: least PCESVN of the PCK certificate.
    pub minimum_pce_svn: Option<u16>,
    /// `fmspcs`: platforms by FMSPC; `None`: any.
    pub fmspcs: Option<AllowList<[u8; 6]>>,
    /// `[[tdx.mrseam]]`; `None`: not looked at.
    pub mrseam: Option<AllowList<ReferenceValue<48>>>,
    /// `[[tdx.mrsignerseam]]`; `None`: not looked at.
    pub mrsignerseam: Option<AllowList<ReferenceValue<48>>>,
    /// `[[tdx.mrtd]]`.
    pub mrtd: AllowList<ReferenceValue<48>>,
    /// `[[tdx.rtmr0]]` to `[[tdx.rtmr3]]`; `None`: not looked at.
    pub rtmrs: [Option<AllowList<ReferenceValue<48>>>; 4],
    /// `[[tdx.events]]`; `None`: no log is asked for.
    pub events: Option<AllowList<EventRule>>,
    /// `[[tdx.mrconfigid]]`; `None`: not looked at.
    pub mrconfigid: Option<AllowList<ReferenceValue<48>>>,
    /// `[[tdx.mrowner]]`; `None`: not looked at.
    pub mrowner: Option<AllowList<ReferenceValue<48>>>,
    /// `[[tdx.mrownerconfig]]`; `None`: not looked at.
    pub mrownerconfig: Option<AllowList<ReferenceValue<48>>>,
    /// `service_td`: whether service TDs may be bound to the guest (MRSERVICETD not zero).
    pub service_td: BitRule,
    /// `[tdx.attributes]`.
    pub attributes: TdAttributeRules,
    /// `[tdx.xfam]`; `None`: not looked at.
    pub xfam: Option<XfamRules>,
}

/// A flag of ATTRIBUTES that a document must speak about. The name is Intel's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TdAttributeBit {
    /// Bit 28, SEPT_VE_DISABLE: the host cannot make the guest fault on its own pages.
    SeptVeDisable,
    /// Bit 29, MIGRATABLE: a migration TD may take the guest elsewhere.
    Migratable,
    /// Bit 30, PKS: supervisor protection keys.
    Pks,
    /// Bit 63, PERFMON: performance counters.
    Perfmon,
}

/// `[tdx.attributes]`: one rule for each flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TdAttributeRules(pub(crate) [BitRule; 4]);

/// Names of the statuses in a document.
pub(crate) const STATUSES: [(&str, TcbStatus); 8] = [
    ("UpToDate", TcbStatus::UpToDate),
    ("SWHardeningNeeded", TcbStatus::SwHardeningNeeded),
    ("ConfigurationNeeded", TcbStatus::ConfigurationNeeded),
    (
        "ConfigurationAndSWHardeningNeeded",
        TcbStatus::ConfigurationAndSwHardeningNeeded,
    ),
    ("OutOfDate", TcbStatus::OutOfDate),
    (
        "OutOfDateConfigurationNeeded",
        TcbStatus::OutOfDateConfigurationNeeded,
    ),
    ("TDRelaunchAdvised", TcbStatus::TdRelaunchAdvised),
    (
        "TDRelaunchAdvisedConfigurationNeeded",
        TcbStatus::TdRelaunchAdvisedConfigurationNeeded,
    ),
];

impl TdAttributeBit {
    /// Every flag, in the order of their bits.
    pub const ALL: [Self; 4] = [
        Self::SeptVeDisable,
        Self::Migratable,
        Self::Pks,
        Self::Perfmon,
    ];

    /// The key in a document: Intel's name in lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SeptVeDisable => "sept_ve_disable",
            Self::Migratable => "migratable",
            Self::Pks => "pks",
            Self::Perfmon => "perfmon",
        }
    }

    /// The flag's bit of ATTRIBUTES.
    #[must_use]
    pub const fn mask(self) -> u64 {
        match self {
            Self::SeptVeDisable => 1 << 28,
            Self::Migratable => 1 << 29,
            Self::Pks => 1 << 30,
            Self::Perfmon => 1 << 63,
        }
    }
}

impl TdAttributeRules {
    /// Every flag with its rule.
    pub fn iter(&self) -> impl Iterator<Item = (TdAttributeBit, BitRule)> {
        TdAttributeBit::ALL.into_iter().zip(self.0)
    }

    /// The rule of `bit`.
    #[must_use]
    pub fn of(&self, bit: TdAttributeBit) -> BitRule {
        let mut rules = self.iter();
        let found = rules.find(|(other, _)| *other == bit);
        found.map_or(BitRule::Forbid, |(_, rule)| rule)
    }
}
