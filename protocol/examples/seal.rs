//! Speed of sealing and opening response chunks: `cargo run --release -p protocol --example seal`. Prints one line per size,
//! `seal NAME BYTES NANOSECONDS GB/S` and `open ..`, the best of many rounds.
#![expect(clippy::print_stdout, reason = "a benchmark prints")]

use protocol::{
    Aead,
    chunk::{ChunkOpener, ChunkSealer, MAX_SENT_CHUNK, response_nonce_len},
};
use std::{
    hint::black_box,
    time::{Duration, Instant},
};

const ROUNDS: usize = 200;
const CHUNKS_PER_ROUND: usize = 100;

fn main() {
    for (name, aead) in [
        ("aes-128-gcm", Aead::Aes128Gcm),
        ("aes-256-gcm", Aead::Aes256Gcm),
    ] {
        for size in [64, 1024, MAX_SENT_CHUNK] {
            report("seal", name, size, seal(aead, size));
            report("open", name, size, open(aead, size));
        }
    }
}

fn report(what: &str, name: &str, size: usize, time: Option<Duration>) {
    let Some(time) = time else {
        println!("{what} {name} {size} failed");
        return;
    };
    let nanoseconds = time.as_secs_f64() * 1e9 / CHUNKS_PER_ROUND as f64;
    let rate = size as f64 / nanoseconds;
    println!("{what} {name} {size} {nanoseconds:.0} {rate:.2}");
}

/// The best time of a round of sealing.
fn seal(aead: Aead, size: usize) -> Option<Duration> {
    let (part, secret) = (vec![1; size], vec![2; response_nonce_len(aead)]);
    let mut sealer = ChunkSealer::response(aead, &secret, b"enc", &secret)?;
    let mut out = Vec::with_capacity(size + 64);
    best(|| {
        for _ in 0..CHUNKS_PER_ROUND {
            out.clear();
            sealer.seal(&[black_box(&part)], &mut out)?;
            black_box(&out);
        }
        Some(())
    })
}

/// The best time of a round of opening, copy of the ciphertext included.
fn open(aead: Aead, size: usize) -> Option<Duration> {
    let (part, secret) = (vec![1; size], vec![2; response_nonce_len(aead)]);
    let mut sealer = ChunkSealer::response(aead, &secret, b"enc", &secret)?;
    let mut stream = Vec::new();
    for _ in 0..ROUNDS * CHUNKS_PER_ROUND {
        sealer.seal(&[&part], &mut stream)?;
    }
    let mut opener = ChunkOpener::response(aead, &secret, b"enc", &secret)?;
    let mut input = stream.as_slice();
    best(|| {
        for _ in 0..CHUNKS_PER_ROUND {
            black_box(opener.next(&mut input).ok()??);
        }
        Some(())
    })
}

fn best(mut round: impl FnMut() -> Option<()>) -> Option<Duration> {
    let mut best = Duration::MAX;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        round()?;
        best = best.min(start.elapsed());
    }
    Some(best)
}
