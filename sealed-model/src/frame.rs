//! What stands around a segment's ciphertext: sixteen bytes before it, its tag behind it.

use crate::layout::Place;

/// Length word and nonce.
pub(crate) const PREFIX_BYTES: usize = 16;
/// AES-GCM's tag.
pub(crate) const TAG_BYTES: usize = 16;
/// AES-GCM's nonce.
pub(crate) const NONCE_BYTES: usize = 12;
/// What a segment is longer by than its plaintext.
pub(crate) const FRAME_BYTES: usize = PREFIX_BYTES + TAG_BYTES;

/// The length word of every segment but the last.
const INNER: [u8; 4] = [0xff; 4];

/// The length word of the segment at `place` with `plaintext` bytes.
fn length_word(place: Place, plaintext: usize) -> [u8; 4] {
    match u32::try_from(plaintext + FRAME_BYTES) {
        Ok(stored) if place.is_last => stored.to_be_bytes(),
        _ => INNER,
    }
}

/// The sixteen bytes before a ciphertext.
pub(crate) fn prefix(
    place: Place,
    plaintext: usize,
    nonce: [u8; NONCE_BYTES],
) -> [u8; PREFIX_BYTES] {
    let mut prefix = [0; PREFIX_BYTES];
    let (word, rest) = prefix.split_at_mut(INNER.len());
    word.copy_from_slice(&length_word(place, plaintext));
    rest.copy_from_slice(&nonce);
    prefix
}

/// The nonce in `prefix`, if its length word is that of the segment at `place`.
pub(crate) fn nonce(
    prefix: &[u8; PREFIX_BYTES],
    place: Place,
    plaintext: usize,
) -> Option<[u8; NONCE_BYTES]> {
    let (word, nonce) = prefix.split_first_chunk::<4>()?;
    let nonce = nonce.first_chunk::<NONCE_BYTES>()?;
    (*word == length_word(place, plaintext)).then_some(*nonce)
}

/// What is authenticated beside the ciphertext: the segment's number, and whether it is the last (FLOE).
pub(crate) fn associated_data(place: Place) -> [u8; 9] {
    let mut data = [0; 9];
    let (index, is_last) = data.split_at_mut(8);
    index.copy_from_slice(&place.index.to_be_bytes());
    is_last.fill(u8::from(place.is_last));
    data
}
