//! SNP and TDX evidence through configfs-tsm (Linux, Documentation/ABI/testing/configfs-tsm-report): make an entry, write `inblob`, read
//! `outblob` (the report or quote) and, for SNP, `auxblob` (the host's certificate table), see from `generation` that nobody else wrote,
//! remove the entry.

use super::{
    CertTable, CertTableError, ReportTree, VekError, VekFile,
    cert_table::MAX_TABLE_BYTES,
    quote,
    report::{self, REPORT_BYTES},
    vek,
};
use attestation::{
    Binding, CpuEvidence, EvidenceError, EvidenceProvider, ForeignReportData, ReportData,
    SnpEvidence, TdxEvidence,
};
use std::{
    io, process,
    sync::atomic::{AtomicU64, Ordering},
};

/// Most bytes of `outblob` with a report, which has fewer.
const MAX_REPORT_BYTES: usize = 4096;
/// Most bytes of `outblob` with a quote: the kernel's own limit is 16 KiB.
const MAX_QUOTE_BYTES: usize = 16 * 1024;
/// Most bytes of a textual attribute.
const MAX_TEXT_BYTES: usize = 64;

/// The platforms that this module speaks to, by the text of `provider`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Platform {
    /// `sev_guest`
    Snp,
    /// `tdx_guest`
    Tdx,
}

/// The provider on `T`, the kernel's tree or a test's.
pub struct Tsm<T> {
    tree: T,
    vek: Option<VekFile>,
    privlevel: Option<u8>,
    event_log: Option<Vec<u8>>,
    next_entry: AtomicU64,
}

/// Why there is no evidence, in the order of the steps; `code()` is stable.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TsmError {
    /// The entry could not be made.
    #[error("a report entry could not be made: {0}")]
    Create(io::Error),
    /// An attribute could not be read or written.
    #[error("the attribute {0} failed: {1}")]
    Attribute(&'static str, io::Error),
    /// The platform is another one.
    #[error("the platform's provider is neither sev_guest nor tdx_guest")]
    Provider,
    /// `generation` is no number.
    #[error("the attribute generation is malformed")]
    Generation,
    /// Somebody else wrote to the entry.
    #[error("another writer changed the request")]
    Race,
    /// The report has another length.
    #[error("the report does not have {REPORT_BYTES} bytes")]
    ReportSize,
    /// The report answers another request.
    #[error("the firmware's report does not carry the requested report_data")]
    Mismatch,
    /// The host's certificate table.
    #[error(transparent)]
    Table(#[from] CertTableError),
    /// The certificate of the signing key.
    #[error(transparent)]
    Vek(#[from] VekError),
}

impl TsmError {
    /// Stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Create(_) => "tsm.create",
            Self::Attribute(..) => "tsm.attribute",
            Self::Provider => "tsm.provider",
            Self::Generation => "tsm.generation",
            Self::Race => "tsm.race",
            Self::ReportSize => "tsm.report_size",
            Self::Mismatch => "tsm.mismatch",
            Self::Table(error) => error.code(),
            Self::Vek(error) => error.code(),
        }
    }
}

impl From<TsmError> for EvidenceError {
    fn from(error: TsmError) -> Self {
        match error {
            TsmError::Mismatch => Self::Mismatch,
            other => Self::Unavailable(format!("{}: {other}", other.code())),
        }
    }
}

impl<T: ReportTree> EvidenceProvider for Tsm<T> {
    fn evidence(&self, binding: &Binding) -> Result<CpuEvidence, EvidenceError> {
        Ok(self.report(&binding.report_data())?)
    }

    fn foreign_evidence(&self, data: &ForeignReportData) -> Result<CpuEvidence, EvidenceError> {
        Ok(self.report(&data.report_data())?)
    }
}

impl<T: ReportTree> Tsm<T> {
    /// A provider on `tree`, with the operator's certificate and VMPL if there are any.
    #[must_use]
    pub const fn new(tree: T, vek: Option<VekFile>, privlevel: Option<u8>) -> Self {
        Self {
            tree,
            vek,
            privlevel,
            event_log: None,
            next_entry: AtomicU64::new(0),
        }
    }

    /// Hands this CCEL event log out with quotes.
    #[must_use]
    pub fn with_event_log(self, event_log: Option<Vec<u8>>) -> Self {
        Self { event_log, ..self }
    }

