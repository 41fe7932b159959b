//! Opening a whole model into a folder.

use crate::{
    Checks, FileEntry, OpenError, OpenFile, OutputError, Unlocked, Work, audience::Audience,
    in_order::InOrder, output::PartFolder, parallel::each,
};
use std::{fs::File, io, os::unix::fs::FileExt, path::Path};
use zeroize::Zeroizing;

/// Why a model was not opened into a folder; `code()` is stable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The sealed model.
    #[error(transparent)]
    Model(#[from] OpenError),
    /// The output.
    #[error(transparent)]
    Output(#[from] OutputError),
}

impl ExportError {
    /// Stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Model(error) => error.code(),
            Self::Output(error) => error.code(),
        }
    }
}

impl Unlocked {
    /// Opens the model into what will be the folder `out`, for its owner alone: every segment with all checks, and the SHA-256 of every file.
    /// Interrupted, it goes on where it was: what is there is compared first.
    pub fn export(&self, out: &Path, work: Work<'_>) -> Result<(), ExportError> {
        let output = PartFolder::begin(out, Audience::Owner)?;
        let files = self.manifest().files();
        for entry in files {
            Export {
                file: self.entry(entry)?,
                plaintext: output.file(entry.name().as_str())?,
                output: &output,
                sha256: InOrder::new(),
            }
            .run(work)?;
        }
        let names = files.iter().map(|entry| entry.name().as_str().to_owned());
        Ok(output.finish(&names.collect())?)
    }
}

/// A file on its way.
struct Export<'a> {
    file: OpenFile<'a>,
    plaintext: File,
    output: &'a PartFolder,
    sha256: InOrder,
}

/// The plaintext of a segment, and what is there in its place.
struct Buffers {
    segment: Zeroizing<Vec<u8>>,
    former: Zeroizing<Vec<u8>>,
}

impl Export<'_> {
    fn run(self, work: Work<'_>) -> Result<(), ExportError> {
        self.segments(work)?;
        let synced = self.plaintext.sync_all();
        synced.map_err(|error| self.unwritable(&error))?;
        let entry = self.file.entry();
        match self.sha256.finish() == *entry.sha256() {
            true => Ok(()),
            false => Err(OpenError::Digest(entry.name().clone()).into()),
        }
    }

    fn segments(&self, work: Work<'_>) -> Result<(), ExportError> {
        let key = self.file.file_key()?;
        let layout = self.entry().layout;
        let longest = layout.plaintext_bytes(0);
        let prepare = || Buffers {
            segment: Zeroizing::new(vec![0; longest]),
            former: Zeroizing::new(vec![0; longest]),
        };
        let resized = self.plaintext.set_len(layout.length());
        resized.map_err(|error| self.unwritable(&error))?;
        each(
            work.threads,
            0..layout.segments(),
            prepare,
            |buffers, index| {
                let turn = self.sha256.turn(index);
                let length = layout.plaintext_bytes(index);
                let segment = buffers.segment.get_mut(..length).unwrap_or_default();
                let former = buffers.former.get_mut(..length).unwrap_or_default();
                self.file
                    .open_segment(&key, index, Checks::TagsAndDigests, segment)?;
                // Only an error before it takes a turn away, and that one is told.
                if !turn.take(segment) {
                    return Err(OpenError::Digest(self.entry().name().clone()).into());
                }
                self.write(layout.start(index), segment, former)?;
                work.progress.advanced(length as u64);
                Ok::<_, ExportError>(())
            },
        )
    }

    /// Writes what is not there yet.
    fn write(&self, offset: u64, segment: &[u8], former: &mut [u8]) -> Result<(), OutputError> {
        let is_there = self.plaintext.read_exact_at(former, offset).is_ok();
        if is_there && *former == *segment {
            return Ok(());
        }
        let written = self.plaintext.write_all_at(segment, offset);
        written.map_err(|error| self.unwritable(&error))
    }

    const fn entry(&self) -> &FileEntry {
        self.file.entry()
    }

    fn unwritable(&self, error: &io::Error) -> OutputError {
        self.output.unwritable(self.entry().name().as_str(), error)
    }
}
