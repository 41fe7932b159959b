//! Every change is refused, each with its own code: one mutation for one test, and every bit of a small model.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests"
)]

mod model;

use model::{
    Owner, Place, SEGMENT, files_of, kept, key, open_all, resign, set_mode, settings, store, work,
};
use policy::{Envelope, PayloadType, TrustRoot};
use sealed_model::{Checks, MANIFEST_NAME, Manifest, OpenError, SealedModel, seal};
use std::{collections::BTreeMap, fs, os::unix::fs::symlink};

type Files = BTreeMap<String, Vec<u8>>;

const STRIDE: usize = SEGMENT as usize + 32;
const BOTH: [Checks; 2] = [Checks::Tags, Checks::TagsAndDigests];

/// Two files of three segments, sealed under key 7 by owner 1.
fn sealed() -> Files {
    let place = Place::with_files(&[("a", 3 * SEGMENT), ("b", 3 * SEGMENT)]);
    place.seal();
    files_of(&place.sealed())
}

fn segment(index: usize) -> std::ops::Range<usize> {
    80 + index * STRIDE..80 + (index + 1) * STRIDE
}

/// What becomes of the model after `change`, with each kind of checks and without a key.
fn codes(change: impl Fn(&mut Files)) -> Vec<&'static str> {
    let mut files = sealed();
    assert!(open_all(&files, 7, Checks::TagsAndDigests).is_ok());
    change(&mut files);
    let opened = BOTH.map(|checks| open_all(&files, 7, checks).unwrap_err().code());
    let keyless = SealedModel::from_store(Box::new(store(&files)), &Owner::new(1).root());
    let keyless = keyless.and_then(|model| model.verify(work(2)));
    [&opened[..], &[keyless.unwrap_err().code()]].concat()
}

fn edit(files: &mut Files, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
    change(files.get_mut(name).unwrap());
}

#[test]
fn segments_out_of_order_are_refused() {
    let change = |files: &mut Files| {
        edit(files, "a.sealed", |file| {
            let (front, back) = file.split_at_mut(segment(1).start);
            front[segment(0)].swap_with_slice(&mut back[..STRIDE]);
        });
    };
    assert_eq!(codes(change), ["sealed.order"; 3]);
}

#[test]
fn a_segment_twice_is_refused() {
    let change = |files: &mut Files| {
        edit(files, "a.sealed", |file| {
            file.copy_within(segment(0), segment(1).start)
        });
    };
    assert_eq!(codes(change), ["sealed.order"; 3]);
}

#[test]
fn a_segment_of_another_file_is_refused() {
    let change = |files: &mut Files| {
        let theirs = files["b.sealed"][segment(1)].to_vec();
        edit(files, "a.sealed", |file| {
            file[segment(1)].copy_from_slice(&theirs)
        });
    };
    assert_eq!(codes(change), ["sealed.spliced"; 3]);
}

#[test]
fn a_segment_of_another_sealing_is_refused() {
    let change = |files: &mut Files| {
        let theirs = sealed()["a.sealed"][segment(1)].to_vec();
        edit(files, "a.sealed", |file| {
            file[segment(1)].copy_from_slice(&theirs)
        });
    };
    assert_eq!(codes(change), ["sealed.segment"; 3]);
}

/// Who copied the unfinished sealing of a source that then changed has segments of the same place, which were genuine.
#[test]
fn a_segment_of_a_former_source_is_refused() {
    let place = Place::with_files(&[("a", 3 * SEGMENT), ("b", 3 * SEGMENT)]);
    let key = key(7);
    drop(seal(&place.plain(), &place.sealed(), settings(&key)).unwrap());
    let former = files_of(&place.path("sealed.part"));
    let mut changed = model::bytes(1, 3 * SEGMENT);
    changed[SEGMENT as usize] ^= 1;
    place.write("a", &changed);
    place.seal();
    let mut files = files_of(&place.sealed());
    assert_eq!(open_all(&files, 7, Checks::Tags).unwrap()[0], changed);
    assert_eq!(files["b.sealed"], former["b.sealed"], "b goes on");
    let theirs = &former["a.sealed"][segment(1)];
    edit(&mut files, "a.sealed", |file| {
        file[segment(1)].copy_from_slice(theirs)
    });
    for checks in BOTH {
        let error = open_all(&files, 7, checks).unwrap_err();
        assert_eq!(error.code(), "sealed.segment");
    }
}

