//! What is sealed is opened: whole, anywhere, by any number of threads, and on from where it was interrupted.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod model;

use attestation::crypto::sha256;
use model::{Owner, Place, SEGMENT, bytes, files_of, kept, key, set_mode, settings, work};
use proptest::prelude::*;
use sealed_model::{
    Checks, MANIFEST_NAME, MAX_FILES, Manifest, Progress, SealError, SealSettings, SegmentSize,
    Work, seal,
};
use std::{
    fs,
    os::unix::fs::{FileExt, symlink},
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
};

const FILES: &[(&str, u64)] = &[
    ("config.json", 17),
    ("empty", 0),
    ("one", SEGMENT),
    ("weights/.unfinished", 3),
    ("weights/a.safetensors", 3 * SEGMENT + 5),
    ("weights/b.safetensors", 2 * SEGMENT),
];

fn seal_error(source: &Path, out: &Path) -> SealError {
    seal(source, out, settings(&key(7))).err().unwrap()
}

#[test]
fn a_folder_comes_back_as_it_was() {
    let place = Place::with_files(FILES);
    place.seal();
    let again = place.path("again");
    place.unlocked().export(&again, work(3)).unwrap();
    assert_eq!(files_of(&again), files_of(&place.plain()));
    place.open().unwrap().verify(work(3)).unwrap();
    let plain = files_of(&place.plain());
    for entry in place.open().unwrap().manifest().files() {
        let bytes = &plain[entry.name().as_str()];
        assert_eq!(*entry.sha256(), sha256(bytes));
        assert_eq!(entry.length(), bytes.len() as u64);
    }
    for (name, stored) in files_of(&place.sealed()) {
        let bytes = plain.get(name.trim_end_matches(".sealed"));
        let plain = bytes.filter(|bytes| bytes.len() >= 17);
        let shows = |plain: &Vec<u8>| stored.windows(17).any(|part| *part == plain[..17]);
        assert!(!plain.is_some_and(shows), "{name}");
    }
}

#[test]
fn a_single_file_is_a_model() {
    let place = Place::with_files(&[("m.gguf", 2 * SEGMENT + 1)]);
    let key = key(7);
    let draft = seal(
        &place.plain().join("m.gguf"),
        &place.sealed(),
        settings(&key),
    )
    .unwrap();
    let mut envelope = draft.envelope().unwrap();
    Owner::new(1).sign(&mut envelope);
    draft.finish(&envelope, &Owner::new(1).root()).unwrap();
    let names: Vec<_> = files_of(&place.sealed()).into_keys().collect();
    assert_eq!(names, [MANIFEST_NAME, "m.gguf.sealed"]);
    let unlocked = place.unlocked();
    let read = unlocked.file("m.gguf").unwrap();
    let read = read.read(u64::MAX, Checks::Tags, work(2)).unwrap();
    assert_eq!(read, bytes(1, 2 * SEGMENT + 1));
}

#[test]
fn bytes_are_read_anywhere() {
    let length = 3 * SEGMENT + 5;
    let place = Place::with_files(&[("f", length)]);
    place.seal();
    let unlocked = place.unlocked();
    let file = unlocked.file("f").unwrap();
    let plain = bytes(1, length);
    let edges = [
        0,
        1,
        SEGMENT - 1,
        SEGMENT,
        SEGMENT + 1,
        3 * SEGMENT,
        length - 1,
        length,
    ];
    for from in edges {
        for to in edges.into_iter().filter(|to| *to >= from) {
            let mut out = vec![0; (to - from) as usize];
            file.read_at(from, &mut out, Checks::Tags).unwrap();
            assert_eq!(out, plain[from as usize..to as usize]);
        }
    }
    for (from, count) in [(length, 1), (length + 1, 0), (0, length + 1), (u64::MAX, 1)] {
        let mut out = vec![1; count as usize];
        let error = file.read_at(from, &mut out, Checks::Tags).unwrap_err();
        assert_eq!(error.code(), "sealed.range");
        assert!(out.iter().all(|byte| *byte == 0));
    }
    for wrong in [length - 1, length + 1] {
        let mut out = vec![0; wrong as usize];
        let error = file.read_into(&mut out, Checks::Tags, work(1)).unwrap_err();
        assert_eq!(error.code(), "sealed.range");
    }
    let error = file.read(length - 1, Checks::Tags, work(1)).unwrap_err();
    assert_eq!(error.code(), "sealed.memory");
    assert_eq!(unlocked.file("g").err().unwrap().code(), "sealed.file");
}

