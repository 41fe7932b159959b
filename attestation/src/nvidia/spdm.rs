//! An attestation report: the SPDM 1.1 GET_MEASUREMENTS request with its nonce, and the MEASUREMENTS response, as both went over the wire (DMTF DSP0274 1.1).

use super::{NvidiaError, opaque::OpaqueData};
use crate::cursor::Cursor;
use std::collections::BTreeMap;

/// What NVIDIA's management library reserves for a report; real ones take 2 to 4 KiB.
const MAX_REPORT_BYTES: usize = 8 * 1024;

const SPDM_1_1: u8 = 0x11;
const GET_MEASUREMENTS: u8 = 0xE0;
const MEASUREMENTS: u8 = 0x60;
/// Param1 of the request: a signature is asked for.
const SIGNATURE_REQUESTED: u8 = 1;
/// Param2 of the request: all blocks are asked for.
const ALL_MEASUREMENTS: u8 = 0xFF;
const MAX_SLOT: u8 = 7;
/// MeasurementSpecification: DMTF.
const DMTF: u8 = 1;
/// Bit of DMTFSpecMeasurementValueType: the value is a bit stream and no digest.
const RAW_BIT_STREAM: u8 = 0x80;

/// A report whose structure is sound; nothing in it is authentic yet.
pub(super) struct Report<'a> {
    /// Request and response without the signature, as received: what the signature is over.
    pub(super) signed_bytes: &'a [u8],
    /// r || s, big-endian, 48 bytes each.
    pub(super) signature: [u8; 96],
    /// Nonce of the request (bytes 4 to 35).
    pub(super) nonce: [u8; 32],
    /// DMTF measurement blocks by index, which counts from 1.
    pub(super) measurements: BTreeMap<u8, Measurement<'a>>,
    pub(super) opaque: OpaqueData<'a>,
}

/// The value of a DMTF measurement block.
#[derive(Clone, Copy)]
pub(super) struct Measurement<'a> {
    value_type: u8,
    value: &'a [u8],
}

/// The fields of a report in their order, not looked into yet.
struct Fields<'a> {
    signed_bytes: &'a [u8],
    request_header: [u8; 4],
    nonce: [u8; 32],
    slot: u8,
    response_header: [u8; 4],
    number_of_blocks: u8,
    measurement_record: &'a [u8],
    opaque_data: &'a [u8],
    signature: [u8; 96],
}

impl<'a> Report<'a> {
    /// Parses request and response. The signature is the last field: a byte after it is refused.
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, NvidiaError> {
        let fields = Fields::split(bytes).ok_or(NvidiaError::ReportSize(bytes.len()))?;
        check_request(fields.request_header, fields.slot)?;
        check_response(fields.response_header, fields.slot)?;
        Ok(Self {
            signed_bytes: fields.signed_bytes,
            signature: fields.signature,
            nonce: fields.nonce,
            measurements: blocks(fields.measurement_record, fields.number_of_blocks)?,
            opaque: OpaqueData::parse(fields.opaque_data)?,
        })
    }
}

impl<'a> Fields<'a> {
    /// `None` unless the lengths that the fields name fill `bytes` exactly.
    fn split(bytes: &'a [u8]) -> Option<Self> {
        if bytes.len() > MAX_REPORT_BYTES {
            return None;
        }
        let mut rest = Cursor::new(bytes);
        let request_header = rest.array()?;
        let nonce = rest.array()?;
        let slot = rest.u8()?;
        let response_header = rest.array()?;
        let number_of_blocks = rest.u8()?;
        let [low, middle, high] = rest.array()?;
        let record_length = u32::from_le_bytes([low, middle, high, 0]);
        let measurement_record = rest.bytes(usize::try_from(record_length).ok()?)?;
        let _nonce_of_the_response = rest.array::<32>()?;
        let opaque_length = rest.u16_le()?;
        let opaque_data = rest.bytes(opaque_length.into())?;
        let (signed_bytes, _) = bytes.split_last_chunk::<96>()?;
        let signature = rest.array()?;
        rest.is_empty().then_some(Self {
            signed_bytes,
            request_header,
            nonce,
            slot,
            response_header,
            number_of_blocks,
            measurement_record,
            opaque_data,
            signature,
        })
    }
}

/// The request is for all blocks and a signature.
fn check_request(header: [u8; 4], slot: u8) -> Result<(), NvidiaError> {
    let [version, code, param1, param2] = header;
    let checks = [
        ("SPDMVersion", version == SPDM_1_1),
        ("RequestResponseCode", code == GET_MEASUREMENTS),
        ("Param1", param1 == SIGNATURE_REQUESTED),
        ("Param2", param2 == ALL_MEASUREMENTS),
        ("SlotIDParam", slot <= MAX_SLOT),
    ];
    first_failing(&checks, NvidiaError::ReportRequest)
}

/// The response is signed by the key of the requested slot.
fn check_response(header: [u8; 4], slot: u8) -> Result<(), NvidiaError> {
    let [version, code, param1, param2] = header;
    let checks = [
        ("SPDMVersion", version == SPDM_1_1),
        ("RequestResponseCode", code == MEASUREMENTS),
        ("Param1", param1 == 0),
        ("Param2", param2 == slot),
    ];
    first_failing(&checks, NvidiaError::ReportResponse)
}

fn first_failing(
    checks: &[(&'static str, bool)],
    error: fn(&'static str) -> NvidiaError,
) -> Result<(), NvidiaError> {
    let failing = checks.iter().find(|(_, passed)| !passed);
    failing.map_or(Ok(()), |(field, _)| Err(error(field)))
}

/// The blocks of a measurement record: as many as are told, each index once.
fn blocks(record: &[u8], number: u8) -> Result<BTreeMap<u8, Measurement<'_>>, NvidiaError> {
    let malformed = NvidiaError::ReportMeasurements;
    let mut rest = Cursor::new(record);
    let mut blocks = BTreeMap::new();
    while !rest.is_empty() {
        let (index, measurement) = block(&mut rest).ok_or(malformed("a block is cut off"))?;
        let measurement = measurement.ok_or(malformed("a block is not DMTF's"))?;
        if index == 0 {
            return Err(malformed("a block has index 0"));
        }
        if blocks.insert(index, measurement).is_some() {
            return Err(malformed("an index occurs twice"));
        }
    }
    if number == 0 || blocks.len() != usize::from(number) {
        return Err(malformed("NumberOfBlocks is another number"));
    }
    Ok(blocks)
}

/// Index and value of the next block; no value if the block is not in DMTF's format.
fn block<'a>(rest: &mut Cursor<'a>) -> Option<(u8, Option<Measurement<'a>>)> {
    let index = rest.u8()?;
    let specification = rest.u8()?;
    let size = rest.u16_le()?;
    let mut measurement = Cursor::new(rest.bytes(size.into())?);
    let value_type = measurement.u8()?;
    let value_size = measurement.u16_le()?;
    let value = measurement.bytes(value_size.into())?;
    let is_dmtf = specification == DMTF && measurement.is_empty();
    Some((index, is_dmtf.then_some(Measurement { value_type, value })))
}

impl<'a> Measurement<'a> {
    /// The digest; `None` if the device gives the bits themselves.
    pub(super) fn digest(&self) -> Option<&'a [u8]> {
        (self.value_type & RAW_BIT_STREAM == 0).then_some(self.value)
    }
}
