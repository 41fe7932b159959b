//! The folder of keys: what is taken for a key, and what is refused.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod support;

use releaser::KeyFolder;
use std::{
    fs,
    os::unix::fs::{PermissionsExt, chown, symlink},
    path::{Path, PathBuf},
};
use support::{folder_of, random, write_key};
use tempfile::TempDir;

const KEY: [u8; 32] = [7; 32];
const MODEL: [u8; 32] = [0xab; 32];

fn folder() -> (TempDir, PathBuf) {
    let folder = folder_of(&KEY, &MODEL);
    let file = folder.path().join(format!("{}.key", hex::encode(MODEL)));
    (folder, file)
}

fn code(folder: &Path) -> &'static str {
    let error = KeyFolder::open(folder).unwrap_err();
    let told = error.to_string();
    assert!(!told.contains(&hex::encode(KEY)), "{told}");
    error.code()
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn keys_are_read_as_their_owner_keeps_them() {
    let (folder, file) = folder();
    write_key(folder.path(), &random(), &random());
    assert_eq!(KeyFolder::open(folder.path()).unwrap().len(), 2);
    fs::write(&file, hex::encode(KEY)).unwrap();
    let without_line_end = KeyFolder::open(folder.path());
    assert_eq!(without_line_end.unwrap().len(), 2);
}

#[test]
fn a_key_that_others_can_use_is_refused() {
    let (folder, file) = folder();
    for mode in [0o640, 0o604, 0o620, 0o610, 0o601] {
        set_mode(&file, mode);
        assert_eq!(code(folder.path()), "key_folder.permissions", "{mode:o}");
    }
    set_mode(&file, 0o400);
    assert!(KeyFolder::open(folder.path()).is_ok());
    set_mode(folder.path(), 0o770);
    assert_eq!(code(folder.path()), "key_folder.permissions");
}

/// Only root can give a file away, and only root can read what another user keeps to itself.
#[test]
fn another_users_key_or_folder_is_refused() {
    const NOBODY: Option<u32> = Some(65534);
    let (folder, file) = folder();
    if chown(&file, NOBODY, None).is_err() {
        println!("not root: there is no other user's file to look at");
        return;
    }
    assert_eq!(code(folder.path()), "key_folder.permissions");
    chown(&file, Some(0), None).unwrap();
    assert!(KeyFolder::open(folder.path()).is_ok());
    chown(folder.path(), NOBODY, None).unwrap();
    assert_eq!(code(folder.path()), "key_folder.permissions");
}

#[test]
fn links_and_folders_are_no_keys() {
    let (folder, file) = folder();
    let elsewhere = tempfile::tempdir().unwrap();
    let target = elsewhere.path().join("key");
    fs::rename(&file, &target).unwrap();
    symlink(&target, &file).unwrap();
    assert_eq!(code(folder.path()), "key_folder.not_a_file");
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    assert_eq!(code(folder.path()), "key_folder.not_a_file");
}

#[test]
fn a_file_with_another_name_is_refused() {
    let names = [
        "weights.key".to_owned(),
        hex::encode(MODEL),
        format!("{}.key", hex::encode_upper(MODEL)),
        format!("{}.key", hex::encode([1; 31])),
        format!("{}.key.old", hex::encode(MODEL)),
    ];
    for name in names {
        let (folder, file) = folder();
        fs::rename(file, folder.path().join(name)).unwrap();
        assert_eq!(code(folder.path()), "key_folder.name");
    }
}

#[test]
fn what_is_no_key_is_refused() {
    let digits = hex::encode(KEY);
    let contents = [
        String::new(),
        digits[1..].to_owned(),
        format!("{digits}00\n"),
        format!("{digits}\n\n"),
        format!("{digits}\r\n"),
        format!("0x{}\n", &digits[2..]),
        digits.replace('7', "g"),
    ];
    for content in contents {
        let (folder, file) = folder();
        fs::write(file, &content).unwrap();
        assert_eq!(code(folder.path()), "key_folder.malformed", "{content:?}");
    }
}

#[test]
fn a_folder_without_keys_or_none_at_all_is_refused() {
    let (folder, file) = folder();
    fs::remove_file(file).unwrap();
    assert_eq!(code(folder.path()), "key_folder.number");
    assert_eq!(code(&folder.path().join("absent")), "key_folder.read");
}
