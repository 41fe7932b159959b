//! A sealed file as a device that deciphers it takes it.

use engine::gguf::{ModelBytes, Unreadable};
use gpu::{SealedSource, VerifiedSegment};
use sealed_model::{Checks, Ciphertexts, OpenError, OpenFile};
use std::ops::Range;

/// What a sealed file holds, opened here piece by piece: of the very segments that [`FileSource`] gives out, since both hold them against the
/// digests that were signed.
pub(crate) struct FileBytes<'a>(pub(crate) &'a OpenFile<'a>);

/// A sealed file. Its segments are given out once, each after its digest and tag were verified.
pub(crate) struct FileSource<'a> {
    file: &'a OpenFile<'a>,
    segments: Option<Ciphertexts<'a>>,
}

impl<'a> FileSource<'a> {
    pub(crate) fn new(file: &'a OpenFile<'a>) -> Result<Self, OpenError> {
        Ok(Self {
            file,
            segments: Some(file.ciphertexts()?),
        })
    }
}

impl ModelBytes for FileBytes<'_> {
    fn length(&self) -> u64 {
        self.0.entry().length()
    }

    fn read(&self, range: Range<u64>) -> Result<Vec<u8>, Unreadable> {
        let beyond = || OpenError::Range(self.0.entry().name().clone());
        let length = range.end.checked_sub(range.start);
        let length = length.filter(|_| range.end <= self.length());
        let length = length.and_then(|length| usize::try_from(length).ok());
        let mut bytes = vec![0; length.ok_or_else(|| refused(&beyond()))?];
        let read = (self.0).read_at(range.start, &mut bytes, Checks::TagsAndDigests);
        read.map_err(|error| refused(&error))?;
        Ok(bytes)
    }
}

impl ModelBytes for FileSource<'_> {
    fn length(&self) -> u64 {
        FileBytes(self.file).length()
    }

    fn read(&self, range: Range<u64>) -> Result<Vec<u8>, Unreadable> {
        FileBytes(self.file).read(range)
    }
}

impl SealedSource for FileSource<'_> {
    fn lend_key(&mut self, usage: &mut dyn FnMut(&[u8; 32])) -> Result<(), Unreadable> {
        let lent = self.file.lend_key(usage);
        lent.map_err(|error| refused(&error))
    }

    fn next_verified(&mut self) -> Result<Option<VerifiedSegment<'_>>, Unreadable> {
        let Some(segments) = &mut self.segments else {
            return Ok(None);
        };
        let segment = segments.next_verified();
        let segment = segment.map_err(|error| refused(&error))?;
        Ok(segment.map(|segment| VerifiedSegment {
            offset: segment.offset,
            nonce: segment.nonce,
            first_counter: segment.first_counter,
            bytes: segment.bytes,
        }))
    }

    /// Also refused where it is asked twice: nothing was given out since.
    fn finish(&mut self) -> Result<(), Unreadable> {
        let segments = self.segments.take();
        let finished = segments.map_or_else(
            || Err(OpenError::Range(self.file.entry().name().clone())),
            Ciphertexts::finish,
        );
        finished.map_err(|error| refused(&error))
    }
}

fn refused(error: &OpenError) -> Unreadable {
    Unreadable {
        code: error.code(),
        reason: error.to_string(),
    }
}
