//! What is to be verified, as JSON: byte strings in hex, time in RFC 3339.

use attestation::UnixTime;
use serde::Deserialize;

/// Larger than any evidence with its certificates and lists.
const MAX_REQUEST_BYTES: usize = 4 * 1024 * 1024;

/// SNP evidence.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    report: String,
    vek: String,
    chain: Vec<String>,
    crls: Vec<String>,
    at: String,
}

/// The same in bytes.
pub(crate) struct Evidence {
    pub(crate) report: Vec<u8>,
    pub(crate) vek: Vec<u8>,
    pub(crate) chain: Vec<Vec<u8>>,
    pub(crate) crls: Vec<Vec<u8>>,
    pub(crate) at: UnixTime,
}

impl Evidence {
    /// Reads a request; `None` if it is none.
    pub(crate) fn parse(request: &[u8]) -> Option<Self> {
        if request.len() > MAX_REQUEST_BYTES {
            return None;
        }
        let request: Request = serde_json::from_slice(request).ok()?;
        Some(Self {
            report: hex::decode(request.report).ok()?,
            vek: hex::decode(request.vek).ok()?,
            chain: decode_all(&request.chain)?,
            crls: decode_all(&request.crls)?,
            at: UnixTime::from_rfc3339(&request.at)?,
        })
    }
}

fn decode_all(texts: &[String]) -> Option<Vec<Vec<u8>>> {
    texts.iter().map(|text| hex::decode(text).ok()).collect()
}
