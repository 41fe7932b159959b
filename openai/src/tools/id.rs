//! Ids of calls.

use std::iter::repeat_with;

/// Nine letters and digits: the templates of some families of models take no other ids.
const LENGTH: usize = 9;
const ALPHABET: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";

/// The id of call `number` of choice `index`: the same whenever it is told, another in every other request.
pub(crate) fn call_id(request_id: &[u8; 16], index: usize, number: usize) -> String {
    let place = [index, number].map(|part| (part as u64).to_be_bytes());
    let [index, number] = &place;
    let digest =
        attestation::hash::sha256_fields("narthex/1/call-id", &[request_id, index, number]);
    let mut rest = digest
        .first_chunk()
        .map_or(0, |bytes| u64::from_be_bytes(*bytes));
    let digits = repeat_with(|| {
        let digit = usize::try_from(rest % 36).unwrap_or_default();
        rest /= 36;
        ALPHABET.get(digit).copied().map_or('0', char::from)
    });
    digits.take(LENGTH).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_call_has_its_own() {
        let ids = [
            call_id(&[1; 16], 0, 0),
            call_id(&[1; 16], 0, 1),
            call_id(&[1; 16], 1, 0),
            call_id(&[2; 16], 0, 0),
        ];
        for (at, id) in ids.iter().enumerate() {
            assert_eq!(id.len(), LENGTH);
            assert!(id.bytes().all(|byte| ALPHABET.contains(&byte)), "{id}");
            assert!(!ids[..at].contains(id));
        }
        assert_eq!(ids[0], call_id(&[1; 16], 0, 0));
    }
}
