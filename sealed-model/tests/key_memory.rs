//! What the kernel shows of this process's memory once a model was opened: neither its key nor those of its files. Alone in its file: it reads all
//! of its own memory.
#![cfg(target_os = "linux")]
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod model;

use aws_lc_rs::hkdf;
use model::{Owner, Place, SEGMENT, files_of, settings, work};
use protocol::secret::{Heap, SecretMemory};
use sealed_model::{Checks, ModelKey, seal};
use std::{
    fs::{self, File},
    os::unix::fs::FileExt,
    sync::{Mutex, MutexGuard, PoisonError},
};
use zeroize::Zeroizing;

const PAGE: usize = 4096;
const STEP: usize = 256 * PAGE;
/// What is looked for is in memory only under this mask.
const MASK: u8 = 0xa5;

/// How often the bytes that `masked` stands for are in what the kernel shows of this process.
fn occurrences(masked: &[u8]) -> usize {
    let memory = File::open("/proc/self/mem").unwrap();
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let mut window = vec![0; STEP + masked.len() - 1];
    let mut hits = 0;
    for (start, end) in maps.lines().filter_map(writable) {
        for at in (start..end).step_by(STEP) {
            let length = window.len().min(usize::try_from(end - at).unwrap());
            let read = memory.read_at(&mut window[..length], at).unwrap_or(0);
            let shown = window[..read].windows(masked.len());
            hits += shown.filter(|bytes| is_masked(bytes, masked)).count();
        }
    }
    window.fill(0);
    hits
}

fn is_masked(bytes: &[u8], masked: &[u8]) -> bool {
    let mut pairs = bytes.iter().zip(masked);
    pairs.all(|(byte, other)| byte ^ MASK == *other)
}

fn writable(line: &str) -> Option<(u64, u64)> {
    let mut words = line.split_ascii_whitespace();
    let (start, end) = words.next()?.split_once('-')?;
    let number = |text| u64::from_str_radix(text, 16).ok();
    words.next()?.starts_with("rw").then_some(())?;
    Some((number(start)?, number(end)?))
}

/// 24 bytes out of the middle of a key, masked.
fn piece(key: &[u8; 32]) -> Vec<u8> {
    key[4..28].iter().map(|byte| byte ^ MASK).collect()
}

/// The key of a file's segments, as docs/sealed-models.md says it: nothing of the crate's own.
fn file_key(key: &[u8; 32], header: &[u8], model_id: &[u8; 32], name: &str) -> Zeroizing<[u8; 32]> {
    let length = (name.len() as u16).to_be_bytes();
    let label = b"narthex/1/sealed-model/file-key";
    let info = [
        &label[..],
        &header[..48],
        model_id,
        &length,
        name.as_bytes(),
    ];
    let extracted = hkdf::Salt::new(hkdf::HKDF_SHA256, &header[16..48]).extract(key);
    let mut derived = Zeroizing::new([0; 32]);
    let filled = extracted.expand(&info, hkdf::HKDF_SHA256);
    filled.unwrap().fill(derived.as_mut_slice()).unwrap();
    derived
}

/// Seals `place` under `key` and gives what both keys are known by: masked pieces of the model's and the file's.
fn sealed(place: &Place, key: &ModelKey) -> [Vec<u8>; 2] {
    let draft = seal(&place.plain(), &place.sealed(), settings(key)).unwrap();
    let mut envelope = draft.envelope().unwrap();
    Owner::new(1).sign(&mut envelope);
    let manifest = draft.finish(&envelope, &Owner::new(1).root()).unwrap();
    let header = files_of(&place.sealed())["a.sealed"][..80].to_vec();
    let derived = file_key(key.expose(), &header, manifest.model_id(), "a");
    [piece(key.expose()), piece(&derived)]
}

/// One at a time: what one test reads of memory may hold a copy of another's key.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

#[test]
fn nothing_of_a_key_stays_behind() {
    let _alone = alone();
    let place = Place::with_files(&[("a", 5 * SEGMENT)]);
    let key = ModelKey::generate().unwrap();
    let pieces = sealed(&place, &key);
    // The window that memory is read through may show a hit twice: what counts is whether there is one.
    let found = || [&pieces[0], &pieces[1]].map(|piece| occurrences(piece) > 0);
    assert_eq!(found(), [true, false], "the key alone, where it is kept");

    let unlocked = place.open().unwrap().unlock(Heap.keep(key.expose()));
    let unlocked = unlocked.unwrap();
    drop(key);
    let file = unlocked.file("a").unwrap();
    for checks in [Checks::Tags, Checks::TagsAndDigests] {
        file.read(u64::MAX, checks, work(3)).unwrap();
    }
    file.read_at(SEGMENT - 1, &mut [0; 2], Checks::Tags)
        .unwrap();
    let mut segments = file.ciphertexts().unwrap();
    while segments.next_verified().unwrap().is_some() {}
    segments.finish().unwrap();
    assert!(
        file.lend_key(|key| key.iter().any(|byte| *byte != 0))
            .unwrap()
    );
    unlocked.export(&place.path("again"), work(3)).unwrap();
    assert_eq!(found(), [true, false], "control: held by the model");
    drop(unlocked);
    assert_eq!(found(), [false, false], "nothing stays behind");
}

#[test]
fn nothing_of_a_key_file_stays_behind() {
    let _alone = alone();
    let place = Place::new();
    let path = place.path("weights.key");
    let made = ModelKey::generate().unwrap();
    let text = made.to_file();
    fs::write(&path, text.as_bytes()).unwrap();
    let digits: Vec<u8> = text.as_bytes()[8..56].iter().map(|b| b ^ MASK).collect();
    let known = [piece(made.expose()), digits];
    let found = || [&known[0], &known[1]].map(|piece| occurrences(piece) > 0);
    assert_eq!(found(), [true, true], "control: both forms are held");
    drop((made, text));
    assert_eq!(found(), [false, false], "what was made and written");
    let read = ModelKey::read(File::open(&path).unwrap()).unwrap().unwrap();
    assert_eq!(found(), [true, false], "the key alone, where it is kept");
    drop(read);
    assert_eq!(found(), [false, false], "nothing stays behind");
}

#[test]
fn a_key_of_a_file_would_be_found() {
    let _alone = alone();
    let place = Place::with_files(&[("a", SEGMENT)]);
    let key = ModelKey::generate().unwrap();
    let pieces = sealed(&place, &key);
    let header = files_of(&place.sealed())["a.sealed"][..80].to_vec();
    let model_id = *place.open().unwrap().manifest().model_id();
    let held = file_key(key.expose(), &header, &model_id, "a");
    let schedule = aws_lc_rs::aead::UnboundKey::new(&aws_lc_rs::aead::AES_256_GCM, held.as_slice());
    let schedule = aws_lc_rs::aead::LessSafeKey::new(schedule.unwrap());
    assert!(occurrences(&pieces[1]) >= 1, "control");
    drop(schedule);
    drop(held);
}
