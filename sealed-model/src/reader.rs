//! Reads the segments of one sealed file, and tells what became of those that do not verify.

use crate::{
    FileEntry, Manifest, OpenError, StoredFile,
    frame::{self, NONCE_BYTES, PREFIX_BYTES, TAG_BYTES},
    key::FileKey,
};
use attestation::Digest;
use aws_lc_rs::digest::{Context, SHA256};
use std::io;
use zeroize::Zeroize;

/// What is checked of each segment before its plaintext is given out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checks {
    /// Its tag: nobody without the key changed it.
    Tags,
    /// Its tag, and its digest in the signed manifest: nobody but the owner changed it. Costs a SHA-256 of everything. Whether the owner states the
    /// plaintext's SHA-256 as it is, export checks, and loaders that name a model by it.
    TagsAndDigests,
}

/// One sealed file, against its entry in the manifest.
pub(crate) struct SegmentReader<'a> {
    pub(crate) manifest: &'a Manifest,
    pub(crate) entry: &'a FileEntry,
    pub(crate) file: &'a dyn StoredFile,
}

/// What stands around a ciphertext.
struct Frame {
    prefix: [u8; PREFIX_BYTES],
    tag: [u8; TAG_BYTES],
}

impl SegmentReader<'_> {
    /// Decrypts the segment `index` into `out`, which is as long as its plaintext; on an error nothing of it is left there.
    pub(crate) fn open(
        &self,
        key: &FileKey,
        index: u64,
        checks: Checks,
        out: &mut [u8],
    ) -> Result<(), OpenError> {
        let opened = self.open_in_place(key, index, checks, out);
        match opened {
            Ok(true) => Ok(()),
            Ok(false) => {
                out.fill(0);
                Err(self.diagnosis(index))
            }
            Err(error) => {
                out.fill(0);
                Err(error)
            }
        }
    }

    fn open_in_place(
        &self,
        key: &FileKey,
        index: u64,
        checks: Checks,
        out: &mut [u8],
    ) -> Result<bool, OpenError> {
        let frame = self.read(index, out)?;
        if checks == Checks::TagsAndDigests && Some(&frame.digest(out)) != self.digest(index) {
            return Ok(false);
        }
        let place = self.entry.layout.place(index);
        let nonce = frame::nonce(&frame.prefix, place, out.len());
        Ok(nonce.is_some_and(|nonce| key.open(place, nonce, &frame.tag, out)))
    }

    /// Reads the segment `index` into `ciphertext` once, so that what is verified is what stays there, checks digest and tag, and decrypts it into
    /// `plaintext`; gives its nonce. Both are as long as the plaintext; on an error nothing is left in either.
    pub(crate) fn open_beside(
        &self,
        key: &FileKey,
        index: u64,
        (ciphertext, plaintext): (&mut [u8], &mut [u8]),
    ) -> Result<[u8; NONCE_BYTES], OpenError> {
        let opened = self.read(index, ciphertext).and_then(|frame| {
            let found = frame.digest(ciphertext);
            let is_signed = self.digest(index) == Some(&found);
            let place = self.entry.layout.place(index);
            let nonce = frame::nonce(&frame.prefix, place, ciphertext.len());
            let nonce = nonce.filter(|_| is_signed);
            plaintext.copy_from_slice(ciphertext);
            let genuine = nonce.filter(|nonce| key.open(place, *nonce, &frame.tag, plaintext));
            genuine.ok_or_else(|| self.lookup(index, &found))
        });
        if opened.is_err() {
            ciphertext.fill(0);
            plaintext.zeroize();
        }
        opened
    }

    /// Whether the stored segment `index` is the one that the owner signed. `buffer` is as long as a segment.
    pub(crate) fn verify(&self, index: u64, buffer: &mut [u8]) -> Result<(), OpenError> {
        let length = self.entry.layout.plaintext_bytes(index);
        let ciphertext = buffer.get_mut(..length).unwrap_or_default();
        let found = self.read(index, ciphertext)?.digest(ciphertext);
        if Some(&found) == self.digest(index) {
            return Ok(());
        }
        Err(self.lookup(index, &found))
    }

    fn digest(&self, index: u64) -> Option<&Digest> {
        self.entry.segments.get(usize::try_from(index).ok()?)
    }

    /// Reads the ciphertext of the segment `index` and what stands around it.
    fn read(&self, index: u64, ciphertext: &mut [u8]) -> Result<Frame, OpenError> {
        let mut frame = Frame {
            prefix: [0; PREFIX_BYTES],
            tag: [0; TAG_BYTES],
        };
        let start = self.entry.layout.offset(index);
        let body = start + PREFIX_BYTES as u64;
        let end = body + ciphertext.len() as u64;
        self.read_at(&mut frame.prefix, start)?;
        self.read_at(ciphertext, body)?;
        self.read_at(&mut frame.tag, end)?;
        Ok(frame)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> Result<(), OpenError> {
        let read = self.file.read_exact_at(buffer, offset);
        read.map_err(|error| self.unreadable(&error))
    }

    /// A file that has become shorter since it was opened is told as such.
    fn unreadable(&self, error: &io::Error) -> OpenError {
        match self.file.length() {
            Ok(found) if error.kind() == io::ErrorKind::UnexpectedEof => OpenError::Length {
                file: self.entry.name.clone(),
                expected: self.entry.layout.stored_bytes(),
                found,
            },
            _ => OpenError::Io {
                path: self.entry.name.stored(),
                kind: error.kind(),
            },
        }
    }

    /// What became of the segment `index`, whose plaintext was refused.
    fn diagnosis(&self, index: u64) -> OpenError {
        let mut ciphertext = vec![0; self.entry.layout.plaintext_bytes(index)];
        match self.read(index, &mut ciphertext) {
            Ok(frame) => self.lookup(index, &frame.digest(&ciphertext)),
            Err(error) => error,
        }
    }

    /// Whose digest `found` is, which is not that of segment `place`.
    fn lookup(&self, place: u64, found: &Digest) -> OpenError {
        let position = |entry: &FileEntry| entry.segments.iter().position(|one| one == found);
        let file = self.entry.name.clone();
        if let Some(found) = position(self.entry).map(|index| index as u64) {
            if found != place {
                return OpenError::Order { file, place, found };
            }
            return OpenError::Segment { file, place };
        }
        match self
            .manifest
            .files
            .iter()
            .find(|entry| position(entry).is_some())
        {
            Some(other) => OpenError::Spliced {
                file,
                place,
                from: other.name.clone(),
            },
            None => OpenError::Segment { file, place },
        }
    }
}

impl Frame {
    fn digest(&self, ciphertext: &[u8]) -> Digest {
        stored_digest(&[&self.prefix, ciphertext, &self.tag])
    }
}

/// SHA-256 of a stored segment, given in parts.
pub(crate) fn stored_digest(parts: &[&[u8]]) -> Digest {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(part);
    }
    finish(context)
}

/// The 32 bytes of a SHA-256.
pub(crate) fn finish(context: Context) -> Digest {
    let mut digest = [0; 32];
    digest.copy_from_slice(context.finish().as_ref());
    digest
}
