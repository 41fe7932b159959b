//! As much DER as writing certificates takes.

use der::{Encode as _, asn1::ObjectIdentifier};

pub(super) fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut out = vec![tag];
    match length {
        0..128 => out.push(length as u8),
        128..256 => out.extend([0x81, length as u8]),
        _ => out.extend([0x82, (length >> 8) as u8, length as u8]),
    }
    out.extend_from_slice(content);
    out
}

pub(super) fn sequence(items: &[Vec<u8>]) -> Vec<u8> {
    tlv(0x30, &items.concat())
}

pub(super) fn oid(oid: &str) -> Vec<u8> {
    ObjectIdentifier::new_unwrap(oid).to_der().unwrap()
}

pub(super) fn integer(value: u8) -> Vec<u8> {
    value.to_der().unwrap()
}

pub(super) fn bit_string(bytes: &[u8]) -> Vec<u8> {
    tlv(0x03, &[&[0], bytes].concat())
}

/// `Name` with one common name.
pub(super) fn name(common_name: &str) -> Vec<u8> {
    let attribute = sequence(&[oid("2.5.4.3"), tlv(0x0C, common_name.as_bytes())]);
    sequence(&[tlv(0x31, &attribute)])
}

/// `UTCTime`, `YYMMDDHHMMSSZ`.
pub(super) fn time(text: &str) -> Vec<u8> {
    tlv(0x17, text.as_bytes())
}

/// RSASSA-PSS with SHA-384 and a salt of `salt` bytes.
pub(super) fn pss_sha384(salt: u8) -> Vec<u8> {
    let sha384 = sequence(&[oid("2.16.840.1.101.3.4.2.2"), tlv(0x05, &[])]);
    let mgf1 = sequence(&[oid("1.2.840.113549.1.1.8"), sha384.clone()]);
    let parameters = sequence(&[
        tlv(0xA0, &sha384),
        tlv(0xA1, &mgf1),
        tlv(0xA2, &integer(salt)),
    ]);
    sequence(&[oid("1.2.840.113549.1.1.10"), parameters])
}