    /// Evidence that carries `request`. The VMPL is asked for of SNP only: TDX has none.
    pub fn report(&self, request: &ReportData) -> Result<CpuEvidence, TsmError> {
        let entry = Entry::create(&self.tree, self.next_name())?;
        match entry.platform()? {
            Platform::Snp => {
                let report = entry.exchange(request, self.privlevel, MAX_REPORT_BYTES)?;
                self.endorse(report, request).map(CpuEvidence::Snp)
            }
            Platform::Tdx => {
                let quote = entry.exchange(request, None, MAX_QUOTE_BYTES)?.report;
                self.with_log(quote, request).map(CpuEvidence::Tdx)
            }
        }
    }

    fn endorse(&self, answer: Answer, request: &ReportData) -> Result<SnpEvidence, TsmError> {
        if answer.report.len() != REPORT_BYTES {
            return Err(TsmError::ReportSize);
        }
        if !report::carries(&answer.report, request) {
            return Err(TsmError::Mismatch);
        }
        let table = CertTable::parse(&answer.certificates)?;
        let kind = report::signing_key(&answer.report);
        Ok(SnpEvidence {
            vek: vek::choose(kind, &table, self.vek.as_ref())?,
            chain: table.ask.into_iter().collect(),
            report: answer.report,
        })
    }

    fn with_log(&self, quote: Vec<u8>, request: &ReportData) -> Result<TdxEvidence, TsmError> {
        if !quote::carries(&quote, request) {
            return Err(TsmError::Mismatch);
        }
        Ok(TdxEvidence {
            quote,
            event_log: self.event_log.clone(),
        })
    }

    fn next_name(&self) -> String {
        let number = self.next_entry.fetch_add(1, Ordering::Relaxed);
        format!("narthex-{}-{number}", process::id())
    }
}

/// One entry of the tree, removed on drop.
struct Entry<'a, T: ReportTree> {
    tree: &'a T,
    name: String,
}

struct Answer {
    report: Vec<u8>,
    certificates: Vec<u8>,
}

impl<'a, T: ReportTree> Entry<'a, T> {
    fn create(tree: &'a T, name: String) -> Result<Self, TsmError> {
        tree.create(&name).map_err(TsmError::Create)?;
        Ok(Self { tree, name })
    }

    fn platform(&self) -> Result<Platform, TsmError> {
        match self.read("provider", MAX_TEXT_BYTES)?.trim_ascii() {
            b"sev_guest" => Ok(Platform::Snp),
            b"tdx_guest" => Ok(Platform::Tdx),
            _ => Err(TsmError::Provider),
        }
    }

    /// Asks and reads; the generation must rise by exactly our own writes.
    fn exchange(
        &self,
        request: &ReportData,
        privlevel: Option<u8>,
        max_bytes: usize,
    ) -> Result<Answer, TsmError> {
        let before = self.generation()?;
        if let Some(level) = privlevel {
            self.write("privlevel", level.to_string().as_bytes())?;
        }
        self.write("inblob", &request.0)?;
        let answer = Answer {
            report: self.read("outblob", max_bytes)?,
            certificates: self.certificates()?,
        };
        let own_writes = 1 + u64::from(privlevel.is_some());
        if self.generation()?.checked_sub(before) == Some(own_writes) {
            Ok(answer)
        } else {
            Err(TsmError::Race)
        }
    }

    /// `auxblob`; a kernel whose host gave no table says ENXIO, or nothing.
    fn certificates(&self) -> Result<Vec<u8>, TsmError> {
        match self.tree.read(&self.name, "auxblob", MAX_TABLE_BYTES) {
            Err(error) if is_absent(&error) => Ok(Vec::new()),
            read => read.map_err(|error| TsmError::Attribute("auxblob", error)),
        }
    }

    fn generation(&self) -> Result<u64, TsmError> {
        let text = self.read("generation", MAX_TEXT_BYTES)?;
        let text = str::from_utf8(text.trim_ascii()).map_err(|_| TsmError::Generation)?;
        text.parse().map_err(|_| TsmError::Generation)
    }

    fn read(&self, attribute: &'static str, max_bytes: usize) -> Result<Vec<u8>, TsmError> {
        self.tree
            .read(&self.name, attribute, max_bytes)
            .map_err(|error| TsmError::Attribute(attribute, error))
    }

    fn write(&self, attribute: &'static str, bytes: &[u8]) -> Result<(), TsmError> {
        self.tree
            .write(&self.name, attribute, bytes)
            .map_err(|error| TsmError::Attribute(attribute, error))
    }
}

fn is_absent(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
        || error.raw_os_error() == Some(rustix::io::Errno::NXIO.raw_os_error())
}

impl<T: ReportTree> Drop for Entry<'_, T> {
    fn drop(&mut self) {
        // An entry that cannot be removed costs the kernel some bytes and nobody anything else.
        let _ = self.tree.remove(&self.name);
    }
}
