//! Why TDX evidence was refused: one variant per step, in the order of the steps.

use super::{Certificate, Chain, Fault, STEPS, TdReport};
use crate::{ErrorClass, Step, eventlog::EventLogError};

/// The step that failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TdxError {
    /// Shorter than its fields say, or longer than any quote.
    #[error("a quote of {0} bytes is cut off or longer than any quote")]
    QuoteSize(usize),
    /// VERSION is not 4 or 5.
    #[error("quote version {0} is not known; this build knows 4 and 5")]
    QuoteVersion(u16),
    /// TEE type is not TDX: of an SGX enclave (0), or unknown.
    #[error("the quote is of TEE type {tee_type:#x}, not of a TD (81h){}", sgx(*.tee_type))]
    TeeType {
        /// TEE type of the header.
        tee_type: u32,
    },
    /// The attestation key is not ECDSA P-256.
    #[error("attestation key type {0} is not known; this build knows 2, ECDSA P-256")]
    KeyType(u16),
    /// Signed by another vendor's quoting enclave.
    #[error("the quote is of a quoting enclave that is not Intel's")]
    QeVendor,
    /// Unknown type of body, or another size than its type has.
    #[error("a body of type {code} and {size} bytes is not known")]
    Body {
        /// Type, as in quote v5.
        code: u16,
        /// Size, in bytes.
        size: u32,
    },
    /// ATTRIBUTES has a reserved bit set.
    #[error("the TD's attributes {0:#x} use reserved bits")]
    Attributes(u64),
    /// The signature data's lengths do not add up.
    #[error("the quote's signature data is cut off or too long: {0}")]
    SignatureData(&'static str),
    /// Certification data of another type than 6 around 2, 3 or 5.
    #[error(
        "certification data of type {0} is not known; this build knows a PCK chain (5) and encrypted PPIDs (2, 3)"
    )]
    CertificationType(u16),
    /// The collateral is no well-formed document, or a chain in it is not two certificates.
    #[error("the collateral is malformed: {0}")]
    CollateralFormat(String),
    /// TCB info is no well-formed document of version 3 for TDX.
    #[error("TCB info is malformed: {0}")]
    TcbInfoFormat(String),
    /// The QE identity is no well-formed document of version 2 for the TD quoting enclave.
    #[error("the QE identity is malformed: {0}")]
    QeIdentityFormat(String),
    /// A revocation list is none.
    #[error("{0} CRL is malformed, has no nextUpdate or has an unknown critical extension")]
    CrlFormat(&'static str),
    /// The PCK chain is not three certificates, or not in the one form that Intel writes.
    #[error("the PCK chain is not three certificates: PCK, PCK CA and root")]
    PckFormat,
    /// An SGX extension of the PCK certificate is absent, doubled or malformed.
    #[error("the PCK certificate has no well-formed {0}")]
    PckExtension(&'static str),
    /// The event log is none.
    #[error("{0}")]
    EventLogFormat(EventLogError),
    /// Other bytes than zeros follow the quote.
    #[error("something else than zeros follows the quote")]
    Padding,
    /// The attestation key did not sign header and body.
    #[error("the signature on the quote is wrong")]
    Signature,
    /// The QE report does not speak for the attestation key.
    #[error("the QE report is not bound to the attestation key")]
    KeyBinding,
    /// The event log cannot be replayed to RTMRs.
    #[error("{0}")]
    EventLogReplay(EventLogError),
    /// The event log gives another value than the quote.
    #[error("the event log does not give the quote's RTMR{0}")]
    EventLog(usize),
    /// A path does not lead to Intel's root, or not at this time.
    #[error("the {certificate} of {} chain {fault}", chain.name())]
    Chain {
        /// Which path.
        chain: Chain,
        /// Which certificate of it.
        certificate: Certificate,
        /// What is wrong.
        fault: Fault,
    },
    /// The TCB Signing certificate did not sign TCB info.
    #[error("the signature on TCB info is wrong")]
    TcbInfoSignature,
    /// The caller's time is before issueDate or after nextUpdate.
    #[error("TCB info is not current: fetch a newer one")]
    TcbInfoWindow,
    /// The TCB Signing certificate did not sign the QE identity.
    #[error("the signature on the QE identity is wrong")]
    QeIdentitySignature,
    /// The caller's time is before issueDate or after nextUpdate.
    #[error("the QE identity is not current: fetch a newer one")]
    QeIdentityWindow,
    /// A CRL of another issuer than the root and the PCK CA.
    #[error("a CRL is not its issuer's own")]
    CrlIssuer,
    /// The issuer did not sign the CRL.
    #[error("the signature on a CRL is wrong")]
    CrlSignature,
    /// The caller's time is before thisUpdate or after nextUpdate.
    #[error("a CRL is not current: fetch a newer one")]
    CrlWindow,
    /// A certificate that the collateral rests on is revoked.
    #[error("the {0} of the collateral is revoked")]
    Revocation(Certificate),
    /// The quote names its PCK certificate only, and the collateral does not bring it.
    #[error("the quote carries no PCK certificate: give collateral that brings it")]
    PckMissing,
    /// The PCK's issuer is not the one whose CRL was given.
    #[error("the CRL is of another CA than the PCK's issuer")]
    PckList,
    /// PCK certificate or PCK CA is revoked.
    #[error("the {0} is revoked")]
    PckRevoked(Certificate),
    /// The PCK did not sign the QE report.
    #[error("the signature on the QE report is wrong")]
    QeReportSignature,
    /// All that the quote carries holds; whether its platform is current nobody can tell.
    #[error(
        "no collateral was given: whether the platform is current and not revoked is not known"
    )]
    CollateralMissing(Box<TdReport>),
    /// The QE report is not that of the enclave in the QE identity.
    #[error("the QE report's {0} is not that of Intel's TD quoting enclave")]
    QeIdentity(&'static str),
    /// ISVSVN below every level.
    #[error("the quoting enclave's SVN {0} meets no TCB level")]
    QeLevel(u16),
    /// TCB info of another FMSPC or PCEID than the PCK certificate's.
    #[error("the collateral is for another platform: FMSPC or PCEID differ")]
    Platform,
    /// TCB info knows no TDX module of this version.
    #[error("TCB info knows no TDX module of version {0}")]
    ModuleIdentity(u8),
    /// MRSIGNERSEAM or SEAMATTRIBUTES are not those of the module's identity.
    #[error(
        "the TDX module is not of the signer, or has not the attributes, that TCB info demands"
    )]
    ModuleSigner,
    /// SVN of the module below every level.
    #[error("the TDX module's SVN {0} meets no TCB level")]
    ModuleLevel(u8),
    /// The platform's SVNs are below every level.
    #[error("the platform meets no TCB level")]
    Level,
    /// The level that is met is Revoked.
    #[error("the platform's TCB level is revoked")]
    Revoked,
}

