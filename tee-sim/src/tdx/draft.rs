//! Everything that an invented Intel signs, before it is signed.

use super::{
    EventLog, QeIdentity, Quote, SgxExtensions, TcbInfo, certificates,
    certificates::{PCK_CA, ROOT},
    intel::Keys,
};
use crate::x509::{Certificate, Name, RevocationList};
use attestation::UnixTime;

/// What is signed, each field for itself: a test may make any of them wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// Intel SGX Root CA.
    pub root: Certificate,
    /// Intel SGX PCK Platform CA.
    pub pck_ca: Certificate,
    /// Intel SGX TCB Signing, of TCB info and QE identity.
    pub tcb_signing: Certificate,
    /// Another certificate for the same key, of the QE identity alone.
    pub qe_signing: Option<Certificate>,
    /// Intel SGX PCK Certificate, but for the SGX extensions.
    pub pck: Certificate,
    /// SGX extensions of the PCK certificate.
    pub sgx: Option<SgxExtensions>,
    /// CRL of the root.
    pub root_ca_crl: RevocationList,
    /// CRL of the PCK CA.
    pub pck_crl: RevocationList,
    /// Another CA certificate for the same key, above the CRL alone.
    pub pck_crl_ca: Option<Certificate>,
    /// TCB info.
    pub tcb_info: TcbInfo,
    /// QE identity.
    pub qe_identity: QeIdentity,
    /// The quote.
    pub quote: Quote,
    /// An event log beside the quote; its replay sets the RTMRs unless the test sets them after it.
    pub event_log: Option<EventLog>,
    /// Whose key signs what.
    pub signers: Signers,
}

/// One of the keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signer {
    /// The root's.
    Root,
    /// The PCK CA's.
    PckCa,
    /// That of the TCB signing certificate.
    TcbSigning,
    /// That of the PCK certificate.
    Pck,
    /// The quoting enclave's attestation key.
    Attestation,
    /// A key of nobody's.
    Stranger,
}

/// Whose key signs what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signers {
    /// PCK CA certificate.
    pub pck_ca: Signer,
    /// TCB signing certificate.
    pub tcb_signing: Signer,
    /// PCK certificate.
    pub pck: Signer,
    /// CRL of the root.
    pub root_ca_crl: Signer,
    /// CRL of the PCK CA.
    pub pck_crl: Signer,
    /// TCB info.
    pub tcb_info: Signer,
    /// QE identity.
    pub qe_identity: Signer,
    /// QE report.
    pub qe_report: Signer,
    /// Header and body of the quote.
    pub quote: Signer,
}

const DAY: u64 = 86_400;

impl Draft {
    /// A well-kept platform whose collateral is a day old at `now` and lasts for 29 more.
    pub(super) fn well_kept(keys: &Keys, now: UnixTime) -> Self {
        let window = [UnixTime(now.0.saturating_sub(DAY)), now.plus(29 * DAY)];
        Self {
            root: certificates::root(&keys.root),
            pck_ca: certificates::pck_ca([&keys.pck_ca, &keys.root]),
            tcb_signing: certificates::tcb_signing([&keys.tcb_signing, &keys.root]),
            qe_signing: None,
            pck: certificates::pck([&keys.pck, &keys.pck_ca]),
            sgx: Some(SgxExtensions::well_kept()),
            root_ca_crl: RevocationList::empty(Name::intel(ROOT), window, &keys.root),
            pck_crl: RevocationList::empty(Name::intel(PCK_CA), window, &keys.pck_ca),
            pck_crl_ca: None,
            tcb_info: TcbInfo::well_kept(window),
            qe_identity: QeIdentity::well_kept(window),
            quote: Quote::well_kept(),
            event_log: None,
            signers: Signers::TRUE,
        }
    }

    /// Puts `log` beside the quote and its replay into the RTMRs.
    pub fn log_events(&mut self, log: EventLog) {
        self.quote.body.report_mut().rtmrs = log.rtmrs();
        self.event_log = Some(log);
    }
}

impl Signers {
    const TRUE: Self = Self {
        pck_ca: Signer::Root,
        tcb_signing: Signer::Root,
        pck: Signer::PckCa,
        root_ca_crl: Signer::Root,
        pck_crl: Signer::PckCa,
        tcb_info: Signer::TcbSigning,
        qe_identity: Signer::TcbSigning,
        qe_report: Signer::Pck,
        quote: Signer::Attestation,
    };
}