#[test]
fn two_sealings_have_nothing_in_common() {
    let place = Place::with_files(&[("f", SEGMENT)]);
    place.seal();
    place.seal_as(&place.path("other"), 7, &Owner::new(1));
    let [one, other] = [place.sealed(), place.path("other")].map(|folder| files_of(&folder));
    let [one, other] = [&one["f.sealed"], &other["f.sealed"]];
    let common = other
        .windows(16)
        .skip(16)
        .any(|part| one[16..].windows(16).any(|own| own == part));
    assert!(!common);
}

/// Seals `place` without finishing.
fn interrupt(place: &Place) {
    let key = key(7);
    drop(seal(&place.plain(), &place.sealed(), settings(&key)).unwrap());
}

#[test]
fn an_interrupted_sealing_goes_on_where_it_was() {
    let place = Place::with_files(&[("a", 3 * SEGMENT), ("b", 2 * SEGMENT)]);
    interrupt(&place);
    assert!(!place.sealed().exists());
    let part = place.path("sealed.part");
    let before = files_of(&part);
    // One segment was never written, one is torn, one file lacks its end, and one source has changed meanwhile.
    let stride = SEGMENT as usize + 32;
    let file = fs::File::options()
        .write(true)
        .open(part.join("a.sealed"))
        .unwrap();
    file.write_all_at(&vec![0; stride], 80).unwrap();
    file.write_all_at(&[9], 80 + stride as u64 + 100).unwrap();
    let file = fs::File::options()
        .write(true)
        .open(part.join("b.sealed"))
        .unwrap();
    file.set_len(80 + stride as u64 + 7).unwrap();
    let mut changed = bytes(1, 3 * SEGMENT);
    place.seal();
    let after = files_of(&place.sealed());
    let kept = |name: &str, index: usize| {
        let range = 80 + index * stride..80 + (index + 1) * stride;
        before[name][range.clone()] == after[name][range]
    };
    assert_eq!(
        [0, 1, 2].map(|index| kept("a.sealed", index)),
        [false, false, true]
    );
    assert_eq!([0, 1].map(|index| kept("b.sealed", index)), [true, false]);
    place.open().unwrap().verify(work(1)).unwrap();
    let again = place.path("again");
    place.unlocked().export(&again, work(1)).unwrap();
    assert_eq!(files_of(&again), files_of(&place.plain()));

    fs::remove_dir_all(place.sealed()).unwrap();
    interrupt(&place);
    changed[5] ^= 1;
    place.write("a", &changed);
    place.seal();
    let file = place.unlocked();
    let read = file
        .file("a")
        .unwrap()
        .read(u64::MAX, Checks::TagsAndDigests, work(1));
    assert_eq!(read.unwrap(), changed);
}

#[test]
fn another_key_begins_anew() {
    let place = Place::with_files(&[("a", 3 * SEGMENT)]);
    interrupt(&place);
    place.seal_as(&place.sealed(), 8, &Owner::new(1));
    let unlocked = place.open().unwrap().unlock(kept(8)).unwrap();
    let read = unlocked
        .file("a")
        .unwrap()
        .read(u64::MAX, Checks::TagsAndDigests, work(1));
    assert_eq!(read.unwrap(), bytes(1, 3 * SEGMENT));
}

