//! The CMW collection: one record per entry, each a set of byte strings in ascending order; an entry without items is absent.

use super::{
    CollateralBundle, CollateralError, SnpCollateral,
    limits::{self, Cap, MAX_COLLATERAL_BYTES},
    tdx_record,
};
use crate::{
    cbor::{self, Fields},
    nvidia::References,
};
use ciborium::Value;
use std::collections::BTreeSet;

/// An entry's name, its media type, and its caps.
struct Entry(&'static str, &'static str, Cap);

const SNP_CERTIFICATES: Entry = Entry(
    "snp-certificates",
    "application/vnd.narthex.certs+cbor",
    limits::CERTIFICATES,
);
const SNP_CRLS: Entry = Entry(
    "snp-crls",
    "application/vnd.narthex.crls+cbor",
    limits::SNP_CRLS,
);
const TDX: Entry = Entry(
    "tdx",
    "application/vnd.narthex.tdx-collateral+cbor",
    limits::TDX,
);
const NVIDIA_RIMS: Entry = Entry(
    "nvidia-rims",
    "application/vnd.narthex.rims+cbor",
    limits::RIMS,
);
const NVIDIA_OCSP: Entry = Entry(
    "nvidia-ocsp",
    "application/vnd.narthex.ocsp+cbor",
    limits::OCSP,
);

pub(super) fn read(fields: &mut Fields) -> Result<CollateralBundle, CollateralError> {
    Ok(CollateralBundle {
        snp: SnpCollateral {
            certificates: set(fields, &SNP_CERTIFICATES)?,
            crls: set(fields, &SNP_CRLS)?,
        },
        tdx: set(fields, &TDX)?
            .iter()
            .map(|record| tdx_record::read(record))
            .collect::<Result<_, _>>()?,
        nvidia: References {
            rims: set(fields, &NVIDIA_RIMS)?,
            ocsp: set(fields, &NVIDIA_OCSP)?,
        },
    })
}

pub(super) fn write(bundle: &CollateralBundle) -> Vec<u8> {
    let tdx: Vec<_> = bundle.tdx.iter().map(tdx_record::write).collect();
    let sets = [
        (SNP_CERTIFICATES, &bundle.snp.certificates),
        (SNP_CRLS, &bundle.snp.crls),
        (TDX, &tdx),
        (NVIDIA_RIMS, &bundle.nvidia.rims),
        (NVIDIA_OCSP, &bundle.nvidia.ocsp),
    ];
    let entries = sets.iter().filter(|(_, items)| !items.is_empty());
    cbor::encode(&cbor::map(
        entries.map(|(entry, items)| record(entry, items)),
    ))
}

/// Each part once, in the order of the encoding.
pub(super) fn sort(bundle: &mut CollateralBundle) {
    for set in [
        &mut bundle.snp.certificates,
        &mut bundle.snp.crls,
        &mut bundle.nvidia.rims,
        &mut bundle.nvidia.ocsp,
    ] {
        set.sort_unstable();
        set.dedup();
    }
    bundle.tdx.sort_by_cached_key(tdx_record::write);
    bundle.tdx.dedup();
}

fn record(Entry(name, media_type, _): &Entry, items: &[Vec<u8>]) -> (&'static str, Value) {
    let set: BTreeSet<&[u8]> = items.iter().map(Vec::as_slice).collect();
    let set = cbor::encode(&Value::Array(set.into_iter().map(Value::from).collect()));
    (
        name,
        Value::Array(vec![Value::from(*media_type), Value::Bytes(set)]),
    )
}

/// The items of an entry; none if it is absent.
fn set(fields: &mut Fields, entry: &Entry) -> Result<Vec<Vec<u8>>, CollateralError> {
    let Entry(name, media_type, cap) = entry;
    let Some(value) = fields.take(name) else {
        return Ok(Vec::new());
    };
    let items = record_items(value, media_type).ok_or(CollateralError::Entry(name))?;
    let items = checked(items, *cap, name)?;
    let ascends = items.windows(2).all(|pair| pair.first() < pair.last());
    ascends.then_some(items).ok_or(CollateralError::Order(name))
}

fn record_items(record: Value, media_type: &str) -> Option<Vec<Value>> {
    let [found, bytes] = <[Value; 2]>::try_from(record.into_array().ok()?).ok()?;
    (found.as_text() == Some(media_type)).then_some(())?;
    cbor::decode(&bytes.into_bytes().ok()?, MAX_COLLATERAL_BYTES)?
        .into_array()
        .ok()
}

/// At least one byte string, none of them empty, within the caps.
pub(super) fn checked(
    items: Vec<Value>,
    cap: Cap,
    name: &'static str,
) -> Result<Vec<Vec<u8>>, CollateralError> {
    if items.is_empty() {
        return Err(CollateralError::Entry(name));
    }
    if items.len() > cap.items {
        return Err(CollateralError::Count(name));
    }
    let item = |item: Value| {
        let bytes = item
            .into_bytes()
            .map_err(|_| CollateralError::Entry(name))?;
        sized(bytes, cap.bytes, name)
    };
    items.into_iter().map(item).collect()
}

/// Bytes, neither none nor more than `max_bytes`.
pub(super) fn sized(
    bytes: Vec<u8>,
    max_bytes: usize,
    name: &'static str,
) -> Result<Vec<u8>, CollateralError> {
    match bytes.len() {
        0 => Err(CollateralError::Entry(name)),
        length if length > max_bytes => Err(CollateralError::PartSize(name)),
        _ => Ok(bytes),
    }
}
