//! Segments for whoever decrypts them elsewhere: AES-256 in counter mode makes the plaintext of them, and what is not genuine is not given out.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod model;

use aws_lc_rs::{
    aead,
    cipher::{AES_256, DecryptingKey, DecryptionContext, UnboundCipherKey},
};
use model::{Owner, Place, SEGMENT, bytes, files_of, kept, resign, store};
use sealed_model::{Checks, Ciphertext, OpenError, SealedModel, Unlocked};
use std::collections::BTreeMap;

type Files = BTreeMap<String, Vec<u8>>;

const LENGTH: u64 = 2 * SEGMENT + 1000;
const STRIDE: usize = SEGMENT as usize + 32;

fn sealed() -> Files {
    let place = Place::with_files(&[("a", LENGTH), ("b", LENGTH)]);
    place.seal();
    files_of(&place.sealed())
}

fn unlocked(files: &Files) -> Result<Unlocked, OpenError> {
    let model = SealedModel::from_store(Box::new(store(files)), &Owner::new(1).root())?;
    model.unlock(kept(7))
}

/// Decrypts by counter mode alone, as a device does.
fn decipher(key: &[u8; 32], segment: &Ciphertext<'_>) -> Vec<u8> {
    let key = UnboundCipherKey::new(&AES_256, key).unwrap();
    let mut block = [0; 16];
    block[..12].copy_from_slice(&segment.nonce);
    block[12..].copy_from_slice(&segment.first_counter.to_be_bytes());
    let context = DecryptionContext::Iv128((&block).into());
    let mut text = segment.bytes.to_vec();
    let opened = DecryptingKey::ctr(key).unwrap();
    opened.decrypt(&mut text, context).unwrap();
    text
}

/// What was given out before the end, and how it ended.
fn read(files: &Files, name: &str) -> (Vec<u8>, Result<(), OpenError>) {
    let mut text = Vec::new();
    let ended = unlocked(files).and_then(|model| {
        let file = model.file(name)?;
        let key = file.lend_key(|key| *key)?;
        let mut segments = file.ciphertexts()?;
        while let Some(segment) = segments.next_verified()? {
            assert_eq!(segment.offset, text.len() as u64);
            text.extend(decipher(&key, &segment));
        }
        segments.finish()
    });
    (text, ended)
}

#[test]
fn counter_mode_makes_the_plaintext() {
    let files = sealed();
    for (seed, name) in [(1, "a"), (2, "b")] {
        let (text, ended) = read(&files, name);
        assert_eq!(ended, Ok(()));
        assert!(text == bytes(seed, LENGTH));
    }
}

#[test]
fn an_empty_file_is_one_empty_segment() {
    let place = Place::with_files(&[("a", 0)]);
    place.seal();
    assert_eq!(read(&files_of(&place.sealed()), "a"), (Vec::new(), Ok(())));
}

#[test]
fn a_segment_that_is_not_genuine_is_not_given_out() {
    let second = 80 + STRIDE;
    for (at, what) in [
        (second, "length word"),
        (second + 4, "nonce"),
        (second + 16, "ciphertext"),
        (second + STRIDE - 1, "tag"),
    ] {
        let mut files = sealed();
        files.get_mut("a.sealed").unwrap()[at] ^= 1;
        let (text, ended) = read(&files, "a");
        assert_eq!(ended.unwrap_err().code(), "sealed.segment", "{what}");
        assert!(text == bytes(1, SEGMENT), "{what}: the first alone");
    }
}

/// The first segment of `a` as the holder of the key could have sealed it too: the same plaintext and place, another nonce.
fn sealed_again(files: &Files) -> Vec<u8> {
    let model = unlocked(files).unwrap();
    let key = model.file("a").unwrap().lend_key(|key| *key).unwrap();
    let key = aead::LessSafeKey::new(aead::UnboundKey::new(&aead::AES_256_GCM, &key).unwrap());
    let nonce = [0x5a; 12];
    let mut text = bytes(1, SEGMENT);
    let sealed = key.seal_in_place_append_tag(
        aead::Nonce::assume_unique_for_key(nonce),
        aead::Aad::from([0; 9]),
        &mut text,
    );
    sealed.unwrap();
    [&[0xff; 4][..], &nonce, &text].concat()
}