#[test]
fn a_leftover_file_is_refused() {
    let place = Place::with_files(&[("a", 1), ("b", 1)]);
    interrupt(&place);
    fs::remove_file(place.plain().join("b")).unwrap();
    let key = key(7);
    let draft = seal(&place.plain(), &place.sealed(), settings(&key)).unwrap();
    let mut envelope = draft.envelope().unwrap();
    Owner::new(1).sign(&mut envelope);
    let error = draft.finish(&envelope, &Owner::new(1).root()).unwrap_err();
    assert_eq!(error.code(), "sealed.output.stranger");
    assert!(!place.sealed().exists());
}

#[test]
fn a_draft_is_finished_with_its_own_signed_envelope() {
    let place = Place::with_files(&[("a", 1)]);
    place.seal_as(&place.path("other"), 7, &Owner::new(1));
    let others = fs::read(place.path("other").join(MANIFEST_NAME)).unwrap();
    let others = policy::Envelope::from_json(&others).unwrap();
    for envelope in [None, Some(others)] {
        let key = key(7);
        let draft = seal(&place.plain(), &place.sealed(), settings(&key)).unwrap();
        let envelope = envelope.unwrap_or_else(|| draft.envelope().unwrap());
        let error = draft.finish(&envelope, &Owner::new(1).root()).unwrap_err();
        assert_eq!(error.code(), "seal.unsigned");
    }
}

#[test]
fn a_draft_is_not_finished_with_signatures_that_are_not_its_owner_s() {
    let place = Place::with_files(&[("a", 1)]);
    let owner = Owner::new(1);
    let by_another: fn(&mut policy::Envelope) = |envelope| Owner::new(2).sign(envelope);
    let false_ones: fn(&mut policy::Envelope) =
        |envelope| envelope.add_signature(Owner::new(1).public(), [7; 64]);
    for sign in [by_another, false_ones] {
        let key = key(7);
        let draft = seal(&place.plain(), &place.sealed(), settings(&key)).unwrap();
        let mut envelope = draft.envelope().unwrap();
        sign(&mut envelope);
        let error = draft.finish(&envelope, &owner.root()).unwrap_err();
        assert_eq!(error.code(), "seal.signature");
        assert!(!place.sealed().exists());
    }
}

#[test]
fn sources_that_are_no_model_are_refused() {
    let place = Place::with_files(&[("a", 1)]);
    let out = place.sealed();
    assert_eq!(
        seal_error(&place.path("nowhere"), &out).code(),
        "seal.source"
    );
    symlink("a", place.plain().join("link")).unwrap();
    assert_eq!(seal_error(&place.plain(), &out).code(), "seal.source.link");
    assert_eq!(
        seal_error(&place.plain().join("link"), &out).code(),
        "seal.source.link"
    );
    fs::remove_file(place.plain().join("link")).unwrap();
    fs::write(place.plain().join("back\\slash"), b"").unwrap();
    assert_eq!(seal_error(&place.plain(), &out).code(), "seal.source.name");
    for (name, beside) in [
        (".unfinished", "c"),
        ("a.sealed/b", "c"),
        ("MANIFEST.json/x", "c"),
        ("A", "a"),
    ] {
        let other = Place::with_files(&[("a", 1), (beside, 1), (name, 1)]);
        let error = seal_error(&other.plain(), &other.sealed());
        assert_eq!(error.code(), "seal.source.name", "{name}");
    }
    fs::create_dir(place.path("nothing")).unwrap();
    assert_eq!(
        seal_error(&place.path("nothing"), &out).code(),
        "seal.limits"
    );
    fs::write(&out, b"").unwrap();
    fs::remove_file(place.plain().join("back\\slash")).unwrap();
    assert_eq!(
        seal_error(&place.plain(), &out).code(),
        "sealed.output.exists"
    );
    assert!(MAX_FILES > FILES.len());
}

/// Shortens or lengthens the source as soon as something was sealed.
struct Meddler<'a> {
    path: &'a Path,
    length: u64,
}

impl Progress for Meddler<'_> {
    fn advanced(&self, _: u64) {
        let file = fs::File::options().write(true).open(self.path).unwrap();
        file.set_len(self.length).unwrap();
    }
}

