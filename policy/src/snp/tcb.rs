//! Rules about firmware: floors of each product, and what the vendor's advisories ask.

use crate::Position;
use attestation::{
    UnixTime,
    snp::{Product, SnpClaims, TcbVersion},
};

/// The least TCB that is accepted of a product, component by component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TcbFloor {
    /// The product it is for.
    pub product: Product,
    /// The floor; `fmc` is there exactly for Turin.
    pub floor: TcbVersion,
}

/// `[[snp.advisories]]`: the least SVN of one component that has what an advisory mends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirmwareAdvisory {
    /// Its name, e.g. `AMD-SB-3019`.
    pub name: String,
    /// The product it is for.
    pub product: Product,
    /// What it mends.
    pub component: TcbComponent,
    /// The least SVN with the fix.
    pub minimum: u8,
    /// The first second at which the fix is demanded; `None`: at once.
    pub from: Option<UnixTime>,
    /// Where it can be read.
    pub link: Option<String>,
    /// Where it stands in the document.
    pub at: Position,
}

/// A component of a TCB_VERSION.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TcbComponent {
    /// FMC firmware; only on Turin.
    Fmc,
    /// Boot loader.
    Bootloader,
    /// PSP operating system.
    Tee,
    /// SNP firmware.
    Snp,
    /// Microcode.
    Microcode,
}

/// A TCB_VERSION of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TcbField {
    /// REPORTED_TCB: what the host lets the firmware call its own, and what the VEK is derived from.
    Reported,
    /// COMMITTED_TCB: what the firmware can no longer be taken back behind.
    Committed,
    /// LAUNCH_TCB: the one that was current when the guest was started.
    Launch,
    /// CURRENT_TCB: the one that runs.
    Current,
}

/// Names of the components in a document.
pub(crate) const TCB_COMPONENTS: [(&str, TcbComponent); 5] = [
    ("fmc", TcbComponent::Fmc),
    ("bootloader", TcbComponent::Bootloader),
    ("tee", TcbComponent::Tee),
    ("snp", TcbComponent::Snp),
    ("microcode", TcbComponent::Microcode),
];

/// Names of the report's TCBs in a document.
pub(crate) const TCB_FIELDS: [(&str, TcbField); 4] = [
    ("reported", TcbField::Reported),
    ("committed", TcbField::Committed),
    ("launch", TcbField::Launch),
    ("current", TcbField::Current),
];

impl TcbComponent {
    /// Its SVN; `None` for the FMC of a product without one.
    #[must_use]
    pub const fn of(self, tcb: &TcbVersion) -> Option<u8> {
        match self {
            Self::Fmc => tcb.fmc,
            Self::Bootloader => Some(tcb.bootloader),
            Self::Tee => Some(tcb.tee),
            Self::Snp => Some(tcb.snp),
            Self::Microcode => Some(tcb.microcode),
        }
    }
}

impl TcbField {
    /// What the report says there.
    #[must_use]
    pub const fn of(self, claims: &SnpClaims) -> &TcbVersion {
        match self {
            Self::Reported => &claims.reported_tcb,
            Self::Committed => &claims.committed_tcb,
            Self::Launch => &claims.launch_tcb,
            Self::Current => &claims.current_tcb,
        }
    }

    /// AMD's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reported => "REPORTED_TCB",
            Self::Committed => "COMMITTED_TCB",
            Self::Launch => "LAUNCH_TCB",
            Self::Current => "CURRENT_TCB",
        }
    }
}

impl FirmwareAdvisory {
    /// Whether the fix is demanded at `now`.
    #[must_use]
    pub fn is_demanded(&self, now: UnixTime) -> bool {
        self.from.is_none_or(|from| now >= from)
    }
}
