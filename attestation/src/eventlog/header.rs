//! The first event: `TCG_PCClientPCREvent` of SHA-1 form holding a `TCG_EfiSpecIDEvent` (PFP sections 10.2.1 and 10.4.5.1).

use super::{Algorithm, EventLogError, EventType};
use crate::cursor::Cursor;

const SIGNATURE: [u8; 16] = *b"Spec ID Event03\0";
/// Firmware writes 0, EDK II for TDs writes 1.
const MAX_REGISTER: u32 = 1;
const MAX_ALGORITHMS: usize = 8;

/// The algorithms of every digest list that follows, each once.
pub(super) fn parse(cursor: &mut Cursor<'_>) -> Result<Vec<Algorithm>, EventLogError> {
    let event = sha1_event(cursor).ok_or(EventLogError::Header("no first event"))?;
    let mut event = Cursor::new(event);
    check_version(&mut event).ok_or(EventLogError::Header("another signature or version"))?;
    let algorithms = algorithms(&mut event)?;
    vendor_info(&mut event).ok_or(EventLogError::Header(
        "vendor information of another length",
    ))?;
    Ok(algorithms)
}

/// The event data of a `TCG_PCClientPCREvent` that is `EV_NO_ACTION` with a digest of zeros.
fn sha1_event<'a>(cursor: &mut Cursor<'a>) -> Option<&'a [u8]> {
    let register = cursor.u32_le()?;
    let kind = EventType(cursor.u32_le()?);
    let digest: [u8; 20] = cursor.array()?;
    let length = cursor.length_u32_le()?;
    let event = cursor.bytes(length)?;
    let is_header = register <= MAX_REGISTER && kind == EventType::NO_ACTION && digest == [0; 20];
    is_header.then_some(event)
}

/// signature, platformClass (client or server), specVersionMinor, specVersionMajor, specErrata, uintnSize.
fn check_version(event: &mut Cursor<'_>) -> Option<()> {
    let signature: [u8; 16] = event.array()?;
    let platform_class = event.u32_le()?;
    let [minor, major, _errata, uintn_size] = event.array()?;
    let is_known = signature == SIGNATURE
        && platform_class <= 1
        && (major, minor) == (2, 0)
        && matches!(uintn_size, 1 | 2);
    is_known.then_some(())
}

/// numberOfAlgorithms, then algorithmId and digestSize of each.
fn algorithms(event: &mut Cursor<'_>) -> Result<Vec<Algorithm>, EventLogError> {
    const MALFORMED: EventLogError = EventLogError::Header("a malformed list of algorithms");
    let count = event.length_u32_le().ok_or(MALFORMED)?;
    if !(1..=MAX_ALGORITHMS).contains(&count) {
        return Err(MALFORMED);
    }
    let mut algorithms = Vec::new();
    for _ in 0..count {
        let id = event.u16_le().ok_or(MALFORMED)?;
        let digest_bytes = event.u16_le().ok_or(MALFORMED)?;
        let algorithm = Algorithm::from_id(id).ok_or(EventLogError::Algorithm(id))?;
        if algorithm.digest_bytes() != usize::from(digest_bytes) || algorithms.contains(&algorithm)
        {
            return Err(MALFORMED);
        }
        algorithms.push(algorithm);
    }
    Ok(algorithms)
}

/// vendorInfoSize and vendorInfo, which end the event.
fn vendor_info(event: &mut Cursor<'_>) -> Option<()> {
    let length = event.u8()?;
    event.bytes(length.into())?;
    event.is_empty().then_some(())
}
