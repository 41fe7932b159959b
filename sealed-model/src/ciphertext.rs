//! Segments for whoever decrypts them elsewhere: each is verified here before it is given out, and what it holds is digested.
//!
//! Tags alone would not do. Whoever also reads parts of the file apart from this pass could be given another encryption of a segment there, by an
//! owner who made two; held against the digests that were signed ([`Checks::TagsAndDigests`](crate::Checks)), both reads have the same bytes.

use crate::{OpenError, OpenFile, key::FileKey, reader::finish};
use aws_lc_rs::digest::{Context, SHA256};
use zeroize::Zeroizing;

/// AES-256-GCM encrypts by counter mode; counter 1 is the tag's (SP 800-38D, section 7.1).
const FIRST_COUNTER: u32 = 2;

/// The segments of a file in their order. Ciphertext and plaintext of one are in memory at a time; the plaintext is wiped.
pub struct Ciphertexts<'a> {
    file: &'a OpenFile<'a>,
    key: FileKey,
    next: u64,
    digest: Context,
    ciphertext: Vec<u8>,
    plaintext: Zeroizing<Vec<u8>>,
}

/// The ciphertext of a segment that is genuine, and the one that the owner signed.
pub struct Ciphertext<'a> {
    /// Where in the file its plaintext begins.
    pub offset: u64,
    /// Of AES-256-GCM.
    pub nonce: [u8; 12],
    /// The counter of its first block.
    pub first_counter: u32,
    /// As long as its plaintext.
    pub bytes: &'a [u8],
}

impl OpenFile<'_> {
    /// Its segments, for whoever has its key lent and decrypts them elsewhere.
    pub fn ciphertexts(&self) -> Result<Ciphertexts<'_>, OpenError> {
        Ok(Ciphertexts {
            file: self,
            key: self.file_key()?,
            next: 0,
            digest: Context::new(&SHA256),
            ciphertext: Vec::new(),
            plaintext: Zeroizing::default(),
        })
    }

    /// Lends the key of its segments, and wipes it.
    pub fn lend_key<T>(&self, usage: impl FnOnce(&[u8; 32]) -> T) -> Result<T, OpenError> {
        self.lend_file_key(usage)
    }
}

impl Ciphertexts<'_> {
    /// The next segment, once its digest and tag were verified; None after the last.
    pub fn next_verified(&mut self) -> Result<Option<Ciphertext<'_>>, OpenError> {
        let (entry, index) = (self.file.entry(), self.next);
        if index == entry.segments() {
            return Ok(None);
        }
        let length = entry.layout.plaintext_bytes(index);
        self.ciphertext.resize(length, 0);
        self.plaintext.resize(length, 0);
        let buffers = (&mut *self.ciphertext, &mut **self.plaintext);
        let nonce = self.file.verify_segment(&self.key, index, buffers)?;
        self.digest.update(&self.plaintext);
        self.next += 1;
        Ok(Some(Ciphertext {
            offset: entry.layout.start(index),
            nonce,
            first_counter: FIRST_COUNTER,
            bytes: &self.ciphertext,
        }))
    }

    /// Whether what all segments hold has the SHA-256 that the owner signed.
    pub fn finish(self) -> Result<(), OpenError> {
        let entry = self.file.entry();
        if self.next != entry.segments() {
            return Err(OpenError::Range(entry.name().clone()));
        }
        match finish(self.digest) == *entry.sha256() {
            true => Ok(()),
            false => Err(OpenError::Digest(entry.name().clone())),
        }
    }
}
