//! `TCG_PCR_EVENT2` (PFP section 10.2.2), which UEFI calls `CC_EVENT`: register, type, digests, event data.

use super::{Algorithm, Event, EventDigest, EventType};
use crate::cursor::Cursor;

/// The next event, which must have exactly one digest of each of `algorithms`.
pub(super) fn parse(cursor: &mut Cursor<'_>, algorithms: &[Algorithm]) -> Option<Event> {
    let register = cursor.u32_le()?;
    let kind = EventType(cursor.u32_le()?);
    let digests = digests(cursor, algorithms)?;
    let length = cursor.length_u32_le()?;
    let data = cursor.bytes(length)?;
    Some(Event {
        register,
        kind,
        digests,
        data: data.to_vec(),
    })
}

/// `TPML_DIGEST_VALUES`.
fn digests(cursor: &mut Cursor<'_>, algorithms: &[Algorithm]) -> Option<Vec<EventDigest>> {
    if cursor.length_u32_le()? != algorithms.len() {
        return None;
    }
    let mut digests: Vec<EventDigest> = Vec::new();
    for _ in algorithms {
        let algorithm = Algorithm::from_id(cursor.u16_le()?)?;
        let is_new = digests.iter().all(|digest| digest.algorithm != algorithm);
        if !algorithms.contains(&algorithm) || !is_new {
            return None;
        }
        let value = cursor.bytes(algorithm.digest_bytes())?.to_vec();
        digests.push(EventDigest { algorithm, value });
    }
    Some(digests)
}
