//! What the kernel shows of this process's memory, as `/proc/PID/mem` and a core dump have it: no secret at rest. Alone in its file: it reads
//! all of its own memory.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests"
)]

use enclave_runtime::{PageKind, SecretPages};
use protocol::{
    IdentitySecret, KeyEpoch, PaddingProfile, Receiver, Terms,
    secret::{Heap, KeptSecret, SecretMemory},
};
use std::{
    fs::{self, File},
    os::unix::fs::FileExt,
    sync::Mutex,
};

const PAGE: usize = 4096;
const STEP: usize = 256 * PAGE;
/// What is looked for is in memory only under this mask.
const MASK: u8 = 0xa5;

/// Memory that remembers, masked, pieces of the secrets that it was given.
struct Recording<M> {
    memory: M,
    pieces: Mutex<Vec<Vec<u8>>>,
}

impl<M: SecretMemory> Recording<M> {
    fn new(memory: M) -> Self {
        Self {
            memory,
            pieces: Mutex::default(),
        }
    }

    /// How often each piece is found.
    fn found(&self) -> Vec<usize> {
        let pieces = self.pieces.lock().unwrap();
        pieces.iter().map(|piece| occurrences(piece)).collect()
    }
}

impl<M: SecretMemory> SecretMemory for Recording<M> {
    fn keep(&self, secret: &[u8]) -> Box<dyn KeptSecret> {
        let mut pieces = self.pieces.lock().unwrap();
        for start in starts_of_pieces(secret.len()) {
            let piece = secret[start..start + 24].iter().map(|byte| byte ^ MASK);
            pieces.push(piece.collect());
        }
        self.memory.keep(secret)
    }
}

/// Within a seed or scalar of 32 bytes, past the byte that X25519 clamps. X-Wing's secret is ML-KEM's s, its public key and digest, z, and a
/// scalar: public bytes may be found.
fn starts_of_pieces(length: usize) -> Vec<usize> {
    match length {
        32 => vec![4],
        2432 => vec![4, length - 64 + 4, length - 32 + 4],
        other => panic!("a secret of {other} bytes"),
    }
}

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
    hits
}

fn is_masked(bytes: &[u8], masked: &[u8]) -> bool {
    bytes
        .iter()
        .zip(masked)
        .all(|(byte, other)| byte ^ MASK == *other)
}

fn writable(line: &str) -> Option<(u64, u64)> {
    let mut words = line.split_ascii_whitespace();
    let (start, end) = words.next()?.split_once('-')?;
    let number = |text| u64::from_str_radix(text, 16).ok();
    words.next()?.starts_with("rw").then_some(())?;
    Some((number(start)?, number(end)?))
}

/// An identity and an epoch whose secrets rest in `memory`, each used a few times.
fn used_keys(memory: &dyn SecretMemory) -> (IdentitySecret, Receiver) {
    let identity = IdentitySecret::generate_in(memory);
    let receiver = Receiver::new(Terms {
        max_request_bytes: 1024,
        padding: PaddingProfile::Off,
    });
    receiver.install(KeyEpoch::generate_in(memory, 7, 16));
    let x25519 = [[7, 0, 0x20, 0, 1, 0, 1].as_slice(), &[9; 32]].concat();
    let x_wing = [[7, 0x64, 0x7a, 0, 1, 0, 2].as_slice(), &[9; 1088 + 32]].concat();
    for _ in 0..3 {
        let _ = identity.sign(b"message");
        receiver.open().push(&x25519).unwrap();
        receiver.open().push(&x_wing).unwrap();
    }
    (identity, receiver)
}

#[test]
fn no_secret_at_rest_is_shown() {
    let pages = SecretPages::probe();
    if pages.kind() != PageKind::Secret {
        println!("this kernel has no memfd_secret: there is nothing to look at");
        return;
    }
    let heap = Recording::new(Heap);
    let on_heap = used_keys(&heap);
    let found = heap.found();
    assert_eq!(found.len(), 5);
    assert!(found.iter().all(|hits| *hits > 0), "control: {found:?}");
    drop(on_heap);

    let secret = Recording::new(pages);
    let in_pages = used_keys(&secret);
    assert_eq!(secret.found(), [0; 5]);
    drop(in_pages);
}
