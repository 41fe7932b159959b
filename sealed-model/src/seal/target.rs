//! One file's way into the unfinished output.

use super::{SealError, SealSettings, Source, random};
use crate::{
    FileEntry, FileName, MODEL_ID_BYTES,
    frame::{self, FRAME_BYTES, PREFIX_BYTES, TAG_BYTES},
    header::{HEADER_BYTES, Header, HeaderFields},
    in_order::InOrder,
    key::{FileContext, FileKey},
    layout::Layout,
    output::PartFolder,
    parallel::each,
    reader::stored_digest,
};
use attestation::Digest;
use std::{
    fs::File,
    io,
    os::unix::fs::FileExt,
    sync::{Mutex, PoisonError},
};
use zeroize::Zeroizing;

/// Where sealed files go.
pub(super) struct Target<'a> {
    pub(super) output: &'a PartFolder,
    pub(super) model_id: &'a [u8; MODEL_ID_BYTES],
    pub(super) settings: SealSettings<'a>,
}

/// A file on its way.
struct FileSealer<'a> {
    target: &'a Target<'a>,
    source: &'a Source,
    name: &'a FileName,
    plaintext: File,
    stored: &'a File,
    layout: Layout,
    key: FileKey,
    digests: Mutex<Vec<Digest>>,
    sha256: InOrder,
}

/// Why a file's sealing ended early.
enum Stop {
    /// Under its key another plaintext was sealed before.
    Outdated,
    Failed(SealError),
}

impl From<SealError> for Stop {
    fn from(error: SealError) -> Self {
        Self::Failed(error)
    }
}

/// A segment as it is stored, and what else a thread works with.
struct Buffers {
    /// Prefix, plaintext that becomes ciphertext, tag; as long as the longest segment.
    segment: Zeroizing<Vec<u8>>,
    /// The same for what is there already.
    former: Zeroizing<Vec<u8>>,
}

impl Target<'_> {
    /// Seals the file `name`. Segments that are there already stay if they hold the same plaintext. If one holds another, the file begins anew under
    /// a new key: who has a copy of that segment could put it in the place of what is sealed now, and its tag would hold.
    pub(super) fn seal(&self, source: &Source, name: &FileName) -> Result<FileEntry, SealError> {
        let stored = self.output.file(&name.stored())?;
        let header = match self.former_header(name, &stored) {
            Some(header) => header,
            None => self.new_header(name, &stored)?,
        };
        let sealed = self.seal_under(header, source, name, &stored);
        let sealed = match sealed {
            Err(Stop::Outdated) => {
                let header = self.new_header(name, &stored)?;
                self.seal_under(header, source, name, &stored)
            }
            other => other,
        };
        sealed.map_err(|stop| match stop {
            Stop::Outdated => SealError::Changed(source.path(name)),
            Stop::Failed(error) => error,
        })
    }

    fn seal_under(
        &self,
        header: Header,
        source: &Source,
        name: &FileName,
        stored: &File,
    ) -> Result<FileEntry, Stop> {
        let (plaintext, length) = source.file(name)?;
        let layout = Layout::new(self.settings.segment, length).ok_or(SealError::Limits)?;
        let resized = stored.set_len(layout.stored_bytes());
        resized.map_err(|error| self.unwritable(name, &error))?;
        let segments = usize::try_from(layout.segments()).map_err(|_| SealError::Limits)?;
        let sealer = FileSealer {
            target: self,
            source,
            name,
            plaintext,
            stored,
            layout,
            key: self
                .context(name, header.fields)
                .file_key(self.settings.key.expose()),
            digests: Mutex::new(vec![[0; 32]; segments]),
            sha256: InOrder::new(),
        };
        sealer.run()?;
        Ok(sealer.into_entry(header))
    }

    /// The header in `stored`, if it is this file's under this key.
    fn former_header(&self, name: &FileName, stored: &File) -> Option<Header> {
        let key = self.settings.key.expose();
        let mut bytes = [0; HEADER_BYTES];
        stored.read_exact_at(&mut bytes, 0).ok()?;
        Header::parse(&bytes).filter(|header| {
            let is_as_asked = header.fields.segment == self.settings.segment;
            is_as_asked && self.context(name, header.fields).admits(header, key)
        })
    }

    /// A new header, written to `stored`, of which nothing else is kept.
    fn new_header(&self, name: &FileName, stored: &File) -> Result<Header, SealError> {
        let key = self.settings.key.expose();
        let fields = HeaderFields {
            segment: self.settings.segment,
            iv: random().ok_or(SealError::Crypto)?,
        };
        let header = self.context(name, fields).header(key);
        let written = stored.set_len(0);
        let written = written.and_then(|()| stored.write_all_at(&header.to_bytes(), 0));
        written.map_err(|error| self.unwritable(name, &error))?;
        Ok(header)
    }

    const fn context<'a>(&'a self, name: &'a FileName, fields: HeaderFields) -> FileContext<'a> {
        FileContext {
            fields,
            model_id: self.model_id,
            name,
        }
    }

    fn unwritable(&self, name: &FileName, error: &io::Error) -> SealError {
        SealError::Output(self.output.unwritable(&name.stored(), error))
    }
}

