//! The evidence bundle: a CBOR CMW collection (RFC 9999) with one entry per role, strict and capped.

mod devices;

use crate::{
    CpuEvidence, DeviceEvidence, Digest, IdentityKey, SnpEvidence, TdxEvidence,
    cbor::{self, Fields},
    freshness::{Freshness, MAX_SIBLINGS, NoncePath},
};
use ciborium::Value;

/// Largest bundle accepted, in bytes: a dozen devices and the collateral of all.
pub const MAX_BUNDLE_BYTES: usize = 1024 * 1024;

/// Largest collateral that goes with a bundle, in bytes; what a verifier keeps for itself may be larger.
pub const MAX_STAPLED_BYTES: usize = 768 * 1024;

/// Most certificates in `chain`: nothing in use has more than one intermediate.
const MAX_CHAIN: usize = 4;

/// An entry's name and its media type.
#[derive(Clone, Copy)]
struct Entry(&'static str, &'static str);

const SNP_REPORT: Entry = Entry("cpu", "application/vnd.narthex.snp-report");
const TDX_QUOTE: Entry = Entry("cpu", "application/vnd.narthex.tdx-quote");
const EVENT_LOG: Entry = Entry("event-log", "application/vnd.narthex.ccel");
const DEVICES: Entry = Entry("devices", "application/vnd.narthex.devices+cbor");
const COLLATERAL: Entry = Entry("collateral", "application/vnd.narthex.collateral+cbor");
const VEK: Entry = Entry("vek", "application/pkix-cert");
const CHAIN: Entry = Entry("chain", "application/vnd.narthex.certs+cbor");
const MANIFEST: Entry = Entry("manifest", "application/vnd.narthex.manifest+cbor");
const IDENTITY: Entry = Entry("identity", "application/vnd.narthex.ed25519");
const FRESHNESS: Entry = Entry("freshness", "application/vnd.narthex.freshness");
const NONCE_PATH: Entry = Entry("nonce-path", "application/vnd.narthex.nonce-path+cbor");
const KEYS: Entry = Entry("keys", "application/cose");

/// Everything a verifier needs about one node, parsed but not verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvidenceBundle {
    /// The CPU's evidence and its endorsements.
    pub cpu: CpuEvidence,
    /// Each GPU's and switch's, in the order in which report_data binds them.
    pub devices: Vec<DeviceEvidence>,
    /// A collateral bundle that the node or the gateway adds for verifiers that have none of their own; as received.
    pub collateral: Option<Vec<u8>>,
    /// The manifest's bytes as received.
    pub manifest: Vec<u8>,
    /// The identity key, raw.
    pub identity: IdentityKey,
    /// The Merkle root of nonces that went into report_data.
    pub freshness: Freshness,
    /// The path of the nonce that this copy of the bundle answers.
    pub nonce_path: Option<NoncePath>,
    /// The signed key-config list (COSE_Sign1) as received; absent in an archived bundle.
    pub key_configs: Option<Vec<u8>>,
}

/// Why bundle bytes were refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// Longer than [`MAX_BUNDLE_BYTES`].
    #[error("the evidence bundle is larger than 1 MiB")]
    TooLarge,
    /// Not deterministic CBOR (RFC 8949 section 4.2.1).
    #[error("the evidence bundle is not deterministic CBOR")]
    NotDeterministic,
    /// Not the collection that docs/protocol.md describes: this entry is absent or mistyped.
    #[error("the evidence bundle's entry {0:?} is absent or malformed")]
    Entry(&'static str),
    /// An entry that docs/protocol.md does not describe.
    #[error("the evidence bundle has an unknown entry")]
    UnknownEntry,
}

impl BundleError {
    /// Stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooLarge => "bundle.size",
            Self::NotDeterministic => "bundle.encoding",
            Self::Entry(_) => "bundle.entry",
            Self::UnknownEntry => "bundle.unknown_entry",
        }
    }
}

impl EvidenceBundle {
    /// Parses the received bytes.
    pub fn from_cbor(bytes: &[u8]) -> Result<Self, BundleError> {
        if bytes.len() > MAX_BUNDLE_BYTES {
            return Err(BundleError::TooLarge);
        }
        let mut fields =
            Fields::decode(bytes, MAX_BUNDLE_BYTES).ok_or(BundleError::NotDeterministic)?;
        let bundle = Self::from_fields(&mut fields)?;
        fields.finish().ok_or(BundleError::UnknownEntry)?;
        Ok(bundle)
    }

    // R3.1
    fn from_fields(fields: &mut Fields) -> Result<Self, BundleError> {
        Ok(Self {
            cpu: cpu_from_fields(fields)?,
            devices: optional(fields, DEVICES, |bytes| devices::from_cbor(&bytes))?
                .unwrap_or_default(),
            collateral: optional(fields, COLLATERAL, stapled)?,
            manifest: required(fields, MANIFEST, Some)?,
            identity: IdentityKey(required(fields, IDENTITY, exactly)?),
            freshness: Freshness(required(fields, FRESHNESS, exactly)?),
            nonce_path: optional(fields, NONCE_PATH, |bytes| path_from_cbor(&bytes))?,
            key_configs: optional(fields, KEYS, Some)?,
        })
    }