/// The owner signs a SHA-256 that is not the plaintext's.
#[test]
fn a_plaintext_of_another_digest_is_not_given_its_name() {
    let place = Place::with_files(&[("a", 3 * SEGMENT + 1), ("b", 0)]);
    place.seal();
    let sealed = files_of(&place.sealed());
    let envelope = Envelope::from_json(&sealed[MANIFEST_NAME]).unwrap();
    let payload = envelope.unverified_payload();
    let manifest = Manifest::from_cbor(payload).unwrap();
    for entry in manifest.files() {
        let mut digests = payload.windows(32);
        let at = digests.position(|bytes| bytes == entry.sha256()).unwrap();
        let mut other = payload.to_vec();
        other[at] ^= 1;
        let mut files = sealed.clone();
        resign(&mut files, other);
        fs::write(place.sealed().join(MANIFEST_NAME), &files[MANIFEST_NAME]).unwrap();
        let again = place.path("again");
        for threads in [1, 3] {
            let error = place.unlocked().export(&again, work(threads)).unwrap_err();
            assert_eq!(error.code(), "sealed.digest");
            assert!(!again.exists());
        }
    }
}

#[test]
fn an_altered_segment_is_refused() {
    // Its length word, its nonce, its ciphertext, its tag.
    for at in [0, 4, 16, STRIDE - 1] {
        let change = |files: &mut Files| {
            edit(files, "a.sealed", |file| file[segment(1).start + at] ^= 1);
        };
        assert_eq!(codes(change), ["sealed.segment"; 3]);
    }
}

#[test]
fn a_truncated_file_is_refused() {
    for length in [0, 79, 80, segment(1).start, segment(2).end - 1] {
        let change = |files: &mut Files| edit(files, "a.sealed", |file| file.truncate(length));
        assert_eq!(codes(change), ["sealed.length"; 3]);
    }
}

#[test]
fn an_extended_file_is_refused() {
    let byte = |files: &mut Files| edit(files, "a.sealed", |file| file.push(0));
    assert_eq!(codes(byte), ["sealed.length"; 3]);
    let whole = |files: &mut Files| {
        edit(files, "a.sealed", |file| {
            file.extend_from_within(segment(2))
        })
    };
    assert_eq!(codes(whole), ["sealed.length"; 3]);
}

#[test]
fn swapped_files_are_refused() {
    let change = |files: &mut Files| {
        let [a, b] = ["a.sealed", "b.sealed"].map(|name| files[name].clone());
        files.insert("a.sealed".into(), b);
        files.insert("b.sealed".into(), a);
    };
    assert_eq!(codes(change), ["sealed.header"; 3]);
}

#[test]
fn the_manifest_of_another_model_is_refused() {
    let change = |files: &mut Files| {
        files.insert(MANIFEST_NAME.into(), sealed()[MANIFEST_NAME].clone());
    };
    assert_eq!(codes(change), ["sealed.header"; 3]);
}

#[test]
fn a_file_that_is_not_there_is_refused() {
    for name in ["a.sealed", MANIFEST_NAME] {
        let change = |files: &mut Files| drop(files.remove(name));
        assert_eq!(codes(change), ["sealed.missing"; 3]);
    }
}

#[test]
fn a_manifest_that_nobody_signed_is_refused() {
    let change = |files: &mut Files| {
        let envelope = Envelope::from_json(&files[MANIFEST_NAME]).unwrap();
        let payload = envelope.unverified_payload().to_vec();
        let unsigned = Envelope::unsigned(PayloadType::SealedModel, payload);
        files.insert(MANIFEST_NAME.into(), unsigned.to_json().into_bytes());
    };
    assert_eq!(codes(change), ["sealed.unsigned"; 3]);
}

