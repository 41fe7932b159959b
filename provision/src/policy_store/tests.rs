//! Records come back as they were kept; whatever else is found is an error, and never less than was kept.

use super::{PolicyStore, Record, StoreError};
use attestation::{Digest, UnixTime};
use policy::{Files, Remembered};
use std::{
    fs,
    path::{Path, PathBuf},
    thread,
};
use tempfile::{TempDir, tempdir};

const ANCHOR: Digest = [7; 32];

fn record(version: u8) -> Record {
    let at = |kind: u8| Some((u64::from(version), [kind ^ version; 32]));
    Record {
        remembered: Remembered {
            root: at(1),
            policy: at(2),
            inventory: at(3),
            orders: None,
            timestamp: at(5),
            obeyed_at: Some(UnixTime(1000 + u64::from(version))),
        },
        files: Some(Files {
            policy: Some(vec![version; 900]),
            inventory: Some(vec![version; 20_000]),
            ..Files::default()
        }),
    }
}

struct Place {
    folder: TempDir,
    store: PolicyStore,
}

impl Place {
    fn new() -> Self {
        let folder = tempdir().unwrap();
        let store = PolicyStore::new(folder.path(), ANCHOR);
        Self { folder, store }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("policy.redb")
    }

    fn keep(&self, record: &Record) {
        keep(&self.store, record).unwrap();
    }
}

fn keep(store: &PolicyStore, record: &Record) -> Result<(), StoreError> {
    store.update(|_| Ok(Some(record.clone())))
}

#[test]
fn nothing_is_remembered_at_first_and_nothing_is_written_for_it() {
    let place = Place::new();
    assert_eq!(place.store.read().unwrap(), Record::default());
    place.store.update(|_| Ok::<_, StoreError>(None)).unwrap();
    assert!(!place.path().exists());
}

#[test]
fn records_come_back_as_they_were_kept() {
    let place = Place::new();
    for version in [3, 4, 9] {
        place.keep(&record(version));
        let after_restart = PolicyStore::new(place.folder.path(), ANCHOR);
        assert_eq!(after_restart.read().unwrap(), record(version));
    }
    let without_files = Record {
        files: None,
        ..record(9)
    };
    place.keep(&without_files);
    assert_eq!(place.store.read().unwrap(), without_files);
}

#[test]
fn anchors_have_records_of_their_own() {
    let place = Place::new();
    place.keep(&record(4));
    let other = PolicyStore::new(place.folder.path(), [8; 32]);
    assert_eq!(other.read().unwrap(), Record::default());
    keep(&other, &record(1)).unwrap();
    assert_eq!(place.store.read().unwrap(), record(4));
}

#[test]
fn a_change_that_fails_changes_nothing() {
    let place = Place::new();
    place.keep(&record(4));
    let refused = || StoreError::corrupt(Path::new("x"), "x");
    assert!(place.store.update(|_| Err(refused())).is_err());
    assert_eq!(place.store.read().unwrap(), record(4));
}

#[test]
fn threads_change_it_one_after_the_other() {
    let place = Place::new();
    thread::scope(|scope| {
        for _ in 0..12 {
            let store = place.store.clone();
            scope.spawn(move || {
                store.update(|kept| {
                    let seen = kept.remembered.policy.map_or(0, |(version, _)| version);
                    Ok::<_, StoreError>(Some(record(u8::try_from(seen).unwrap() + 1)))
                })
            });
        }
    });
    assert_eq!(place.store.read().unwrap(), record(12));
}

#[test]
fn what_a_killed_creation_left_is_overwritten() {
    let place = Place::new();
    fs::write(place.folder.path().join("policy.redb.new"), b"redb half").unwrap();
    place.keep(&record(1));
    assert_eq!(place.store.read().unwrap(), record(1));
}

fn assert_corrupt(place: &Place, case: &str) {
    let before = fs::read(place.path()).unwrap();
    let error = place.store.read().unwrap_err();
    assert_eq!(error.code(), "provision.memory.corrupt", "{case}");
    let error = keep(&place.store, &record(100)).unwrap_err();
    assert_eq!(error.code(), "provision.memory.corrupt", "{case}");
    assert!(fs::read(place.path()).unwrap() == before, "{case}: changed");
}