impl FileSealer<'_> {
    fn run(&self) -> Result<(), Stop> {
        let work = self.target.settings.work;
        let longest = self.layout.plaintext_bytes(0) + FRAME_BYTES;
        let prepare = || Buffers {
            segment: Zeroizing::new(vec![0; longest]),
            former: Zeroizing::new(vec![0; longest]),
        };
        let indices = 0..self.layout.segments();
        each(work.threads, indices, prepare, |buffers, index| {
            self.segment(index, buffers)?;
            let bytes = self.layout.plaintext_bytes(index);
            work.progress.advanced(bytes as u64);
            Ok::<_, Stop>(())
        })?;
        let now = self.source.file(self.name)?.1;
        if now != self.layout.length() {
            return Err(self.changed().into());
        }
        let synced = self.stored.sync_all();
        Ok(synced.map_err(|error| self.target.unwritable(self.name, &error))?)
    }

    fn segment(&self, index: u64, buffers: &mut Buffers) -> Result<(), Stop> {
        let turn = self.sha256.turn(index);
        let stored_bytes = self.layout.plaintext_bytes(index) + FRAME_BYTES;
        let segment = buffers.segment.get_mut(..stored_bytes).unwrap_or_default();
        let former = buffers.former.get_mut(..stored_bytes).unwrap_or_default();
        let body = PREFIX_BYTES..stored_bytes - TAG_BYTES;
        let plaintext = segment.get_mut(body).unwrap_or_default();
        let start = self.layout.start(index);
        let read = self.plaintext.read_exact_at(plaintext, start);
        read.map_err(|error| self.source.unreadable(self.name, &error))?;
        if !turn.take(plaintext) {
            return Err(self.changed().into());
        }
        let digest = match self.former(index, former) {
            Some((digest, held)) if *held == *plaintext => digest,
            Some(_) => return Err(Stop::Outdated),
            None => self.written(index, segment)?,
        };
        let digests = self.digests.lock();
        let mut digests = digests.unwrap_or_else(PoisonError::into_inner);
        let slot = usize::try_from(index).ok();
        if let Some(slot) = slot.and_then(|index| digests.get_mut(index)) {
            *slot = digest;
        }
        Ok(())
    }

    /// The digest of the segment that is there already and what it holds, if it is genuine.
    fn former<'b>(&self, index: u64, former: &'b mut [u8]) -> Option<(Digest, &'b [u8])> {
        let offset = self.layout.offset(index);
        let (prefix, rest) = former.split_first_chunk_mut::<PREFIX_BYTES>()?;
        self.stored.read_exact_at(prefix, offset).ok()?;
        let place = self.layout.place(index);
        // Where nothing was written yet there are zeros, which no segment begins with.
        let plaintext_bytes = self.layout.plaintext_bytes(index);
        let nonce = frame::nonce(prefix, place, plaintext_bytes)?;
        let behind = offset + PREFIX_BYTES as u64;
        self.stored.read_exact_at(rest, behind).ok()?;
        let (ciphertext, tag) = rest.split_last_chunk_mut::<TAG_BYTES>()?;
        let digest = stored_digest(&[prefix, ciphertext, tag]);
        let is_genuine = self.key.open(place, nonce, tag, ciphertext);
        is_genuine.then_some((digest, ciphertext))
    }

    /// Encrypts `segment`, whose plaintext is in its place, writes it and gives its digest.
    fn written(&self, index: u64, segment: &mut [u8]) -> Result<Digest, SealError> {
        self.encrypt(index, segment).ok_or(SealError::Crypto)?;
        let written = self.stored.write_all_at(segment, self.layout.offset(index));
        written.map_err(|error| self.target.unwritable(self.name, &error))?;
        Ok(stored_digest(&[segment]))
    }

    fn encrypt(&self, index: u64, segment: &mut [u8]) -> Option<()> {
        let place = self.layout.place(index);
        let nonce = random()?;
        let (prefix, rest) = segment.split_first_chunk_mut::<PREFIX_BYTES>()?;
        let (body, tag) = rest.split_last_chunk_mut::<TAG_BYTES>()?;
        *prefix = frame::prefix(place, body.len(), nonce);
        *tag = self.key.seal(place, nonce, body)?;
        Some(())
    }

    fn changed(&self) -> SealError {
        SealError::Changed(self.source.path(self.name))
    }

    fn into_entry(self, header: Header) -> FileEntry {
        FileEntry {
            name: self.name.clone(),
            layout: self.layout,
            sha256: self.sha256.finish(),
            header,
            segments: self
                .digests
                .into_inner()
                .unwrap_or_else(PoisonError::into_inner),
        }
    }
}
