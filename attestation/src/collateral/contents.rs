//! What a bundle holds, item by item, with the window of each; nothing here is authentic yet.

use super::CollateralBundle;
use crate::{
    UnixTime, Window, snp, tdx,
    x509::{self, Certificate, RevocationList},
};
use serde::Deserialize;

/// One item of a bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// What it is.
    pub kind: ItemKind,
    /// Whom or what it is about: subject, issuer, FMSPC, chip; empty if it cannot be read.
    pub name: String,
    /// When it holds by its own words; `None` if it cannot be read.
    pub window: Option<Window>,
}

/// What an item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ItemKind {
    /// A VCEK, VLEK, ASK, ASVK or ARK.
    SnpCertificate,
    /// Revocation list of an ARK.
    SnpCrl,
    /// Intel's TCB info.
    TdxTcbInfo,
    /// The chain of its signer.
    TdxTcbInfoIssuerChain,
    /// Identity of the TD quoting enclave.
    TdxQeIdentity,
    /// The chain of its signer.
    TdxQeIdentityIssuerChain,
    /// Revocation list of the Intel SGX Root CA.
    TdxRootCaCrl,
    /// Revocation list of a PCK CA.
    TdxPckCrl,
    /// The chain of its issuer.
    TdxPckCrlIssuerChain,
    /// A PCK certificate with its chain.
    TdxPckCertificateChain,
    /// A reference integrity manifest; its window is its signer's.
    NvidiaRim,
    /// An OCSP response.
    NvidiaOcsp,
}

impl ItemKind {
    /// Stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::SnpCertificate => "snp.certificate",
            Self::SnpCrl => "snp.crl",
            Self::TdxTcbInfo => "tdx.tcb_info",
            Self::TdxTcbInfoIssuerChain => "tdx.tcb_info_issuer_chain",
            Self::TdxQeIdentity => "tdx.qe_identity",
            Self::TdxQeIdentityIssuerChain => "tdx.qe_identity_issuer_chain",
            Self::TdxRootCaCrl => "tdx.root_ca_crl",
            Self::TdxPckCrl => "tdx.pck_crl",
            Self::TdxPckCrlIssuerChain => "tdx.pck_crl_issuer_chain",
            Self::TdxPckCertificateChain => "tdx.pck_certificate_chain",
            Self::NvidiaRim => "nvidia.rim",
            Self::NvidiaOcsp => "nvidia.ocsp",
        }
    }
}

/// A name and a window, if the item can be read.
type Reading = Option<(String, Window)>;

pub(super) fn of(bundle: &CollateralBundle) -> Vec<Item> {
    let snp = &bundle.snp;
    let certificates = snp.certificates.iter().map(|der| certificate(der));
    let crls = snp.crls.iter().map(|der| crl(der));
    let rims = bundle.nvidia.rims.iter().map(|_| None);
    let ocsp = bundle.nvidia.ocsp.iter().map(|_| None);
    let mut items = Vec::new();
    items.extend(certificates.map(|reading| item(ItemKind::SnpCertificate, reading)));
    items.extend(crls.map(|reading| item(ItemKind::SnpCrl, reading)));
    items.extend(bundle.tdx.iter().flat_map(of_tdx));
    items.extend(rims.map(|reading| item(ItemKind::NvidiaRim, reading)));
    items.extend(ocsp.map(|reading| item(ItemKind::NvidiaOcsp, reading)));
    items
}

fn of_tdx(one: &tdx::Collateral) -> Vec<Item> {
    use ItemKind as Kind;
    let readings = [
        (Kind::TdxTcbInfo, tcb_info(&one.tcb_info)),
        (
            Kind::TdxTcbInfoIssuerChain,
            chain(&one.tcb_info_issuer_chain),
        ),
        (Kind::TdxQeIdentity, qe_identity(&one.qe_identity)),
        (
            Kind::TdxQeIdentityIssuerChain,
            chain(&one.qe_identity_issuer_chain),
        ),
        (Kind::TdxRootCaCrl, crl(&one.root_ca_crl)),
        (Kind::TdxPckCrl, crl(&one.pck_crl)),
        (Kind::TdxPckCrlIssuerChain, chain(&one.pck_crl_issuer_chain)),
    ];
    let pck = one.pck_certificate_chain.as_ref();
    let pck = pck.map(|pck| (Kind::TdxPckCertificateChain, chain(pck)));
    let readings = readings.into_iter().chain(pck);
    readings
        .map(|(kind, reading)| item(kind, reading))
        .collect()
}

fn item(kind: ItemKind, reading: Reading) -> Item {
    let (name, window) = reading.unzip();
    Item {
        kind,
        name: name.unwrap_or_default(),
        window,
    }
}

fn certificate(der: &[u8]) -> Reading {
    let certificate = Certificate::parse(der)?;
    let name = snp::vek_name(der).or_else(|| certificate.common_name().map(str::to_owned))?;
    Some((name, certificate.window()))
}

fn crl(der: &[u8]) -> Reading {
    let list = RevocationList::parse(der)?;
    let issuer = x509::common_name(list.issuer())?;
    Some((issuer.to_owned(), list.window()))
}

/// Named after its leaf; holds while all of it does.
fn chain(chain: &[Vec<u8>]) -> Reading {
    let certificates: Option<Vec<_>> = chain.iter().map(|der| Certificate::parse(der)).collect();
    let certificates = certificates?;
    let name = certificates.first()?.common_name()?.to_owned();
    let windows = certificates.iter().map(Certificate::window);
    Some((name, windows.fold(Window::ALWAYS, Window::meet)))
}

/// What TCB info and QE identity have in common; everything else is the TDX verifier's.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Dated {
    id: String,
    issue_date: String,
    next_update: String,
    fmspc: Option<String>,
}

impl Dated {
    fn window(&self) -> Option<Window> {
        Some(Window {
            not_before: UnixTime::from_rfc3339(&self.issue_date)?,
            not_after: UnixTime::from_rfc3339(&self.next_update)?,
        })
    }
}

fn tcb_info(json: &[u8]) -> Reading {
    let document: Dated = serde_json::from_slice(json).ok()?;
    let window = document.window()?;
    Some((format!("FMSPC {}", document.fmspc?.to_uppercase()), window))
}

fn qe_identity(json: &[u8]) -> Reading {
    let document: Dated = serde_json::from_slice(json).ok()?;
    let window = document.window()?;
    Some((document.id, window))
}

/// The window of the TCB info, if it is about `fmspc`.
pub(super) fn tcb_info_window(one: &tdx::Collateral, fmspc: [u8; 6]) -> Option<Window> {
    let document: Dated = serde_json::from_slice(&one.tcb_info).ok()?;
    let expected: String = fmspc.iter().map(|byte| format!("{byte:02X}")).collect();
    let is_same = document.fmspc.as_ref()?.eq_ignore_ascii_case(&expected);
    is_same.then(|| document.window())?
}
