//! The TPM's quote: `TPMS_ATTEST` of type `TPM_ST_ATTEST_QUOTE` and its `TPMT_SIGNATURE` (TPM 2.0 Library part 2, sections 10.12 and 11.3).

use super::{AzureError, Pcr, QuoteClaims, TpmQuote, attestation_key::AttestationKey};
use crate::{crypto, cursor::Cursor};

const TPM_GENERATED_VALUE: u32 = 0xFF54_4347;
const TPM_ST_ATTEST_QUOTE: u16 = 0x8018;
const TPM_ALG_SHA256: u16 = 0x000B;
const TPM_ALG_RSASSA: u16 = 0x0014;
/// `TPM2B_DATA` holds at most a `TPMT_HA` of SHA-512.
const MAX_EXTRA_DATA_BYTES: usize = 66;
/// A name: algorithm and SHA-256.
const NAME_BYTES: usize = 34;
const SIGNATURE_BYTES: usize = 256;

/// A quote whose structure is sound; nothing in it is authentic yet.
pub(super) struct Quote<'a> {
    message: &'a [u8],
    signature: &'a [u8],
    pub(super) claims: QuoteClaims,
}

impl<'a> Quote<'a> {
    pub(super) fn parse(quote: &TpmQuote<'a>) -> Result<Self, AzureError> {
        let attest = Attest::parse(quote.message)?;
        let signature = signature(quote.signature).ok_or(AzureError::SignatureFormat)?;
        let pcrs = quote.pcrs.map(|values| attest.pcrs(values)).transpose()?;
        Ok(Self {
            message: quote.message,
            signature,
            claims: attest.claims(pcrs),
        })
    }

    /// RSASSA-PKCS1-v1_5 with SHA-256 over the bytes received.
    pub(super) fn check_signature(&self, key: &AttestationKey) -> Result<(), AzureError> {
        crypto::rsa_pkcs1_sha256_verify(&key.der, self.message, self.signature)
            .then_some(())
            .ok_or(AzureError::QuoteSignature)
    }

    pub(super) fn check_nonce(&self, nonce: Option<&[u8]>) -> Result<(), AzureError> {
        let is_answer = nonce.is_none_or(|nonce| nonce == self.claims.extra_data);
        is_answer.then_some(()).ok_or(AzureError::Nonce)
    }

    /// pcrDigest is the SHA-256 of the selected PCRs, one after the other.
    pub(super) fn check_pcrs(&self) -> Result<(), AzureError> {
        let Some(pcrs) = &self.claims.pcrs else {
            return Ok(());
        };
        let values: Vec<u8> = pcrs.iter().flat_map(|pcr| pcr.value).collect();
        (crypto::sha256(&values) == self.claims.pcr_digest)
            .then_some(())
            .ok_or(AzureError::PcrDigest)
    }
}

/// `TPMS_ATTEST` with its `TPMS_CLOCK_INFO` and `TPMS_QUOTE_INFO`.
struct Attest<'a> {
    qualified_signer: [u8; NAME_BYTES],
    extra_data: &'a [u8],
    clock: Clock,
    firmware_version: u64,
    /// Numbers of the selected PCRs, ascending.
    selection: Vec<u8>,
    pcr_digest: [u8; 32],
}

struct Clock {
    clock_ms: u64,
    reset_count: u32,
    restart_count: u32,
    safe: bool,
}

impl<'a> Attest<'a> {
    fn parse(message: &'a [u8]) -> Result<Self, AzureError> {
        let mut cursor = Cursor::new(message);
        header(&mut cursor)?;
        let signer = sized(&mut cursor).and_then(|name| name.try_into().ok());
        let qualified_signer = signer.ok_or(AzureError::QuoteFormat("qualifiedSigner"))?;
        let extra_data = sized(&mut cursor).filter(|data| data.len() <= MAX_EXTRA_DATA_BYTES);
        let extra_data = extra_data.ok_or(AzureError::QuoteFormat("extraData"))?;
        let clock = clock(&mut cursor).ok_or(AzureError::QuoteFormat("clockInfo"))?;
        let firmware_version = cursor.u64_be();
        let firmware_version =
            firmware_version.ok_or(AzureError::QuoteFormat("firmwareVersion"))?;
        let selection = selection(&mut cursor)?;
        let digest = sized(&mut cursor).and_then(|digest| digest.try_into().ok());
        let pcr_digest = digest.ok_or(AzureError::QuoteFormat("pcrDigest"))?;
        if !cursor.is_empty() {
            return Err(AzureError::QuoteFormat("end"));
        }
        Ok(Self {
            qualified_signer,
            extra_data,
            clock,
            firmware_version,
            selection,
            pcr_digest,
        })
    }