#[test]
fn a_foreign_or_cut_file_is_an_error_and_never_a_fresh_start() {
    let place = Place::new();
    place.keep(&record(4));
    let good = fs::read(place.path()).unwrap();
    let foreign = place.folder.path().join("foreign.redb");
    drop(redb::Database::create(&foreign).unwrap());
    let cases = [
        ("empty", Vec::new()),
        ("text", b"schema = 1\n".to_vec()),
        ("zeros", vec![0; good.len()]),
        ("cut", good[..good.len() / 2].to_vec()),
        ("one byte short", good[..good.len() - 1].to_vec()),
        ("one byte more", [good.as_slice(), b"x"].concat()),
        ("another program's", fs::read(&foreign).unwrap()),
    ];
    for (case, content) in cases {
        fs::write(place.path(), content).unwrap();
        assert_corrupt(&place, case);
    }
}

/// A byte that carries nothing may be anything; one that carries something is missed.
#[test]
fn no_damaged_byte_brings_an_older_record_back() {
    let place = Place::new();
    for version in [3, 4] {
        place.keep(&record(version));
    }
    let good = fs::read(place.path()).unwrap();
    let head = 0..320;
    let used = (320..good.len()).filter(|&at| good[at] != 0).step_by(61);
    let mut missed = 0;
    for at in head.chain(used) {
        let mut damaged = good.clone();
        damaged[at] ^= 1 << (at % 8);
        fs::write(place.path(), damaged).unwrap();
        match place.store.read() {
            Ok(kept) => assert!(kept == record(4), "byte {at}"),
            Err(error) => {
                assert_eq!(error.code(), "provision.memory.corrupt", "byte {at}");
                missed += 1;
            }
        }
    }
    assert!(missed > 100, "{missed} bytes were missed");
}

fn former(place: &Place, version: u64, digest: &Digest) -> PathBuf {
    let root = hex::encode(ANCHOR);
    let path = place.folder.path().join(format!("policy-{root}.json"));
    let digest = hex::encode(digest);
    let json = format!(
        r#"{{ "schema": 1, "root": "{root}", "version": {version}, "digest": "{digest}" }}"#
    );
    fs::write(&path, json).unwrap();
    path
}

#[test]
fn what_a_former_release_remembered_is_taken_over_and_never_lost() {
    let place = Place::new();
    let path = former(&place, 7, &[9; 32]);
    let taken = place.store.read().unwrap();
    assert_eq!(taken.remembered.policy, Some((7, [9; 32])));
    assert_eq!(taken.files, None);
    place.keep(&taken);
    fs::remove_file(path).unwrap();
    assert_eq!(place.store.read().unwrap(), taken);
}

#[test]
fn the_newer_of_both_memories_counts() {
    let place = Place::new();
    place.keep(&record(5));
    former(&place, 3, &[9; 32]);
    assert_eq!(place.store.read().unwrap(), record(5));
    former(&place, 6, &[9; 32]);
    let newer = place.store.read().unwrap();
    assert_eq!(newer.remembered.policy, Some((6, [9; 32])));
    assert_eq!(newer.remembered.inventory, record(5).remembered.inventory);
    assert_eq!(newer.files, None, "the files of version 5 are older");
}

#[test]
fn two_memories_that_contradict_each_other_are_an_error() {
    let place = Place::new();
    place.keep(&record(5));
    former(&place, 5, &[9; 32]);
    let error = place.store.read().unwrap_err();
    assert_eq!(error.code(), "provision.memory.corrupt");
}

#[test]
fn a_damaged_memory_of_a_former_release_is_an_error() {
    let place = Place::new();
    let path = former(&place, 7, &[9; 32]);
    let good = fs::read_to_string(&path).unwrap();
    let damaged = [
        String::new(),
        good.replace("\"schema\": 1", "\"schema\": 2"),
        good.replace("\"schema\"", "\"more\": 1, \"schema\""),
        good.replace(&hex::encode(ANCHOR), &hex::encode([8; 32])),
        good.replace(&hex::encode([9; 32]), "ab"),
        format!("{good}{}", " ".repeat(5000)),
    ];
    for content in damaged {
        assert_ne!(content, good);
        fs::write(&path, &content).unwrap();
        let error = place.store.read().unwrap_err();
        assert_eq!(error.code(), "provision.memory.corrupt", "{content}");
    }
}

#[test]
fn what_cannot_be_read_or_written_is_an_error() {
    let place = Place::new();
    fs::create_dir(place.path()).unwrap();
    let error = place.store.read().unwrap_err();
    assert_eq!(error.code(), "provision.file.read");
    let absent = PolicyStore::new(&place.folder.path().join("absent"), ANCHOR);
    let error = keep(&absent, &record(1)).unwrap_err();
    assert_eq!(error.code(), "provision.memory.write");
}