/// The manifest as an envelope of `kind`, signed by the owner `seed`.
fn signed_as(files: &mut Files, kind: PayloadType, seed: u8) {
    let envelope = Envelope::from_json(&files[MANIFEST_NAME]).unwrap();
    let mut other = Envelope::unsigned(kind, envelope.unverified_payload().to_vec());
    Owner::new(seed).sign(&mut other);
    files.insert(MANIFEST_NAME.into(), other.to_json().into_bytes());
}

#[test]
fn a_manifest_that_another_signed_is_refused() {
    let change = |files: &mut Files| signed_as(files, PayloadType::SealedModel, 2);
    assert_eq!(codes(change), ["sealed.signature"; 3]);
}

#[test]
fn too_few_signers_are_refused() {
    let files = sealed();
    let keys = vec![Owner::new(1).public(), Owner::new(2).public()];
    let both = TrustRoot::new(keys.clone(), 2).unwrap();
    let refused = SealedModel::from_store(Box::new(store(&files)), &both)
        .err()
        .unwrap();
    assert_eq!(refused.code(), "sealed.signature");
    let either = TrustRoot::new(keys, 1).unwrap();
    assert!(SealedModel::from_store(Box::new(store(&files)), &either).is_ok());
}

#[test]
fn an_envelope_of_another_kind_is_refused() {
    let change = |files: &mut Files| signed_as(files, PayloadType::Policy, 1);
    assert_eq!(codes(change), ["sealed.envelope"; 3]);
    let change = |files: &mut Files| edit(files, MANIFEST_NAME, |file| file.truncate(30));
    assert_eq!(codes(change), ["sealed.envelope"; 3]);
    let most = PayloadType::SealedModel.max_envelope_bytes();
    let change = |files: &mut Files| edit(files, MANIFEST_NAME, |file| file.resize(most + 1, b' '));
    assert_eq!(codes(change), ["sealed.envelope"; 3]);
}

#[test]
fn what_the_owner_signed_must_have_the_form() {
    let change = |files: &mut Files| resign(files, b"\xa0".to_vec());
    assert_eq!(codes(change), ["sealed.manifest"; 3]);
    let other = |files: &mut Files| resign(files, b"\xa1\x61\x76\x02".to_vec());
    assert_eq!(codes(other), ["sealed.version"; 3]);
}

#[test]
fn another_key_is_refused_before_anything_is_read() {
    let files = sealed();
    let error = open_all(&files, 8, Checks::Tags).unwrap_err();
    assert_eq!(error, OpenError::Key);
    let model = SealedModel::from_store(Box::new(store(&files)), &Owner::new(1).root()).unwrap();
    let short = protocol::secret::SecretMemory::keep(&protocol::secret::Heap, &[7; 31]);
    assert_eq!(model.unlock(short).err().unwrap().code(), "sealed.key");
}

/// Who has the key and is not the owner seals another model under the same id and key: tags hold, digests do not.
#[test]
fn a_holder_of_the_key_is_no_owner() {
    let place = Place::with_files(&[("a", 3 * SEGMENT)]);
    place.seal();
    let files = files_of(&place.sealed());
    let manifest = Envelope::from_json(&files[MANIFEST_NAME]).unwrap();
    let genuine = Manifest::from_cbor(manifest.unverified_payload()).unwrap();

    // The forger goes on with the genuine sealing, whose id and header are known, over another plaintext.
    let part = place.path("forged.part");
    fs::create_dir(&part).unwrap();
    fs::write(part.join(".unfinished"), genuine.model_id()).unwrap();
    set_mode(&part.join(".unfinished"), 0o600);
    fs::write(part.join("a.sealed"), &files["a.sealed"][..80]).unwrap();
    let mut plain = model::bytes(1, 3 * SEGMENT);
    plain[SEGMENT as usize] ^= 1;
    place.write("a", &plain);
    place.seal_as(&place.path("forged"), 7, &Owner::new(2));
    let mut forged = files;
    forged.insert(
        "a.sealed".into(),
        files_of(&place.path("forged"))["a.sealed"].clone(),
    );

    assert_eq!(open_all(&forged, 7, Checks::Tags).unwrap(), [plain]);
    let error = open_all(&forged, 7, Checks::TagsAndDigests).unwrap_err();
    assert_eq!(error.code(), "sealed.segment");
}

