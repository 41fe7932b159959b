//! NVIDIA evidence to claims: one call per step, in the order of [`super::STEPS`].

use super::{
    DeviceClaims, NvidiaError, References, appraise::appraise, authentic::Parsed,
    manifests::ParsedReferences,
};
use crate::{UnixTime, roots::NvidiaRoots};

/// A report with its chain, as received.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// SPDM GET_MEASUREMENTS request (37 bytes) and MEASUREMENTS response, as signed.
    pub report: &'a [u8],
    /// The attestation key's certificate and those above it, DER, leaf first; the root may stand at the end.
    pub chain: &'a [&'a [u8]],
}

/// Verifies `evidence` at `now` under `roots`; with a `nonce`, that the device answered it.
///
/// What parses at all is settled before anything is judged, so that malformed input is told as such.
pub fn verify(
    evidence: &Evidence<'_>,
    references: &References,
    nonce: Option<&[u8; 32]>,
    roots: &NvidiaRoots,
    now: UnixTime,
) -> Result<DeviceClaims, NvidiaError> {
    let parsed = Parsed::parse(evidence, roots)?;
    let references = ParsedReferences::parse(references)?;
    let authentic = parsed.authenticate(nonce, roots, now)?;
    let (references, responses) = references.verify(roots, now)?;
    let pdi = authentic.device().pdi;
    let revocation = parsed.chain.revocation(&responses, pdi, roots, now)?;
    appraise(&authentic, &revocation, &references, now)
}
