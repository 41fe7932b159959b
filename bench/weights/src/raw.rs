//! AES-256-GCM of aws-lc-rs alone, over pieces of a buffer or a file, by several threads.

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    digest::{SHA256, digest},
};
use std::{
    fs::File,
    os::unix::fs::FileExt,
    sync::{Mutex, PoisonError},
    thread,
};

pub(crate) const PIECE: usize = 1 << 20;
pub(crate) const TAG: usize = 16;

/// One key under nonces that count pieces: the fastest that there is, and nothing to keep.
pub(crate) struct Raw {
    key: LessSafeKey,
    threads: usize,
}

impl Raw {
    pub(crate) fn new(threads: usize) -> Self {
        let key = UnboundKey::new(&AES_256_GCM, &[7; 32]).expect("32 bytes");
        Self {
            key: LessSafeKey::new(key),
            threads,
        }
    }

    /// Encrypts each piece of `plaintext` into `ciphertext`, gives the tags.
    pub(crate) fn seal_memory(&self, plaintext: &[u8], ciphertext: &mut [u8]) -> Vec<[u8; TAG]> {
        let mut tags = vec![[0; TAG]; plaintext.len() / PIECE];
        let pieces = plaintext
            .chunks(PIECE)
            .zip(ciphertext.chunks_mut(PIECE))
            .zip(&mut tags);
        self.each(pieces.enumerate(), |_, (index, ((from, to), tag))| {
            to.copy_from_slice(from);
            *tag = self.seal(index, to);
        });
        tags
    }

    /// Decrypts each piece of `ciphertext` into `plaintext`.
    pub(crate) fn open_memory(&self, ciphertext: &[u8], tags: &[[u8; TAG]], plaintext: &mut [u8]) {
        let pieces = ciphertext
            .chunks(PIECE)
            .zip(tags)
            .zip(plaintext.chunks_mut(PIECE));
        self.each(pieces.enumerate(), |_, (index, ((from, tag), to))| {
            let opened = self
                .key
                .open_separate_gather(nonce(index), Aad::empty(), from, tag, to);
            opened.expect("genuine");
        });
    }

    /// Reads each piece of `plaintext`, encrypts it and writes it with its tag; hashes it before and after where asked.
    pub(crate) fn seal_file(
        &self,
        plaintext: &File,
        sealed: &File,
        bytes: usize,
        digests: Digests,
    ) {
        self.each(0..bytes / PIECE, |buffer, index| {
            let (body, _) = buffer.split_at_mut(PIECE);
            plaintext
                .read_exact_at(body, (index * PIECE) as u64)
                .expect("source");
            if digests == Digests::Both {
                std::hint::black_box(digest(&SHA256, body));
            }
            let tag = self.seal(index, body);
            buffer[PIECE..].copy_from_slice(&tag);
            if digests == Digests::Both {
                std::hint::black_box(digest(&SHA256, buffer));
            }
            sealed
                .write_all_at(buffer, (index * (PIECE + TAG)) as u64)
                .expect("output");
        });
    }

    /// Reads each piece that [`Raw::seal_file`] wrote and decrypts it where it was read to.
    pub(crate) fn open_file(&self, sealed: &File, plaintext: &mut [u8]) {
        self.each(
            plaintext.chunks_mut(PIECE).enumerate(),
            |_, (index, body)| {
                let mut tag = [0; TAG];
                let offset = (index * (PIECE + TAG)) as u64;
                sealed.read_exact_at(body, offset).expect("sealed");
                sealed
                    .read_exact_at(&mut tag, offset + PIECE as u64)
                    .expect("sealed");
                let opened =
                    self.key
                        .open_in_place_separate_tag(nonce(index), Aad::empty(), &tag, body);
                opened.expect("genuine");
            },
        );
    }

    fn seal(&self, index: usize, body: &mut [u8]) -> [u8; TAG] {
        let sealed = self
            .key
            .seal_in_place_separate_tag(nonce(index), Aad::empty(), body);
        sealed
            .expect("sealed")
            .as_ref()
            .try_into()
            .expect("16 bytes")
    }

    fn each<T>(&self, items: impl Iterator<Item = T> + Send, work: impl Fn(&mut [u8], T) + Sync) {
        let items = Mutex::new(items);
        let next = || items.lock().unwrap_or_else(PoisonError::into_inner).next();
        let run = || {
            let mut buffer = vec![0; PIECE + TAG];
            while let Some(item) = next() {
                work(&mut buffer, item);
            }
        };
        thread::scope(|scope| {
            for _ in 1..self.threads {
                scope.spawn(run);
            }
            run();
        });
    }
}

/// Whether plaintext and ciphertext are hashed too.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Digests {
    None,
    Both,
}

fn nonce(index: usize) -> Nonce {
    let mut nonce = [0; 12];
    nonce[4..].copy_from_slice(&(index as u64).to_be_bytes());
    Nonce::assume_unique_for_key(nonce)
}
