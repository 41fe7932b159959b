//! Why the memory could not be asked or changed.

use crate::FileError;
use std::{
    io,
    path::{Path, PathBuf},
};

/// Why the memory of what was obeyed could not be asked or changed; nothing new is obeyed then.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process held the memory for longer than a transaction takes.
    #[error(
        "{} is in use by another process: is one of them stuck?",
        path.display()
    )]
    Busy {
        /// The lock or the memory.
        path: PathBuf,
    },
    /// The memory cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// The memory exists and cannot be understood.
    #[error(
        "{} is damaged ({detail}); restore it from a backup, or remove it if you accept that older policies could be \
         replayed to this host",
        path.display()
    )]
    Corrupt {
        /// The memory.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// The memory cannot be written, so that nothing new is obeyed either.
    #[error(
        "cannot write {}: {source}; the directory must exist, be writable and have room",
        path.display()
    )]
    Write {
        /// What was being written.
        path: PathBuf,
        /// Its reason.
        source: io::Error,
    },
}

impl StoreError {
    /// Stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Busy { .. } => "provision.memory.busy",
            Self::File(error) => error.code(),
            Self::Corrupt { .. } => "provision.memory.corrupt",
            Self::Write { .. } => "provision.memory.write",
        }
    }

    pub(super) fn corrupt(path: &Path, detail: impl Into<String>) -> Self {
        let (path, detail) = (path.to_owned(), detail.into());
        Self::Corrupt { path, detail }
    }

    pub(super) fn write(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        Self::Write { path, source }
    }
}
