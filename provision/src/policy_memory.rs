//! The highest policy version that this host has obeyed, kept across restarts and crashes.
//!
//! One file for each policy root, named after the root's digest: `policy-<hex>.json`. It is replaced as a whole (write a
//! temporary file, fsync, rename, fsync the directory) under a lock, so that a process killed at any point leaves the old
//! state or the new one. A file that cannot be read as such a state is an error, never a fresh start. Only its absence is:
//! whoever can delete files of this directory can make the host forget.

use crate::{FileError, file};
use attestation::Digest;
use policy::{Policy, TrustRoot};
use serde::{Deserialize, Serialize};
use std::{
    cmp::Ordering,
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Write},
    path::{Path, PathBuf},
};

/// Largest state file read, in bytes; a real one has about 200.
const MAX_STATE_BYTES: usize = 4096;

/// The layout that this build writes and reads.
const STATE_SCHEMA: u64 = 1;

/// What was seen under one policy root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyMemory {
    directory: PathBuf,
    root: Digest,
}

/// Why a policy was refused, or could not be compared with those seen before.
#[derive(Debug, thiserror::Error)]
pub enum MemoryError {
    /// A newer policy of this root has been obeyed here.
    #[error(
        "policy version {offered} is older than version {remembered}, which was in force here: get the newest one \
         (the memory is {})",
        path.display()
    )]
    Rollback {
        /// The memory.
        path: PathBuf,
        /// Highest version seen.
        remembered: u64,
        /// Version of the refused policy.
        offered: u64,
    },
    /// Another document of the same version has been obeyed here: its signers say two things.
    #[error(
        "policy version {version} is not the document of that version that was in force here (SHA-256 {remembered}): ask \
         its signers for a higher version (the memory is {})",
        path.display()
    )]
    Equivocation {
        /// The memory.
        path: PathBuf,
        /// The version of both.
        version: u64,
        /// Digest of the document seen before, hex.
        remembered: String,
    },
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
    /// The memory cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// The memory cannot be written, so that the policy is not obeyed either.
    #[error("cannot write {}: {source}; the directory must exist and be writable", path.display())]
    Write {
        /// What was being written.
        path: PathBuf,
        /// Its reason.
        source: io::Error,
    },
}

/// The newest policy obeyed under the root.
#[derive(PartialEq, Eq)]
struct Remembered {
    version: u64,
    digest: Digest,
}

/// The file: JSON.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct State {
    schema: u64,
    root: String,
    version: u64,
    digest: String,
}

impl MemoryError {
    /// Stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Rollback { .. } => "policy.rollback",
            Self::Equivocation { .. } => "policy.equivocation",
            Self::Corrupt { .. } => "provision.memory.corrupt",
            Self::File(error) => error.code(),
            Self::Write { .. } => "provision.memory.write",
        }
    }
}

impl PolicyMemory {
    /// The memory of `root` in `directory`, which must exist.
    #[must_use]
    pub fn new(directory: &Path, root: &TrustRoot) -> Self {
        Self {
            directory: directory.to_owned(),
            root: root.digest(),
        }
    }

    /// Refuses `policy` if it is older than, or another document of the same version as, the newest one remembered; else it
    /// is durably remembered before this returns.
    pub fn remember(&self, policy: &Policy) -> Result<(), MemoryError> {
        let _lock = self.lock()?;
        let offered = Remembered {
            version: policy.version(),
            digest: *policy.digest(),
        };
        let remembered = self.load()?;
        if remembered.as_ref() == Some(&offered) {
            return Ok(());
        }
        if let Some(remembered) = remembered {
            self.refuse_older(&remembered, &offered)?;
        }
        self.store(&offered)
    }

    /// Where the state is.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.named("json")
    }

    fn named(&self, extension: &str) -> PathBuf {
        let root = hex::encode(self.root);
        self.directory.join(format!("policy-{root}.{extension}"))
    }

    /// One process at a time; the lock goes with the file handle, however the process ends.
    fn lock(&self) -> Result<File, MemoryError> {
        let path = self.named("lock");
        let failed = |source| MemoryError::Write {
            path: path.clone(),
            source,
        };
        let mut options = OpenOptions::new();
        let options = options.write(true).create(true).truncate(false);
        let file = options.open(&path).map_err(failed)?;
        file.lock().map_err(failed)?;
        Ok(file)
    }

    fn load(&self) -> Result<Option<Remembered>, MemoryError> {
        let bytes = match file::read(&self.path(), MAX_STATE_BYTES) {
            Ok(bytes) => bytes,
            Err(FileError::Read { source, .. }) if source.kind() == ErrorKind::NotFound => {
                return Ok(None);
            }
            Err(FileError::TooLarge { .. }) => return Err(self.corrupt("too large")),
            Err(error) => return Err(error.into()),
        };
        match serde_json::from_slice(&bytes) {
            Ok(state) => self.remembered(&state).map(Some),
            Err(error) => Err(self.corrupt(&error.to_string())),
        }
    }

    fn remembered(&self, state: &State) -> Result<Remembered, MemoryError> {
        if state.schema != STATE_SCHEMA {
            return Err(self.corrupt("unknown schema"));
        }
        if state.root != hex::encode(self.root) {
            return Err(self.corrupt("it belongs to another policy root"));
        }
        let mut digest = Digest::default();
        hex::decode_to_slice(&state.digest, &mut digest)
            .map_err(|_| self.corrupt("its digest is not SHA-256 in hex"))?;
        let version = state.version;
        Ok(Remembered { version, digest })
    }

    /// `offered` is not `remembered`.
    fn refuse_older(
        &self,
        remembered: &Remembered,
        offered: &Remembered,
    ) -> Result<(), MemoryError> {
        match offered.version.cmp(&remembered.version) {
            Ordering::Greater => Ok(()),
            Ordering::Equal => Err(MemoryError::Equivocation {
                path: self.path(),
                version: remembered.version,
                remembered: hex::encode(remembered.digest),
            }),
            Ordering::Less => Err(MemoryError::Rollback {
                path: self.path(),
                remembered: remembered.version,
                offered: offered.version,
            }),
        }
    }

    fn store(&self, newest: &Remembered) -> Result<(), MemoryError> {
        let path = self.path();
        let state = State {
            schema: STATE_SCHEMA,
            root: hex::encode(self.root),
            version: newest.version,
            digest: hex::encode(newest.digest),
        };
        self.replace(&path, &state)
            .map_err(|source| MemoryError::Write { path, source })
    }

    /// The temporary file has one name: the lock is held, and what a killed process left is overwritten.
    fn replace(&self, path: &Path, state: &State) -> io::Result<()> {
        let temporary = self.named("new");
        let mut file = File::create(&temporary)?;
        file.write_all(serde_json::to_string_pretty(state)?.as_bytes())?;
        file.sync_all()?;
        fs::rename(&temporary, path)?;
        File::open(&self.directory)?.sync_all()
    }

    fn corrupt(&self, detail: &str) -> MemoryError {
        MemoryError::Corrupt {
            path: self.path(),
            detail: detail.to_owned(),
        }
    }
}
