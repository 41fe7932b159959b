//! The header of an encapsulated request (RFC 9458 section 4.3): key id, KEM, KDF and AEAD.

use crate::Form;
use crate::hpke::{KDF_HKDF_SHA256, Kem, Suite, aead_from_id, aead_id};

/// Bytes of the header, without the encapsulation that follows.
pub(crate) const HEADER_LEN: usize = 7;

/// The header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) key_id: u8,
    pub(crate) suite: Suite,
}

impl Header {
    pub(crate) fn encode(&self) -> [u8; HEADER_LEN] {
        let [k0, k1] = self.suite.kem.id().to_be_bytes();
        let [d0, d1] = KDF_HKDF_SHA256.to_be_bytes();
        let [a0, a1] = aead_id(self.suite.aead).to_be_bytes();
        [self.key_id, k0, k1, d0, d1, a0, a1]
    }

    /// `None` if a suite is named that is not spoken.
    pub(crate) fn parse([key_id, k0, k1, d0, d1, a0, a1]: [u8; HEADER_LEN]) -> Option<Self> {
        if u16::from_be_bytes([d0, d1]) != KDF_HKDF_SHA256 {
            return None;
        }
        let kem = Kem::from_id(u16::from_be_bytes([k0, k1]))?;
        let aead = aead_from_id(u16::from_be_bytes([a0, a1]))?;
        Some(Self {
            key_id,
            suite: Suite { kem, aead },
        })
    }

    /// HPKE's info in the form that we send.
    pub(crate) fn info(&self) -> Vec<u8> {
        Form::Chunked.info(self)
    }
}

/// The exporter context of a response's secret in the form that we send.
pub(crate) const RESPONSE_LABEL: &[u8] = Form::Chunked.response_label();
