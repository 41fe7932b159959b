//! Azure evidence in one JSON document, as the attestation agents of confidential containers send it, in each of its versions.

use super::{
    super::{Exit, Failure},
    azure_files::{Input, Quote},
};
use base64::{
    Engine as _,
    alphabet::URL_SAFE,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use rustls_pki_types::{CertificateDer, pem::PemObject};
use serde::Deserialize;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Version 0 has no `version`, and other names for two members.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Container {
    #[serde(rename = "version")]
    _version: Option<u32>,
    #[serde(alias = "report")]
    hcl_report: Base64,
    #[serde(alias = "quote")]
    tpm_quote: ContainedQuote,
    vcek: Option<Certificate>,
    td_quote: Option<Base64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ContainedQuote {
    message: Hex,
    signature: Hex,
    pcrs: Vec<Hex>,
}

/// Bytes as a list of numbers (version 0), or as text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Bytes {
    Numbers(Vec<u8>),
    Text(String),
}

#[derive(Deserialize)]
#[serde(try_from = "Bytes")]
struct Base64(Vec<u8>);

#[derive(Deserialize)]
#[serde(try_from = "Bytes")]
struct Hex(Vec<u8>);

/// PEM (version 0) or base64 of the DER.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Certificate(Vec<u8>);

impl TryFrom<Bytes> for Base64 {
    type Error = &'static str;

    fn try_from(bytes: Bytes) -> Result<Self, Self::Error> {
        match bytes {
            Bytes::Numbers(bytes) => Ok(Self(bytes)),
            Bytes::Text(text) => BASE64.decode(text).map(Self).map_err(|_| "no base64url"),
        }
    }
}

impl TryFrom<Bytes> for Hex {
    type Error = &'static str;

    fn try_from(bytes: Bytes) -> Result<Self, Self::Error> {
        match bytes {
            Bytes::Numbers(bytes) => Ok(Self(bytes)),
            Bytes::Text(text) => hex::decode(text)
                .map(Self)
                .map_err(|_| "no hexadecimal text"),
        }
    }
}

impl TryFrom<String> for Certificate {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text.starts_with("-----BEGIN") {
            let certificate = CertificateDer::from_pem_slice(text.as_bytes());
            return certificate
                .map(|der| Self(der.to_vec()))
                .map_err(|_| "no certificate");
        }
        BASE64.decode(text).map(Self).map_err(|_| "no base64url")
    }
}

pub(super) fn parse(bytes: &[u8]) -> Result<Input, Failure> {
    let malformed = |detail: String| Failure::new(Exit::Malformed, "azure.evidence", detail);
    let container: Container = serde_json::from_slice(bytes).map_err(|error| {
        malformed(format!(
            "no evidence of an Azure VM: line {}, column {}",
            error.line(),
            error.column()
        ))
    })?;
    let pcrs: Result<Vec<[u8; 32]>, _> = container
        .tpm_quote
        .pcrs
        .into_iter()
        .map(|pcr| pcr.0.try_into())
        .collect();
    let pcrs = pcrs.map_err(|_| malformed("a PCR that has not 32 bytes".into()))?;
    Ok(Input {
        hcl_report: container.hcl_report.0,
        quote: Some(Quote {
            message: container.tpm_quote.message.0,
            signature: container.tpm_quote.signature.0,
            pcrs: Some(pcrs),
        }),
        vek: container.vcek.map(|vcek| vcek.0),
        td_quote: container.td_quote.map(|quote| quote.0),
        ..Input::default()
    })
}
