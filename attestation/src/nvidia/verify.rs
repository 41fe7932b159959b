//! NVIDIA evidence to claims: one call per step, in the order of [`super::STEPS`].

use super::{Authentic, DeviceClaims, Missing, NvidiaError, References, authentic::Parsed};
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
    let authentic = parsed.authenticate(nonce, roots, now)?;
    appraise(&authentic, references)
}

/// Whether the firmware of an authentic device is what it should be.
pub(super) fn appraise(
    authentic: &Authentic,
    _references: &References,
) -> Result<DeviceClaims, NvidiaError> {
    let device = authentic.device();
    let driver = device.driver_rim_name().map(Missing::Rim);
    let rims = driver
        .into_iter()
        .chain([Missing::Rim(device.vbios_rim_name())]);
    let ocsp = (1..4).map(|index| Missing::DeviceOcsp(device.pdi, index));
    Err(NvidiaError::Incomplete {
        missing: rims.chain(ocsp).collect(),
        found: Box::new(DeviceClaims {
            device: device.clone(),
            window: device.window,
        }),
    })
}