    /// Deterministic CBOR.
    #[must_use]
    pub fn to_cbor(&self) -> Vec<u8> {
        let mut entries = cpu_records(&self.cpu);
        entries.extend([
            record(MANIFEST, &self.manifest),
            record(IDENTITY, &self.identity.0),
            record(FRESHNESS, &self.freshness.0),
        ]);
        if !self.devices.is_empty() {
            entries.push(record(DEVICES, &devices::to_cbor(&self.devices)));
        }
        let collateral = self.collateral.as_ref();
        entries.extend(collateral.map(|bytes| record(COLLATERAL, bytes)));
        let path = self.nonce_path.as_ref().map(path_to_cbor);
        entries.extend(path.map(|path| record(NONCE_PATH, &path)));
        entries.extend(self.key_configs.as_ref().map(|keys| record(KEYS, keys)));
        cbor::encode(&cbor::map(entries))
    }
}

/// The CPU's entries: those of one TEE only, so that the others' are unknown.
fn cpu_from_fields(fields: &mut Fields) -> Result<CpuEvidence, BundleError> {
    let (media_type, bytes) = fields
        .take(SNP_REPORT.0)
        .and_then(into_record)
        .ok_or(BundleError::Entry(SNP_REPORT.0))?;
    if media_type == SNP_REPORT.1 {
        return Ok(CpuEvidence::Snp(SnpEvidence {
            report: bytes,
            vek: required(fields, VEK, Some)?,
            chain: required(fields, CHAIN, |bytes| chain_from_cbor(&bytes))?,
        }));
    }
    if media_type == TDX_QUOTE.1 {
        return Ok(CpuEvidence::Tdx(TdxEvidence {
            quote: bytes,
            event_log: optional(fields, EVENT_LOG, Some)?,
        }));
    }
    Err(BundleError::Entry(SNP_REPORT.0))
}

fn cpu_records(cpu: &CpuEvidence) -> Vec<(&'static str, Value)> {
    match cpu {
        CpuEvidence::Snp(snp) => vec![
            record(SNP_REPORT, &snp.report),
            record(VEK, &snp.vek),
            record(CHAIN, &chain_to_cbor(&snp.chain)),
        ],
        CpuEvidence::Tdx(tdx) => {
            let log = tdx.event_log.as_ref().map(|log| record(EVENT_LOG, log));
            let quote = record(TDX_QUOTE, &tdx.quote);
            std::iter::once(quote).chain(log).collect()
        }
    }
}

/// A conceptual message wrapper's record: media type and bytes.
fn record(Entry(name, media_type): Entry, bytes: &[u8]) -> (&'static str, Value) {
    let items = vec![Value::from(media_type), Value::from(bytes)];
    (name, Value::Array(items))
}

fn required<T>(
    fields: &mut Fields,
    entry: Entry,
    parse: impl FnOnce(Vec<u8>) -> Option<T>,
) -> Result<T, BundleError> {
    optional(fields, entry, parse)?.ok_or(BundleError::Entry(entry.0))
}

fn optional<T>(
    fields: &mut Fields,
    entry: Entry,
    parse: impl FnOnce(Vec<u8>) -> Option<T>,
) -> Result<Option<T>, BundleError> {
    let Some(value) = fields.take(entry.0) else {
        return Ok(None);
    };
    let parsed = record_bytes(value, entry.1).and_then(parse);
    parsed.map(Some).ok_or(BundleError::Entry(entry.0))
}

/// The bytes of a record of `media_type`.
fn record_bytes(value: Value, media_type: &str) -> Option<Vec<u8>> {
    let (found, bytes) = into_record(value)?;
    (found == media_type).then_some(bytes)
}

/// Media type and bytes; empty bytes are refused.
fn into_record(value: Value) -> Option<(String, Vec<u8>)> {
    let [media_type, bytes] = <[Value; 2]>::try_from(value.into_array().ok()?).ok()?;
    let bytes = bytes.into_bytes().ok()?;
    let media_type = media_type.into_text().ok()?;
    (!bytes.is_empty()).then_some((media_type, bytes))
}

fn stapled(bytes: Vec<u8>) -> Option<Vec<u8>> {
    (bytes.len() <= MAX_STAPLED_BYTES).then_some(bytes)
}

fn exactly<const N: usize>(bytes: Vec<u8>) -> Option<[u8; N]> {
    bytes.try_into().ok()
}

fn chain_from_cbor(bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
    let certificates = cbor::decode(bytes, MAX_BUNDLE_BYTES)?.into_array().ok()?;
    if certificates.len() > MAX_CHAIN {
        return None;
    }
    let der = certificates.into_iter().map(|der| der.into_bytes().ok());
    der.collect()
}

fn chain_to_cbor(chain: &[Vec<u8>]) -> Vec<u8> {
    let certificates = chain.iter().map(|der| Value::from(der.as_slice()));
    cbor::encode(&Value::Array(certificates.collect()))
}

fn path_from_cbor(bytes: &[u8]) -> Option<NoncePath> {
    let path = cbor::decode(bytes, MAX_BUNDLE_BYTES)?.into_array().ok()?;
    let [index, size, siblings] = <[Value; 3]>::try_from(path).ok()?;
    let siblings = siblings.into_array().ok()?;
    if siblings.len() > MAX_SIBLINGS {
        return None;
    }
    Some(NoncePath {
        index: index.into_integer().ok()?.try_into().ok()?,
        size: size.into_integer().ok()?.try_into().ok()?,
        siblings: siblings.into_iter().map(digest).collect::<Option<_>>()?,
    })
}

fn digest(value: Value) -> Option<Digest> {
    exactly(value.into_bytes().ok()?)
}

fn path_to_cbor(path: &NoncePath) -> Vec<u8> {
    let siblings = path
        .siblings
        .iter()
        .map(|sibling| Value::from(sibling.as_slice()));
    cbor::encode(&Value::Array(vec![
        Value::from(path.index),
        Value::from(path.size),
        Value::Array(siblings.collect()),
    ]))
}

#[cfg(test)]
mod tests;
