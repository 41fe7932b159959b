//! Evidence of several devices as NVIDIA's tools keep it: JSON, reports and certificates in base64.
//!
//! Read are the reports and the certificates; versions, identifiers and nonces beside them are not signed and left alone. Known are
//! `gpus` with `nvswitches` (the Python SDK's pickles), `evidences` and a bare list (`nvattest collect-evidence`), and `evidence_list` (NRAS requests).

use crate::DeviceEvidence;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;

/// Twelve devices take 150 KB.
const MAX_DOCUMENT_BYTES: usize = 4 * 1024 * 1024;
const MAX_DEVICES: usize = 128;
const MAX_CERTIFICATES: usize = 8;
const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// The devices of a list, in its order, GPUs first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvidenceList {
    /// Reports and chains as the list has them.
    pub devices: Vec<DeviceEvidence>,
}

/// Why a list was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EvidenceListError {
    /// More than 4 MiB.
    #[error("the evidence list has {0} bytes; this build reads up to 4194304")]
    Size(usize),
    /// Not JSON, or not one of the known forms.
    #[error(
        "the evidence list is refused at line {line}, column {column}: not JSON, or none of NVIDIA's forms"
    )]
    Form {
        /// Counted from 1.
        line: usize,
        /// Counted from 1.
        column: usize,
    },
    /// None, or more than 128 devices.
    #[error("the evidence list has {0} devices; this build takes 1 to 128")]
    Count(usize),
    /// A report is not base64.
    #[error("report {0} of the evidence list is not base64")]
    Report(usize),
    /// A chain is not PEM in base64, or longer than any.
    #[error("chain {0} of the evidence list is not PEM certificates in base64")]
    Chain(usize),
}

#[derive(Default, Deserialize)]
struct Object {
    #[serde(default)]
    gpus: Vec<Gpu>,
    #[serde(default)]
    nvswitches: Vec<Switch>,
    #[serde(default)]
    evidences: Vec<Entry>,
    #[serde(default)]
    evidence_list: Vec<Entry>,
}

#[derive(Deserialize)]
struct Gpu {
    #[serde(rename = "AttestationReport")]
    report: Pickled,
    #[serde(rename = "CertificateChains")]
    chains: GpuChains,
}

#[derive(Deserialize)]
struct GpuChains {
    #[serde(rename = "GpuAttestationCertificateChain")]
    chain: Vec<Pem>,
}

#[derive(Deserialize)]
struct Switch {
    attestation_report: Pickled,
    attestation_cert_chain: Vec<Pem>,
}

#[derive(Deserialize)]
struct Pickled {
    #[serde(rename = "py/b64")]
    base64: String,
}

/// PEM in base64: one certificate or all of them.
#[derive(Deserialize)]
struct Pem {
    pem: String,
}

#[derive(Deserialize)]
struct Entry {
    evidence: String,
    certificate: String,
}

/// Report and PEM texts, still in base64.
struct Encoded {
    report: String,
    pems: Vec<String>,
}

impl EvidenceList {
    /// Reads any of the known forms.
    pub fn from_json(json: &[u8]) -> Result<Self, EvidenceListError> {
        if json.len() > MAX_DOCUMENT_BYTES {
            return Err(EvidenceListError::Size(json.len()));
        }
        let encoded = Encoded::all(Object::parse(json)?);
        if !(1..=MAX_DEVICES).contains(&encoded.len()) {
            return Err(EvidenceListError::Count(encoded.len()));
        }
        let devices = encoded
            .iter()
            .enumerate()
            .map(decode)
            .collect::<Result<_, _>>()?;
        Ok(Self { devices })
    }
}

impl Object {
    /// A bare list is one of `evidences`.
    fn parse(json: &[u8]) -> Result<Self, EvidenceListError> {
        let is_list = json.trim_ascii_start().first() == Some(&b'[');
        let parsed = if is_list {
            serde_json::from_slice(json).map(|evidences| Self {
                evidences,
                ..Self::default()
            })
        } else {
            serde_json::from_slice(json)
        };
        parsed.map_err(|error| EvidenceListError::Form {
            line: error.line(),
            column: error.column(),
        })
    }
}

impl EvidenceListError {
    /// Stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Size(_) => "nvidia.evidence.size",
            Self::Form { .. } => "nvidia.evidence.form",
            Self::Count(_) => "nvidia.evidence.count",
            Self::Report(_) => "nvidia.evidence.report",
            Self::Chain(_) => "nvidia.evidence.chain",
        }
    }
}

impl Encoded {
    fn all(object: Object) -> Vec<Self> {
        let pems = |pems: Vec<Pem>| pems.into_iter().map(|one| one.pem).collect();
        let gpus = object.gpus.into_iter().map(|gpu| Self {
            report: gpu.report.base64,
            pems: pems(gpu.chains.chain),
        });
        let switches = object.nvswitches.into_iter().map(|switch| Self {
            report: switch.attestation_report.base64,
            pems: pems(switch.attestation_cert_chain),
        });
        let entries = object.evidences.into_iter().chain(object.evidence_list);
        let entries = entries.map(|entry| Self {
            report: entry.evidence,
            pems: vec![entry.certificate],
        });
        gpus.chain(switches).chain(entries).collect()
    }
}

fn decode((index, encoded): (usize, &Encoded)) -> Result<DeviceEvidence, EvidenceListError> {
    let report = STANDARD.decode(&encoded.report);
    let chain: Option<Vec<_>> = encoded.pems.iter().map(|pem| certificates(pem)).collect();
    let chain = chain.map(|chain| chain.concat());
    Ok(DeviceEvidence {
        report: report.map_err(|_| EvidenceListError::Report(index))?,
        chain: chain
            .filter(|chain| (1..=MAX_CERTIFICATES).contains(&chain.len()))
            .ok_or(EvidenceListError::Chain(index))?,
    })
}

/// The certificates of a PEM text in base64, DER; nothing but white space may stand around them.
fn certificates(base64: &str) -> Option<Vec<Vec<u8>>> {
    let pem = String::from_utf8(STANDARD.decode(base64).ok()?).ok()?;
    let mut blocks = pem.split(BEGIN);
    let before = blocks.next()?;
    before.trim().is_empty().then_some(())?;
    blocks.map(certificate).collect()
}

fn certificate(block: &str) -> Option<Vec<u8>> {
    let (body, after) = block.split_once(END)?;
    after.trim().is_empty().then_some(())?;
    let body: String = body.split_ascii_whitespace().collect();
    STANDARD.decode(body).ok()
}