impl TdxError {
    /// Stable code, the id of the step.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::QuoteSize(_) => "tdx.quote.size",
            Self::QuoteVersion(_) => "tdx.quote.version",
            Self::TeeType { .. } => "tdx.quote.tee_type",
            Self::KeyType(_) => "tdx.quote.key_type",
            Self::QeVendor => "tdx.quote.qe_vendor",
            Self::Body { .. } => "tdx.quote.body",
            Self::Attributes(_) => "tdx.quote.attributes",
            Self::SignatureData(_) => "tdx.quote.signature_data",
            Self::CertificationType(_) => "tdx.quote.certification",
            Self::CollateralFormat(_) => "tdx.collateral.format",
            Self::TcbInfoFormat(_) => "tdx.tcb_info.format",
            Self::QeIdentityFormat(_) => "tdx.qe_identity.format",
            Self::CrlFormat(_) => "tdx.crl.format",
            Self::PckFormat => "tdx.pck.format",
            Self::PckExtension(_) => "tdx.pck.extensions",
            Self::EventLogFormat(_) => "tdx.event_log.format",
            Self::Padding => "tdx.quote.padding",
            Self::Signature => "tdx.signature",
            Self::KeyBinding => "tdx.key_binding",
            Self::EventLogReplay(_) | Self::EventLog(_) => "tdx.event_log.replay",
            Self::Chain { chain, fault, .. } => chain_code(*chain, *fault),
            Self::TcbInfoSignature => "tdx.tcb_info.signature",
            Self::TcbInfoWindow => "tdx.tcb_info.window",
            Self::QeIdentitySignature => "tdx.qe_identity.signature",
            Self::QeIdentityWindow => "tdx.qe_identity.window",
            Self::CrlIssuer => "tdx.crl.issuer",
            Self::CrlSignature => "tdx.crl.signature",
            Self::CrlWindow => "tdx.crl.window",
            Self::Revocation(_) => "tdx.crl.revoked",
            Self::PckMissing => "tdx.pck.given",
            Self::PckList => "tdx.pck.crl",
            Self::PckRevoked(_) => "tdx.pck.revoked",
            Self::QeReportSignature => "tdx.qe_report.signature",
            Self::CollateralMissing(_) => "tdx.collateral.given",
            Self::QeIdentity(_) => "tdx.qe_report.identity",
            Self::QeLevel(_) => "tdx.qe_report.level",
            Self::Platform => "tdx.tcb.platform",
            Self::ModuleIdentity(_) => "tdx.module.identity",
            Self::ModuleSigner => "tdx.module.signer",
            Self::ModuleLevel(_) => "tdx.module.level",
            Self::Level => "tdx.tcb.level",
            Self::Revoked => "tdx.tcb.revoked",
        }
    }

    /// The step that failed; those before it passed, those after it were not tried.
    #[must_use]
    pub fn step(&self) -> Option<&'static Step> {
        STEPS.iter().find(|step| step.id == self.code())
    }

    /// What the refusal says of the input.
    #[must_use]
    pub const fn class(&self) -> ErrorClass {
        match self {
            Self::TeeType { tee_type: 0 } | Self::QeVendor | Self::CertificationType(1 | 4 | 7) => {
                ErrorClass::Unsupported
            }
            Self::EventLogFormat(error) | Self::EventLogReplay(error) => error.class(),
            Self::QuoteSize(_)
            | Self::QuoteVersion(_)
            | Self::TeeType { .. }
            | Self::KeyType(_)
            | Self::Body { .. }
            | Self::Attributes(_)
            | Self::SignatureData(_)
            | Self::CertificationType(_)
            | Self::CollateralFormat(_)
            | Self::TcbInfoFormat(_)
            | Self::QeIdentityFormat(_)
            | Self::CrlFormat(_)
            | Self::PckFormat
            | Self::PckExtension(_) => ErrorClass::Malformed,
            Self::PckMissing | Self::CollateralMissing(_) => ErrorClass::Incomplete,
            _ => ErrorClass::Rejected,
        }
    }

    /// Whether the same quote may pass with fresher collateral.
    #[must_use]
    pub const fn retryable(&self) -> bool {
        matches!(
            self,
            Self::TcbInfoWindow
                | Self::QeIdentityWindow
                | Self::CrlWindow
                | Self::Chain {
                    fault: Fault::Dates,
                    ..
                }
        )
    }
}

const fn chain_code(chain: Chain, fault: Fault) -> &'static str {
    match (chain, fault) {
        (Chain::TcbInfo, Fault::Dates) => "tdx.tcb_info.dates",
        (Chain::TcbInfo, _) => "tdx.tcb_info.chain",
        (Chain::QeIdentity, Fault::Dates) => "tdx.qe_identity.dates",
        (Chain::QeIdentity, _) => "tdx.qe_identity.chain",
        (Chain::PckCrl, Fault::Dates) => "tdx.crl.dates",
        (Chain::PckCrl, _) => "tdx.crl.chain",
        (Chain::Pck, Fault::Dates) => "tdx.pck.dates",
        (Chain::Pck, _) => "tdx.pck.chain",
    }
}

impl Chain {
    const fn name(self) -> &'static str {
        match self {
            Self::TcbInfo => "TCB info's",
            Self::QeIdentity => "QE identity's",
            Self::PckCrl => "PCK CRL's",
            Self::Pck => "PCK's",
        }
    }
}

const fn sgx(tee_type: u32) -> &'static str {
    match tee_type {
        0 => ": it is an SGX enclave's, and this build verifies none",
        _ => "",
    }
}
