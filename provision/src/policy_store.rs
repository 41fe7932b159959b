//! What a host has obeyed, kept across restarts and crashes: the file `policy.redb` of its state directory.
//!
//! It holds, for each policy root's anchor, the newest version and digest of each kind of document, when something new was last
//! obeyed, and the files of the publication that did. Several processes may use one directory: each opens the file only for the
//! length of a transaction, under the lock of `policy.lock`. A commit is durable before what it remembers is obeyed. A file that
//! cannot be read as such a memory is an error, never a fresh start; only its absence is, so whoever can delete files of this
//! directory can make the host forget.

mod database;
mod error;
mod former;
mod lock;
#[cfg(test)]
mod tests;

pub use error::StoreError;

use attestation::Digest;
use lock::Lock;
use policy::{Files, Remembered};
use std::path::{Path, PathBuf};

/// What is remembered under one anchor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) remembered: Remembered,
    /// The publication that was obeyed last; `None` if only versions are known.
    pub(crate) files: Option<Files>,
}

/// The memory of one anchor in one directory, which must exist.
#[derive(Clone, Debug)]
pub(crate) struct PolicyStore {
    directory: PathBuf,
    anchor: Digest,
}

impl PolicyStore {
    pub(crate) fn new(directory: &Path, anchor: Digest) -> Self {
        let directory = directory.to_owned();
        Self { directory, anchor }
    }

    /// What is remembered now.
    pub(crate) fn read(&self) -> Result<Record, StoreError> {
        let _lock = Lock::take(&self.directory)?;
        self.load()
    }

    /// One transaction: what `change` makes of what is remembered is durable before this returns; `None` changes nothing, and needs no
    /// writable disk.
    pub(crate) fn update<E: From<StoreError>>(
        &self,
        change: impl FnOnce(&Record) -> Result<Option<Record>, E>,
    ) -> Result<(), E> {
        let _lock = Lock::take(&self.directory)?;
        let Some(changed) = change(&self.load()?)? else {
            return Ok(());
        };
        Ok(database::write(&self.path(), &self.anchor, &changed)?)
    }

    /// The file of the former layout is looked at each time: a process of an older release may still write it.
    fn load(&self) -> Result<Record, StoreError> {
        let record = database::read(&self.path(), &self.anchor)?;
        match former::read(&self.directory, &self.anchor)? {
            Some(former) => former.merged_into(record),
            None => Ok(record),
        }
    }

    fn path(&self) -> PathBuf {
        self.directory.join("policy.redb")
    }
}