    /// `values` with their numbers: exactly one for each selected PCR.
    fn pcrs(&self, values: &[[u8; 32]]) -> Result<Vec<Pcr>, AzureError> {
        if values.len() != self.selection.len() {
            return Err(AzureError::PcrCount {
                selected: self.selection.len(),
                given: values.len(),
            });
        }
        let pcrs = self.selection.iter().zip(values);
        Ok(pcrs
            .map(|(index, value)| Pcr {
                index: *index,
                value: *value,
            })
            .collect())
    }

    fn claims(self, pcrs: Option<Vec<Pcr>>) -> QuoteClaims {
        QuoteClaims {
            extra_data: self.extra_data.to_vec(),
            qualified_signer: self.qualified_signer,
            clock_ms: self.clock.clock_ms,
            reset_count: self.clock.reset_count,
            restart_count: self.clock.restart_count,
            safe: self.clock.safe,
            firmware_version: self.firmware_version,
            selection: self.selection,
            pcr_digest: self.pcr_digest,
            pcrs,
        }
    }
}

fn header(cursor: &mut Cursor<'_>) -> Result<(), AzureError> {
    if cursor.u32_be() != Some(TPM_GENERATED_VALUE) {
        return Err(AzureError::QuoteFormat("magic"));
    }
    (cursor.u16_be() == Some(TPM_ST_ATTEST_QUOTE))
        .then_some(())
        .ok_or(AzureError::QuoteFormat("type"))
}

fn clock(cursor: &mut Cursor<'_>) -> Option<Clock> {
    Some(Clock {
        clock_ms: cursor.u64_be()?,
        reset_count: cursor.u32_be()?,
        restart_count: cursor.u32_be()?,
        safe: match cursor.u8()? {
            0 => false,
            1 => true,
            _ => return None,
        },
    })
}

/// `TPML_PCR_SELECTION` of one bank, SHA-256, and at least one of 24 PCRs.
fn selection(cursor: &mut Cursor<'_>) -> Result<Vec<u8>, AzureError> {
    const MALFORMED: AzureError = AzureError::QuoteFormat("pcrSelect");
    if cursor.u32_be() != Some(1) {
        return Err(MALFORMED);
    }
    match cursor.u16_be().ok_or(MALFORMED)? {
        TPM_ALG_SHA256 => {}
        other => return Err(AzureError::QuoteBank(other)),
    }
    let [3, low, middle, high] = cursor.array().ok_or(MALFORMED)? else {
        return Err(MALFORMED);
    };
    let bits = u32::from_le_bytes([low, middle, high, 0]);
    let selected: Vec<u8> = (0..24).filter(|index| bits >> index & 1 == 1).collect();
    (!selected.is_empty()).then_some(selected).ok_or(MALFORMED)
}

/// The content of a `TPM2B`.
fn sized<'a>(cursor: &mut Cursor<'a>) -> Option<&'a [u8]> {
    let length = cursor.u16_be()?;
    cursor.bytes(length.into())
}

/// The signature alone, or in a `TPMT_SIGNATURE` of RSASSA with SHA-256.
fn signature(bytes: &[u8]) -> Option<&[u8]> {
    if bytes.len() == SIGNATURE_BYTES {
        return Some(bytes);
    }
    let mut cursor = Cursor::new(bytes);
    let scheme = (cursor.u16_be()?, cursor.u16_be()?);
    let signature = sized(&mut cursor)?;
    let is_sound = scheme == (TPM_ALG_RSASSA, TPM_ALG_SHA256)
        && signature.len() == SIGNATURE_BYTES
        && cursor.is_empty();
    is_sound.then_some(signature)
}
