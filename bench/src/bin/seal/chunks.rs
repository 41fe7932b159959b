//! 16 KiB chunks of an answer. Everybody works on the same bytes, warm; set-up is outside, but for the openers', which is once in a stream.

use crate::ohttp_server;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use bench::timing::{Timing, in_turn, print_ratio};
use futures::{AsyncWriteExt as _, executor::block_on};
use protocol::{
    Aead,
    chunk::{ChunkOpener, ChunkSealer, MAX_SENT_CHUNK, response_nonce_len},
};
use std::{error::Error, hint::black_box};

/// One chunk of text.
pub const PART: [u8; MAX_SENT_CHUNK] = [0x6e; MAX_SENT_CHUNK];
/// Chunks of the stream that is opened: 1 MiB.
const CHUNKS: usize = 64;
const SECRET: [u8; response_nonce_len(Aead::Aes256Gcm)] = [2; 32];

/// Prints gigabytes per second and ratios.
pub fn compare() -> Result<(), Box<dyn Error>> {
    compare_sealing()?;
    compare_opening()
}

fn compare_sealing() -> Result<(), Box<dyn Error>> {
    let mut sealer = sealer()?;
    let mut out = Vec::with_capacity(PART.len() + 64);
    let mut ours = || {
        out.clear();
        let sealed = sealer.seal(&[black_box(PART.as_slice())], &mut out);
        sealed.expect("a chunk can be sealed");
        black_box(&out);
    };
    let (key, mut in_out) = (raw_key()?, PART);
    let mut raw = || {
        let nonce = Nonce::assume_unique_for_key([0; 12]);
        let tag = key.seal_in_place_separate_tag(nonce, Aad::empty(), black_box(&mut in_out));
        black_box(tag.expect("it can be sealed").as_ref());
    };
    let mut stream = ohttp_server::answer_stream()?;
    let mut ohttp = || block_on(stream.write_all(black_box(&PART))).expect("the sink takes it");
    let [us, raw, ohttp] = in_turn([&mut ours, &mut raw, &mut ohttp]);
    println!(
        "seal.16k: narthex {:.2} GB/s and raw aws-lc-rs {:.2} GB/s with AES-256-GCM; ohttp 0.8 {:.2} GB/s with AES-128-GCM",
        rate(&us, 1),
        rate(&raw, 1),
        rate(&ohttp, 1)
    );
    print_ratio("seal.16k.vs_raw", &us, &raw);
    print_ratio("seal.16k.vs_ohttp", &us, &ohttp);
    Ok(())
}

fn compare_opening() -> Result<(), Box<dyn Error>> {
    let mut sealer = sealer()?;
    let mut stream = Vec::new();
    for _ in 0..CHUNKS {
        sealer
            .seal(&[&PART], &mut stream)
            .ok_or("a chunk can be sealed")?;
    }
    let mut ours = || {
        let opener = ChunkOpener::response(Aead::Aes256Gcm, &SECRET, b"enc", &SECRET);
        let (mut opener, mut input) = (opener.expect("a key can be derived"), stream.as_slice());
        while let Some(text) = opener.next(&mut input).expect("it opens") {
            black_box(text);
        }
    };
    let (key, sealed) = (raw_key()?, raw_chunks()?);
    let mut text = PART;
    let mut raw = || {
        for (ciphertext, tag) in &sealed {
            let nonce = Nonce::assume_unique_for_key([0; 12]);
            let opened = key.open_separate_gather(nonce, Aad::empty(), ciphertext, tag, &mut text);
            opened.expect("it opens");
            black_box(&text);
        }
    };
    let [us, raw] = in_turn([&mut ours, &mut raw]);
    println!(
        "open.16k: narthex {:.2} GB/s and raw aws-lc-rs {:.2} GB/s with AES-256-GCM",
        rate(&us, CHUNKS),
        rate(&raw, CHUNKS)
    );
    print_ratio("open.16k.vs_raw", &us, &raw);
    Ok(())
}

/// Gigabytes per second of `chunks` a call.
pub fn rate(timing: &Timing, chunks: usize) -> f64 {
    (PART.len() * chunks) as f64 * timing.per_second() / 1e9
}

fn sealer() -> Result<ChunkSealer, &'static str> {
    ChunkSealer::response(Aead::Aes256Gcm, &SECRET, b"enc", &SECRET).ok_or("no sealer")
}

fn raw_key() -> Result<LessSafeKey, Box<dyn Error>> {
    Ok(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &SECRET)?))
}

/// Ciphertexts and tags of the raw stream, as long as ours.
fn raw_chunks() -> Result<Vec<(Vec<u8>, Vec<u8>)>, Box<dyn Error>> {
    let key = raw_key()?;
    let chunk = || {
        let nonce = Nonce::assume_unique_for_key([0; 12]);
        let mut in_out = PART.to_vec();
        let tag = key.seal_in_place_separate_tag(nonce, Aad::empty(), &mut in_out)?;
        Ok((in_out, tag.as_ref().to_vec()))
    };
    (0..CHUNKS).map(|_| chunk()).collect()
}
