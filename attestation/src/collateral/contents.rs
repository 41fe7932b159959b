//! What a bundle holds, item by item, with the window of each; nothing here is authentic yet.

use super::CollateralBundle;
use crate::{
    UnixTime, Window,
    nvidia::rim::{Rim, RimKind},
    ocsp::Response,
    snp, tdx,
    x509::{Certificate, RevocationList},
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

    /// When an item of this kind holds by its own words (of a chain: one certificate); `None` if it is no such item.
    #[must_use]
    pub fn window_of(self, item: &[u8]) -> Option<Window> {
        self.read(item).map(|(_, window)| window)
    }

    fn read(self, item: &[u8]) -> Reading {
        match self {
            Self::SnpCertificate
            | Self::TdxTcbInfoIssuerChain
            | Self::TdxQeIdentityIssuerChain
            | Self::TdxPckCrlIssuerChain
            | Self::TdxPckCertificateChain => certificate(item),
            Self::SnpCrl | Self::TdxRootCaCrl | Self::TdxPckCrl => crl(item),
            Self::TdxTcbInfo => tcb_info(item),
            Self::TdxQeIdentity => qe_identity(item),
            Self::NvidiaRim => rim(item),
            Self::NvidiaOcsp => ocsp(item),
        }
    }
}

/// A name and a window, if the item can be read.
type Reading = Option<(String, Window)>;

pub(super) fn of(bundle: &CollateralBundle) -> Vec<Item> {
    let (snp, nvidia) = (&bundle.snp, &bundle.nvidia);
    let all = |kind: ItemKind, items: &[Vec<u8>]| -> Vec<Item> {
        items
            .iter()
            .map(|bytes| item(kind, kind.read(bytes)))
            .collect()
    };
    [
        all(ItemKind::SnpCertificate, &snp.certificates),
        all(ItemKind::SnpCrl, &snp.crls),
        bundle.tdx.iter().flat_map(of_tdx).collect(),
        all(ItemKind::NvidiaRim, &nvidia.rims),
        all(ItemKind::NvidiaOcsp, &nvidia.ocsp),
    ]
    .concat()
}

fn of_tdx(one: &tdx::Collateral) -> Vec<Item> {
    use ItemKind as Kind;
    let single = |kind: Kind, bytes: &[u8]| item(kind, kind.read(bytes));
    let chain = |kind: Kind, certificates: &[Vec<u8>]| item(kind, chain(certificates));
    let mut items = vec![
        single(Kind::TdxTcbInfo, &one.tcb_info),
        chain(Kind::TdxTcbInfoIssuerChain, &one.tcb_info_issuer_chain),
        single(Kind::TdxQeIdentity, &one.qe_identity),
        chain(
            Kind::TdxQeIdentityIssuerChain,
            &one.qe_identity_issuer_chain,
        ),
        single(Kind::TdxRootCaCrl, &one.root_ca_crl),
        single(Kind::TdxPckCrl, &one.pck_crl),
        chain(Kind::TdxPckCrlIssuerChain, &one.pck_crl_issuer_chain),
    ];
    let pck = one.pck_certificate_chain.as_ref();
    items.extend(pck.map(|pck| chain(Kind::TdxPckCertificateChain, pck)));
    items
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
    let issuer = list.issuer().common_name()?;
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

/// Holds while all certificates do that it brings.
fn rim(xml: &[u8]) -> Reading {
    let rim = Rim::parse(xml).ok()?;
    let (_, window) = chain(rim.unverified_certificates())?;
    let part = match rim.unverified_kind() {
        RimKind::GpuDriver => "driver",
        RimKind::GpuVbios => "VBIOS",
        RimKind::SwitchBios => "switch BIOS",
    };
    let (chip, version) = (rim.unverified_name(), rim.unverified_version());
    Some((format!("{chip} {part} {version}"), window))
}

fn ocsp(der: &[u8]) -> Reading {
    let response = Response::parse(der).ok()?;
    let serial = response.unverified_serial().iter();
    let serial: String = serial.map(|byte| format!("{byte:02x}")).collect();
    Some((format!("serial {serial}"), response.unverified_window()))
}

/// The window of the TCB info, if it is about `fmspc`.
pub(super) fn tcb_info_window(one: &tdx::Collateral, fmspc: [u8; 6]) -> Option<Window> {
    let document: Dated = serde_json::from_slice(&one.tcb_info).ok()?;
    let expected: String = fmspc.iter().map(|byte| format!("{byte:02X}")).collect();
    let is_same = document.fmspc.as_ref()?.eq_ignore_ascii_case(&expected);
    is_same.then(|| document.window())?
}
