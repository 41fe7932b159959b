//! A sealed model with its key: reads anywhere, and whole files by all threads.

use crate::{
    Checks, FileEntry, Manifest, OpenError, SealedModel, StoredFile, Work,
    frame::NONCE_BYTES,
    key::{FileKey, KEY_BYTES},
    parallel::each,
};
use protocol::secret::KeptSecret;
use std::ops::Range;
use zeroize::{Zeroize, Zeroizing};

/// A sealed model and its key, which rests where it is kept; keys of files are made for one call and wiped.
pub struct Unlocked {
    model: SealedModel,
    key: Box<dyn KeptSecret>,
}

/// One file of an unlocked model, held open.
pub struct OpenFile<'a> {
    unlocked: &'a Unlocked,
    entry: &'a FileEntry,
    stored: Box<dyn StoredFile>,
}

impl Unlocked {
    /// The caller has compared `key` with the manifest.
    pub(crate) const fn new(model: SealedModel, key: Box<dyn KeptSecret>) -> Self {
        Self { model, key }
    }

    /// What the owner signed.
    #[must_use]
    pub const fn manifest(&self) -> &Manifest {
        self.model.manifest()
    }

    /// The model, whose key is given back.
    #[must_use]
    pub fn lock(self) -> SealedModel {
        self.model
    }

    /// The file `name`.
    pub fn file(&self, name: &str) -> Result<OpenFile<'_>, OpenError> {
        self.entry(self.manifest().file(name)?)
    }

    /// The file of `entry`.
    pub(crate) fn entry<'a>(&'a self, entry: &'a FileEntry) -> Result<OpenFile<'a>, OpenError> {
        Ok(OpenFile {
            unlocked: self,
            entry,
            stored: self.model.stored(entry)?,
        })
    }

    fn key(&self) -> Result<&[u8; KEY_BYTES], OpenError> {
        self.key.expose().try_into().map_err(|_| OpenError::Key)
    }
}

impl OpenFile<'_> {
    /// What the manifest says of it.
    #[must_use]
    pub const fn entry(&self) -> &FileEntry {
        self.entry
    }

    /// Fills `out` with the plaintext at `offset`. On an error nothing of it is left there.
    pub fn read_at(&self, offset: u64, out: &mut [u8], checks: Checks) -> Result<(), OpenError> {
        let read = self.read_segments(offset, out, checks);
        if read.is_err() {
            out.zeroize();
        }
        read
    }

    fn read_segments(&self, offset: u64, out: &mut [u8], checks: Checks) -> Result<(), OpenError> {
        let end = offset.checked_add(out.len() as u64);
        let end = end.filter(|end| *end <= self.entry.length());
        let end = end.ok_or_else(|| OpenError::Range(self.entry.name.clone()))?;
        let key = self.file_key()?;
        let mut rest = out;
        let mut from = offset;
        while from < end {
            let index = self.entry.layout.index_of(from);
            let wanted = self.within(index, from, end);
            let (part, behind) = rest.split_at_mut(wanted.len().min(rest.len()));
            self.read_part(&key, (index, checks), wanted.start, part)?;
            from += part.len() as u64;
            rest = behind;
        }
        Ok(())
    }

    /// Which bytes of the segment `index` lie in `from..end` of the file.
    fn within(&self, index: u64, from: u64, end: u64) -> Range<usize> {
        let start = self.entry.layout.start(index);
        let length = self.entry.layout.plaintext_bytes(index);
        // Both are within a segment, of at most 16 MiB.
        let skipped = (from - start) as usize;
        let last = (end - start).min(length as u64) as usize;
        skipped..last
    }

    /// Plaintext of the segment `index` from its byte `skipped` on.
    fn read_part(
        &self,
        key: &FileKey,
        (index, checks): (u64, Checks),
        skipped: usize,
        out: &mut [u8],
    ) -> Result<(), OpenError> {
        let length = self.entry.layout.plaintext_bytes(index);
        if out.len() == length {
            return self.open_segment(key, index, checks, out);
        }
        let mut segment = Zeroizing::new(vec![0; length]);
        self.open_segment(key, index, checks, &mut segment)?;
        let part = segment
            .get(skipped..)
            .and_then(|rest| rest.get(..out.len()));
        let part = part.ok_or_else(|| OpenError::Range(self.entry.name.clone()))?;
        out.copy_from_slice(part);
        Ok(())
    }

    /// Decrypts the whole file into `out`, which is as long as it. On an error nothing of it is left there.
    pub fn read_into(
        &self,
        out: &mut [u8],
        checks: Checks,
        work: Work<'_>,
    ) -> Result<(), OpenError> {
        if out.len() as u64 != self.entry.length() {
            return Err(OpenError::Range(self.entry.name.clone()));
        }
        let read = self.read_all(out, checks, work);
        if read.is_err() {
            out.zeroize();
        }
        read
    }

    fn read_all(&self, out: &mut [u8], checks: Checks, work: Work<'_>) -> Result<(), OpenError> {
        let key = self.file_key()?;
        if out.is_empty() {
            return self.open_segment(&key, 0, checks, out);
        }
        let segments = out.chunks_mut(self.entry.layout.segment_size().len());
        let open = |(): &mut (), (index, segment): (u64, &mut [u8])| {
            self.open_segment(&key, index, checks, segment)?;
            work.progress.advanced(segment.len() as u64);
            Ok(())
        };
        each(work.threads, (0..).zip(segments), || (), open)
    }

    /// The whole file, if it has at most `most_bytes`. Whoever drops it wipes it, or runs under an allocator that does.
    pub fn read(
        &self,
        most_bytes: u64,
        checks: Checks,
        work: Work<'_>,
    ) -> Result<Vec<u8>, OpenError> {
        let bytes = self.entry.length();
        let too_large = || OpenError::Memory {
            file: self.entry.name.clone(),
            bytes,
        };
        let length = usize::try_from(bytes).ok().filter(|_| bytes <= most_bytes);
        let length = length.ok_or_else(too_large)?;
        let mut out = Vec::new();
        out.try_reserve_exact(length).map_err(|_| too_large())?;
        out.resize(length, 0);
        self.read_into(&mut out, checks, work)?;
        Ok(out)
    }

    pub(crate) fn file_key(&self) -> Result<FileKey, OpenError> {
        let model_id = &self.unlocked.manifest().model_id;
        let context = self.entry.context(model_id);
        Ok(context.file_key(self.unlocked.key()?))
    }

    pub(crate) fn lend_file_key<T>(
        &self,
        usage: impl FnOnce(&[u8; KEY_BYTES]) -> T,
    ) -> Result<T, OpenError> {
        let model_id = &self.unlocked.manifest().model_id;
        let context = self.entry.context(model_id);
        Ok(context.lend_file_key(self.unlocked.key()?, usage))
    }

    /// Reads the segment `index`, of which tag and digest are checked, into the first buffer and its plaintext into the second, both as long as that; gives its nonce.
    pub(crate) fn verify_segment(
        &self,
        key: &FileKey,
        index: u64,
        buffers: (&mut [u8], &mut [u8]),
    ) -> Result<[u8; NONCE_BYTES], OpenError> {
        let reader = self.unlocked.model.reader(self.entry, &*self.stored);
        reader.open_beside(key, index, buffers)
    }

    pub(crate) fn open_segment(
        &self,
        key: &FileKey,
        index: u64,
        checks: Checks,
        out: &mut [u8],
    ) -> Result<(), OpenError> {
        let reader = self.unlocked.model.reader(self.entry, &*self.stored);
        reader.open(key, index, checks, out)
    }
}
