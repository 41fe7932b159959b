//! What a verified quote says.

use super::{TcbStatus, TdReport};
use crate::{ReportData, UnixTime, eventlog::Event};

/// Claims of one verified TD quote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TdxClaims {
    /// VERSION of the quote, 4 or 5.
    pub version: u16,
    /// What the TDX module reported of the TD.
    pub td: TdReport,
    /// USER_DATA of the quote's header; the first 16 bytes name the platform's quoting enclave.
    pub user_data: [u8; 20],
    /// What the PCK certificate says of the platform.
    pub platform: PlatformClaims,
    /// How current module, microcode and quoting enclave are.
    pub tcb: TcbClaims,
    /// The events whose replay gives RTMR0 to RTMR3; `None` when no log was given.
    pub events: Option<Vec<Event>>,
    /// issueDate of TCB info or of the QE identity, whichever is older.
    pub collateral_issued: UnixTime,
    /// Least end of the collateral's and the certificates' windows.
    pub not_after: UnixTime,
}

/// Who issued the PCK certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PckCa {
    /// Intel SGX PCK Platform CA: for registered platforms, which have an instance id.
    Platform,
    /// Intel SGX PCK Processor CA.
    Processor,
}

/// A platform, by its PCK certificate. Field names are those of the SGX extensions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlatformClaims {
    /// Who issued the certificate.
    pub ca: PckCa,
    /// PPID: names the processor package.
    pub ppid: [u8; 16],
    /// Platform instance id: another one whenever the platform is set up anew; Platform CA only.
    pub platform_instance_id: Option<[u8; 16]>,
    /// FMSPC: family, model, stepping, platform type and custom SKU.
    pub fmspc: [u8; 6],
    /// PCEID.
    pub pce_id: [u8; 2],
    /// SVNs of the SGX TCB components 1 to 16.
    pub components: [u8; 16],
    /// CPUSVN.
    pub cpu_svn: [u8; 16],
    /// PCESVN.
    pub pce_svn: u16,
    /// SGX type: 0 standard, 1 scalable, 2 scalable with integrity.
    pub sgx_type: u8,
    /// Whether packages may be added; `None` if the certificate does not tell.
    pub dynamic_platform: Option<bool>,
    /// Whether Intel's registration service keeps the platform's root keys; `None` if the certificate does not tell.
    pub cached_keys: Option<bool>,
    /// Whether simultaneous multithreading is on; `None` if the certificate does not tell.
    pub smt_enabled: Option<bool>,
}

/// How current everything is that the TD rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TcbClaims {
    /// Of platform, TDX module and quoting enclave together; never Revoked.
    pub status: TcbStatus,
    /// Of the platform's components at the TD's launch.
    pub platform_status: TcbStatus,
    /// Of the TDX module that launched the TD; `None` where TEE_TCB_SVN tells no version.
    pub module_status: Option<TcbStatus>,
    /// Of the TDX module that runs now, with the platform (TEE_TCB_SVN2); TD 1.5 only.
    pub current_status: Option<TcbStatus>,
    /// Of the quoting enclave.
    pub qe_status: TcbStatus,
    /// tcbDate of the oldest of the levels that platform, module and enclave meet.
    pub date: UnixTime,
    /// The same among those levels that are not UpToDate; `None` if all are.
    pub out_of_date_since: Option<UnixTime>,
    /// What the levels are exposed to: Intel's advisories, each once.
    pub advisory_ids: Vec<String>,
    /// tcbEvaluationDataNumber of TCB info.
    pub evaluation_data_number: u32,
    /// tcbEvaluationDataNumber of the QE identity.
    pub qe_evaluation_data_number: u32,
    /// Every component that a TCB level asks something of: what it has, and what UpToDate needs.
    pub components: Vec<ComponentSvn>,
}

/// A part of the TCB that has an SVN of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TcbComponent {
    /// SGX TCB component, 1 to 16.
    Sgx(u8),
    /// Provisioning certification enclave.
    Pce,
    /// TDX TCB component, 1 to 16: byte of TEE_TCB_SVN.
    Tdx(u8),
    /// TDX module, judged by the identity of its version.
    Module,
    /// TD quoting enclave.
    Qe,
}

/// Where one component stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComponentSvn {
    /// Which one.
    pub component: TcbComponent,
    /// Intel's name for it; empty if it has none.
    pub name: String,
    /// The SVN that it has.
    pub has: u16,
    /// The least SVN that is UpToDate.
    pub needs: u16,
}

impl TdxClaims {
    /// Whether the quote carries exactly `expected`.
    #[must_use]
    pub fn carries(&self, expected: &ReportData) -> bool {
        self.td.report_data == expected.0
    }
}

impl TcbClaims {
    /// The components that UpToDate needs a higher SVN of.
    pub fn behind(&self) -> impl Iterator<Item = &ComponentSvn> {
        self.components.iter().filter(|svn| svn.has < svn.needs)
    }

    /// Whether all is UpToDate, or out of date with levels whose tcbDate is at most `seconds` before `now`.
    ///
    /// A platform that must be configured otherwise, or software that must protect itself, is no matter of dates: never.
    #[must_use]
    pub fn within_grace(&self, seconds: u64, now: UnixTime) -> bool {
        match self.status {
            TcbStatus::UpToDate => true,
            TcbStatus::OutOfDate | TcbStatus::TdRelaunchAdvised => self
                .out_of_date_since
                .is_some_and(|since| now <= since.plus(seconds)),
            _ => false,
        }
    }
}

impl std::fmt::Display for TcbComponent {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sgx(number) => write!(formatter, "SGX TCB component {number}"),
            Self::Pce => formatter.write_str("PCE"),
            Self::Tdx(number) => write!(formatter, "TDX TCB component {number}"),
            Self::Module => formatter.write_str("TDX module"),
            Self::Qe => formatter.write_str("TD quoting enclave"),
        }
    }
}

impl std::fmt::Display for ComponentSvn {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}", self.component)?;
        if !self.name.is_empty() {
            write!(formatter, " ({})", self.name)?;
        }
        write!(formatter, ": has {}, needs {}", self.has, self.needs)
    }
}

impl std::fmt::Display for PckCa {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Platform => "Platform CA",
            Self::Processor => "Processor CA",
        })
    }
}