/// Who has the key can make two genuine encryptions of a segment. Only the one whose digest was signed is given out, and only that one is
/// read beside: no storage can give one to each.
#[test]
fn another_encryption_of_a_segment_is_neither_given_out_nor_read() {
    let mut files = sealed();
    let again = sealed_again(&files);
    files.get_mut("a.sealed").unwrap()[80..80 + STRIDE].copy_from_slice(&again);
    let (text, ended) = read(&files, "a");
    assert_eq!(
        (text.len(), ended.unwrap_err().code()),
        (0, "sealed.segment")
    );

    let model = unlocked(&files).unwrap();
    let file = model.file("a").unwrap();
    let mut out = [0; 16];
    let refused = file.read_at(0, &mut out, Checks::TagsAndDigests);
    assert_eq!(
        (refused.unwrap_err().code(), out),
        ("sealed.segment", [0; 16])
    );
    file.read_at(0, &mut out, Checks::Tags).unwrap();
    assert_eq!(
        out,
        bytes(1, SEGMENT)[..16],
        "the control: its tag is genuine"
    );
}

#[test]
fn segments_in_other_places_are_refused() {
    let mut files = sealed();
    let file = files.get_mut("a.sealed").unwrap();
    let (first, second) = file[80..].split_at_mut(STRIDE);
    first.swap_with_slice(&mut second[..STRIDE]);
    let (text, ended) = read(&files, "a");
    assert_eq!((text.len(), ended.unwrap_err().code()), (0, "sealed.order"));

    let mut files = sealed();
    let other = files["b.sealed"][80..80 + STRIDE].to_vec();
    files.get_mut("a.sealed").unwrap()[80..80 + STRIDE].copy_from_slice(&other);
    let (text, ended) = read(&files, "a");
    assert_eq!(
        (text.len(), ended.unwrap_err().code()),
        (0, "sealed.spliced")
    );

    let mut files = sealed();
    files.get_mut("a.sealed").unwrap().pop();
    let (text, ended) = read(&files, "a");
    assert_eq!(
        (text.len(), ended.unwrap_err().code()),
        (0, "sealed.length")
    );
}

#[test]
fn a_digest_that_is_not_the_plaintexts_is_refused_at_the_end() {
    let mut files = sealed();
    let digest = *unlocked(&files)
        .unwrap()
        .manifest()
        .file("a")
        .unwrap()
        .sha256();
    let envelope: serde_json::Value =
        serde_json::from_slice(&files[sealed_model::MANIFEST_NAME]).unwrap();
    let envelope = policy::Envelope::from_json_of(
        policy::PayloadType::SealedModel,
        envelope.to_string().as_bytes(),
    );
    let mut payload = envelope
        .unwrap()
        .open(policy::PayloadType::SealedModel, &Owner::new(1).root())
        .unwrap()
        .to_vec();
    let at = payload.windows(32).position(|bytes| bytes == digest);
    payload[at.unwrap()] ^= 1;
    resign(&mut files, payload);
    let (text, ended) = read(&files, "a");
    assert_eq!(ended.unwrap_err().code(), "sealed.digest");
    assert_eq!(text.len() as u64, LENGTH);
}

#[test]
fn a_part_of_a_file_has_no_digest() {
    let files = sealed();
    let model = unlocked(&files).unwrap();
    let file = model.file("a").unwrap();
    let mut segments = file.ciphertexts().unwrap();
    segments.next_verified().unwrap();
    assert_eq!(segments.finish().unwrap_err().code(), "sealed.range");
}
