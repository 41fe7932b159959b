//! The certificates of a GPU as the library hands them out: PEM, the attestation key's first.

use super::{library::Certificate, report::cut};
use crate::evidence::cert_table::is_one_der_sequence;
use base64::{Engine as _, engine::general_purpose::STANDARD};

/// Most certificates of a device; real ones have five.
const MAX_CERTIFICATES: usize = 8;
const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// The text of the attestation key's chain, without a terminator; `None` if it is empty or longer than its buffer.
pub(super) fn text(told: &Certificate) -> Option<&[u8]> {
    let bytes = cut(&told.attestationCertChain, told.attestationCertChainSize)?;
    let end = bytes.iter().rposition(|byte| *byte != 0)?;
    bytes.get(..=end)
}

/// The certificates of `text`, DER; nothing but white space may stand around them.
pub(super) fn certificates(text: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut blocks = str::from_utf8(text).ok()?.split(BEGIN);
    blocks.next()?.trim().is_empty().then_some(())?;
    let chain: Option<Vec<_>> = blocks.map(certificate).collect();
    chain.filter(|chain| (1..=MAX_CERTIFICATES).contains(&chain.len()))
}

fn certificate(block: &str) -> Option<Vec<u8>> {
    let (body, after) = block.split_once(END)?;
    after.trim().is_empty().then_some(())?;
    let body: String = body.split_ascii_whitespace().collect();
    let der = STANDARD.decode(body).ok()?;
    is_one_der_sequence(&der).then_some(der)
}
