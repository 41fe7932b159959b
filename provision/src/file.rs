//! Reading a whole file that must not be larger than its kind can be.

use std::{
    fs::File,
    io::{self, ErrorKind, Read},
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// Why a file could not be read.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The operating system refused.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Its reason.
        source: io::Error,
    },
    /// The file is larger than its kind can be.
    #[error("{} is larger than {max_bytes} bytes: is it the right file?", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The limit.
        max_bytes: usize,
    },
}

impl FileError {
    /// Stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Read { .. } => "provision.file.read",
            Self::TooLarge { .. } => "provision.file.too_large",
        }
    }

    /// Whether there is no such file.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Read { source, .. } if source.kind() == ErrorKind::NotFound)
    }
}

/// The bytes of `path`, at most `max_bytes`; they are wiped when dropped, since some files are keys.
pub fn read(path: &Path, max_bytes: usize) -> Result<Zeroizing<Vec<u8>>, FileError> {
    let failed = |source| FileError::Read {
        path: path.to_owned(),
        source,
    };
    let mut bytes = Zeroizing::new(Vec::with_capacity(max_bytes + 1));
    let file = File::open(path).map_err(failed)?;
    // The capacity suffices, so that no outgrown copy of a key stays behind unwiped.
    let mut capped = file.take(max_bytes as u64 + 1);
    capped.read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() > max_bytes {
        let path = path.to_owned();
        return Err(FileError::TooLarge { path, max_bytes });
    }
    Ok(bytes)
}

/// The bytes of `path`, at most `max_bytes`, of a file that holds no secret: nothing is set aside for it before it is read, or wiped after.
pub(crate) fn read_public(path: &Path, max_bytes: usize) -> Result<Vec<u8>, FileError> {
    let failed = |source| FileError::Read {
        path: path.to_owned(),
        source,
    };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(failed)?;
    let mut capped = file.take(max_bytes as u64 + 1);
    capped.read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() > max_bytes {
        let path = path.to_owned();
        return Err(FileError::TooLarge { path, max_bytes });
    }
    Ok(bytes)
}
