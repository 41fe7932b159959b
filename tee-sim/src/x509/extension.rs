//! The extensions that the vendors' certificates and lists have (RFC 5280 sections 4.2 and 5.2).

use crate::der::{boolean, element, integer, object_identifier, octet_string, sequence};

/// One extension before it is encoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension {
    /// Its object identifier, arc by arc.
    pub oid: Vec<u32>,
    /// Whether it must be understood.
    pub critical: bool,
    /// `extnValue`, without the octet string around it.
    pub value: Vec<u8>,
}

/// Object identifiers by which an extension is found again.
pub mod oids {
    /// subjectKeyIdentifier.
    pub const SUBJECT_KEY_IDENTIFIER: &[u32] = &[2, 5, 29, 14];
    /// keyUsage.
    pub const KEY_USAGE: &[u32] = &[2, 5, 29, 15];
    /// basicConstraints.
    pub const BASIC_CONSTRAINTS: &[u32] = &[2, 5, 29, 19];
    /// cRLNumber.
    pub const CRL_NUMBER: &[u32] = &[2, 5, 29, 20];
    /// deltaCRLIndicator.
    pub const DELTA_CRL_INDICATOR: &[u32] = &[2, 5, 29, 27];
    /// authorityKeyIdentifier.
    pub const AUTHORITY_KEY_IDENTIFIER: &[u32] = &[2, 5, 29, 35];
}

/// What a key may be used for: the first byte of keyUsage, `digitalSignature` the most significant bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyUsage(pub u8);

impl KeyUsage {
    /// `keyCertSign` and `cRLSign`.
    pub const CERTIFICATES_AND_LISTS: Self = Self(0b0000_0110);
    /// `keyCertSign` alone.
    pub const CERTIFICATES: Self = Self(0b0000_0100);
    /// `cRLSign` alone.
    pub const LISTS: Self = Self(0b0000_0010);
    /// `digitalSignature` and `nonRepudiation`.
    pub const SIGNATURES: Self = Self(0b1100_0000);
    /// `keyEncipherment` alone.
    pub const ENCIPHERMENT: Self = Self(0b0010_0000);
}

impl Extension {
    /// An extension that may be ignored.
    #[must_use]
    pub fn new(oid: &[u32], value: Vec<u8>) -> Self {
        Self {
            oid: oid.to_vec(),
            critical: false,
            value,
        }
    }

    /// An extension that must be understood.
    #[must_use]
    pub fn critical(oid: &[u32], value: Vec<u8>) -> Self {
        Self {
            critical: true,
            ..Self::new(oid, value)
        }
    }

    /// keyUsage.
    #[must_use]
    pub fn key_usage(usage: KeyUsage) -> Self {
        let unused = u8::try_from(usage.0.trailing_zeros()).expect("at most 8");
        Self::critical(oids::KEY_USAGE, element(0x03, &[unused, usage.0]))
    }

    /// basicConstraints of an authority over `path_length` more, or over any number.
    #[must_use]
    pub fn authority(path_length: Option<u64>) -> Self {
        let mut members = vec![boolean(0xFF)];
        members.extend(path_length.map(integer));
        Self::critical(oids::BASIC_CONSTRAINTS, sequence(&members))
    }

    /// basicConstraints of a certificate that issues nothing.
    #[must_use]
    pub fn end_entity() -> Self {
        Self::critical(oids::BASIC_CONSTRAINTS, sequence(&[]))
    }

    /// subjectKeyIdentifier.
    #[must_use]
    pub fn subject_key_identifier(identifier: &[u8]) -> Self {
        Self::new(oids::SUBJECT_KEY_IDENTIFIER, octet_string(identifier))
    }

    /// authorityKeyIdentifier.
    #[must_use]
    pub fn authority_key_identifier(identifier: &[u8]) -> Self {
        let key = element(0x80, identifier);
        Self::new(oids::AUTHORITY_KEY_IDENTIFIER, sequence(&[key]))
    }

    /// cRLNumber.
    #[must_use]
    pub fn crl_number(number: u64) -> Self {
        Self::new(oids::CRL_NUMBER, integer(number))
    }

    pub(super) fn to_der(&self) -> Vec<u8> {
        let mut members = vec![object_identifier(&self.oid)];
        members.extend(self.critical.then(|| boolean(0xFF)));
        members.push(octet_string(&self.value));
        sequence(&members)
    }
}

/// SEQUENCE OF Extension, DER.
pub(super) fn encode(extensions: &[Extension]) -> Vec<u8> {
    let all: Vec<_> = extensions.iter().map(Extension::to_der).collect();
    sequence(&all)
}
