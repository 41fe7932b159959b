//! The firmware's digest in an attestation key's certificate (TCG DICE Attestation Architecture).

use crate::x509::Certificate;
use der::{
    Decode as _, Reader as _, SliceReader, Tag, TagNumber, Tagged,
    asn1::{AnyRef, ObjectIdentifier, OctetStringRef},
};

/// Hopper and LS10: `SEQUENCE { INTEGER version, SubjectPublicKeyInfo deviceID, FWID }`.
const DEVICE_ID: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.23.133.5.4.1");
/// Blackwell: `DiceTcbInfo`, whose `fwids [6]` begins with the firmware's.
const TCB_INFO: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.23.133.5.4.1.1");
const SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.2");
const FWIDS: Tag = Tag::ContextSpecific {
    constructed: true,
    number: TagNumber(6),
};

/// The firmware's digest; `Ok(None)` without the extension, `Err` if it is malformed or there are both of them.
pub(super) fn of(certificate: &Certificate<'_>) -> Result<Option<[u8; 48]>, ()> {
    let device_id = certificate.extension(DEVICE_ID);
    let tcb_info = certificate.extension(TCB_INFO);
    match (device_id, tcb_info) {
        (None, None) => Ok(None),
        (Some(value), None) => of_device_id(value).map(Some).ok_or(()),
        (None, Some(value)) => of_tcb_info(value).map(Some).ok_or(()),
        (Some(_), Some(_)) => Err(()),
    }
}

fn of_device_id(value: &[u8]) -> Option<[u8; 48]> {
    let fields = items(sequence(value)?)?;
    let [version, key, fwid] = fields.as_slice() else {
        return None;
    };
    let tags = [version, key, fwid].map(Tagged::tag);
    let is_known = tags == [Tag::Integer, Tag::Sequence, Tag::Sequence];
    is_known.then(|| digest(fwid.value()))?
}

fn of_tcb_info(value: &[u8]) -> Option<[u8; 48]> {
    let fields = items(sequence(value)?)?;
    let mut all = fields.iter().filter(|field| field.tag() == FWIDS);
    let (fwids, None) = (all.next()?, all.next()) else {
        return None;
    };
    let first = *items(fwids.value())?.first()?;
    (first.tag() == Tag::Sequence).then(|| digest(first.value()))?
}

/// `FWID ::= SEQUENCE { OBJECT IDENTIFIER hashAlg, OCTET STRING digest }`, of SHA-384.
fn digest(fwid: &[u8]) -> Option<[u8; 48]> {
    let mut reader = SliceReader::new(fwid).ok()?;
    let algorithm = reader.decode::<ObjectIdentifier>().ok()?;
    let digest = reader.decode::<&OctetStringRef>().ok()?;
    reader.finish().ok()?;
    (algorithm == SHA384).then(|| digest.as_bytes().try_into().ok())?
}

/// The elements that `der` consists of.
fn items(der: &[u8]) -> Option<Vec<AnyRef<'_>>> {
    let mut reader = SliceReader::new(der).ok()?;
    let mut items = Vec::new();
    while !reader.is_finished() {
        items.push(reader.decode::<AnyRef<'_>>().ok()?);
    }
    Some(items)
}

/// The content of the one SEQUENCE that `der` is.
fn sequence(der: &[u8]) -> Option<&[u8]> {
    let value = AnyRef::from_der(der).ok()?;
    (value.tag() == Tag::Sequence).then(|| value.value())
}