#[test]
fn a_source_that_changes_its_length_is_refused() {
    for length in [SEGMENT, 9 * SEGMENT] {
        let place = Place::with_files(&[("a", 8 * SEGMENT)]);
        let path = place.plain().join("a");
        let meddler = Meddler {
            path: &path,
            length,
        };
        let key = key(7);
        let work = Work {
            progress: &meddler,
            ..work(2)
        };
        let settings = SealSettings {
            work,
            ..settings(&key)
        };
        let error = seal(&place.plain(), &place.sealed(), settings)
            .err()
            .unwrap();
        assert_eq!(error.code(), "seal.source.changed");
    }
}

#[test]
fn an_interrupted_opening_goes_on_where_it_was() {
    let place = Place::with_files(&[("a/b", 3 * SEGMENT)]);
    place.seal();
    let part = place.path("again.part");
    fs::create_dir_all(part.join("a")).unwrap();
    let mut half = bytes(1, 3 * SEGMENT);
    half[SEGMENT as usize..].fill(0);
    half.extend(b"more than there is");
    fs::write(part.join("a/b"), half).unwrap();
    let again = place.path("again");
    let error = place.unlocked().export(&again, work(2)).unwrap_err();
    assert_eq!(error.code(), "sealed.output.stranger", "others may read");
    for (name, mode) in [("", 0o700), ("a", 0o700), ("a/b", 0o600)] {
        set_mode(&part.join(name), mode);
    }
    place.unlocked().export(&again, work(2)).unwrap();
    assert_eq!(files_of(&again), files_of(&place.plain()));
    let error = place.unlocked().export(&again, work(2)).unwrap_err();
    assert_eq!(error.code(), "sealed.output.exists");
}

#[test]
fn a_model_that_does_not_verify_never_takes_its_name() {
    let place = Place::with_files(&[("a", 3 * SEGMENT)]);
    place.seal();
    let file = fs::File::options()
        .write(true)
        .open(place.sealed().join("a.sealed"))
        .unwrap();
    file.write_all_at(&[1, 2, 3], 80 + 2 * (SEGMENT + 32) + 50)
        .unwrap();
    let again = place.path("again");
    let error = place.unlocked().export(&again, work(2)).unwrap_err();
    assert_eq!(error.code(), "sealed.segment");
    assert!(!again.exists());
}

#[test]
fn progress_is_told_byte_by_byte() {
    struct Count(AtomicU64);
    impl Progress for Count {
        fn advanced(&self, bytes: u64) {
            self.0.fetch_add(bytes, Ordering::Relaxed);
        }
    }
    let place = Place::with_files(FILES);
    place.seal();
    let count = Count(AtomicU64::new(0));
    let work = Work {
        progress: &count,
        ..work(2)
    };
    place.open().unwrap().verify(work).unwrap();
    let total: u64 = FILES.iter().map(|(_, length)| length).sum();
    assert_eq!(count.0.into_inner(), total);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_files_come_back(
        lengths in prop::collection::vec(0_u64..20_000, 1..5),
        shift in 12_u32..15,
        threads in 1_usize..5,
    ) {
        let place = Place::new();
        for (seed, length) in lengths.iter().enumerate() {
            place.write(&format!("d{}/f{seed}", seed % 2), &bytes(seed as u32 + 1, *length));
        }
        let key = key(7);
        let settings = SealSettings {
            key: &key,
            segment: SegmentSize::new(1 << shift).unwrap(),
            work: work(threads),
        };
        let draft = seal(&place.plain(), &place.sealed(), settings).unwrap();
        let mut envelope = draft.envelope().unwrap();
        Owner::new(1).sign(&mut envelope);
        let manifest = draft.finish(&envelope, &Owner::new(1).root()).unwrap();
        prop_assert_eq!(&Manifest::from_cbor(&manifest.to_cbor()).unwrap(), &manifest);
        let again = place.path("again");
        place.unlocked().export(&again, work(threads)).unwrap();
        prop_assert_eq!(files_of(&again), files_of(&place.plain()));
    }
}