#[test]
fn nothing_of_a_refused_file_is_given_out() {
    let place = Place::with_files(&[("a", 3 * SEGMENT)]);
    place.seal();
    let path = place.sealed().join("a.sealed");
    let mut stored = fs::read(&path).unwrap();
    stored[segment(2).start + 20] ^= 1;
    fs::write(&path, stored).unwrap();
    let unlocked = place.unlocked();
    let file = unlocked.file("a").unwrap();
    for checks in BOTH {
        let mut out = vec![1; 3 * SEGMENT as usize];
        file.read_into(&mut out, checks, work(3)).unwrap_err();
        assert!(out.iter().all(|byte| *byte == 0));
    }
    let mut out = vec![1; 2 * SEGMENT as usize];
    file.read_at(0, &mut out, Checks::Tags).unwrap();
    file.read_at(SEGMENT, &mut out, Checks::Tags).unwrap_err();
    assert!(out.iter().all(|byte| *byte == 0));
}

#[test]
fn a_file_that_changes_while_it_is_open_is_refused() {
    let place = Place::with_files(&[("a", 3 * SEGMENT)]);
    place.seal();
    let unlocked = place.unlocked();
    let file = unlocked.file("a").unwrap();
    let path = place.sealed().join("a.sealed");
    fs::File::options()
        .write(true)
        .open(path)
        .unwrap()
        .set_len(100)
        .unwrap();
    let error = file.read(u64::MAX, Checks::Tags, work(2)).unwrap_err();
    assert_eq!(error.code(), "sealed.length");
}

#[test]
fn links_are_not_followed() {
    let place = Place::with_files(&[("d/a", 1)]);
    place.seal();
    let moved = place.path("moved");
    fs::rename(place.sealed().join("d"), &moved).unwrap();
    symlink(&moved, place.sealed().join("d")).unwrap();
    assert_eq!(place.open().err().unwrap().code(), "sealed.link");
    let folder = place.path("folder");
    symlink(place.sealed(), &folder).unwrap();
    let error = SealedModel::open(&folder, &Owner::new(1).root())
        .err()
        .unwrap();
    assert_eq!(error.code(), "sealed.link");
}

#[test]
fn a_folder_in_the_place_of_a_file_is_refused() {
    let place = Place::with_files(&[("a", 1)]);
    place.seal();
    let path = place.sealed().join("a.sealed");
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert_eq!(place.open().err().unwrap().code(), "sealed.link");
}

/// All bits of all files, with tags alone, so that nothing rests on the digests; and those of the sealed files without a key.
#[test]
fn every_flipped_bit_is_refused() {
    let place = Place::with_files(&[("a", SEGMENT + 9), ("b", 0)]);
    place.seal();
    let files = files_of(&place.sealed());
    let plain = open_all(&files, 7, Checks::Tags).unwrap();
    let owner = Owner::new(1).root();
    let mut refused = BTreeMap::<&str, u64>::new();
    for (name, bytes) in &files {
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut files = files.clone();
                files.get_mut(name).unwrap()[at] ^= 1 << bit;
                let opened = open_all(&files, 7, Checks::Tags);
                let error = opened.expect_err(&format!("{name} byte {at} bit {bit}"));
                *refused.entry(error.code()).or_default() += 1;
                if name != MANIFEST_NAME {
                    let model = SealedModel::from_store(Box::new(store(&files)), &owner);
                    assert!(model.and_then(|model| model.verify(work(1))).is_err());
                }
            }
        }
    }
    assert_eq!(plain.len(), 2);
    let total: u64 = refused.values().sum();
    let bits: usize = files.values().map(|bytes| bytes.len() * 8).sum();
    assert_eq!(total, bits as u64);
    for code in [
        "sealed.envelope",
        "sealed.header",
        "sealed.segment",
        "sealed.signature",
    ] {
        assert!(refused.contains_key(code), "{refused:?}");
    }
}

#[test]
fn a_model_is_locked_again() {
    let place = Place::with_files(&[("a", 1)]);
    place.seal();
    let model = place.unlocked().lock();
    assert_eq!(model.manifest().key_id(), key(7).id());
    assert!(model.unlock(kept(8)).is_err());
}
