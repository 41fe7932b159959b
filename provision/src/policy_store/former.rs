//! The memory of former releases: `policy-<anchor in hex>.json`, the version and digest of one policy. It is taken over, and left as it is.

use super::{Record, StoreError};
use crate::{FileError, file};
use attestation::Digest;
use serde::Deserialize;
use std::{
    cmp::Ordering,
    io::ErrorKind,
    path::{Path, PathBuf},
};

/// Largest file read, in bytes; a real one has about 200.
const MAX_BYTES: usize = 4096;

/// The newest policy that a former release obeyed here.
pub(super) struct Former {
    path: PathBuf,
    version: u64,
    digest: Digest,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct State {
    schema: u64,
    root: String,
    version: u64,
    digest: String,
}

/// What a former release left under `anchor`, if it did.
pub(super) fn read(directory: &Path, anchor: &Digest) -> Result<Option<Former>, StoreError> {
    let path = directory.join(format!("policy-{}.json", hex::encode(anchor)));
    let bytes = match file::read(&path, MAX_BYTES) {
        Ok(bytes) => bytes,
        Err(FileError::Read { source, .. }) if source.kind() == ErrorKind::NotFound => {
            return Ok(None);
        }
        Err(FileError::TooLarge { .. }) => return Err(StoreError::corrupt(&path, "too large")),
        Err(error) => return Err(error.into()),
    };
    let state = serde_json::from_slice(&bytes)
        .map_err(|error| StoreError::corrupt(&path, error.to_string()))?;
    Former::new(path, &state, anchor).map(Some)
}

impl Former {
    fn new(path: PathBuf, state: &State, anchor: &Digest) -> Result<Self, StoreError> {
        if state.schema != 1 {
            return Err(StoreError::corrupt(&path, "unknown schema"));
        }
        if state.root != hex::encode(anchor) {
            return Err(StoreError::corrupt(&path, "it belongs to another root"));
        }
        let mut digest = Digest::default();
        hex::decode_to_slice(&state.digest, &mut digest)
            .map_err(|_| StoreError::corrupt(&path, "its digest is not SHA-256 in hex"))?;
        let version = state.version;
        Ok(Self {
            path,
            version,
            digest,
        })
    }

    /// `record` with the newer of the two policies; a publication with the older one is no last good one any more.
    pub(super) fn merged_into(self, mut record: Record) -> Result<Record, StoreError> {
        let newer = match record.remembered.policy {
            None => Ordering::Greater,
            Some((version, digest)) if version == self.version && digest != self.digest => {
                let detail = "policy.redb remembers another policy of the same version";
                return Err(StoreError::corrupt(&self.path, detail));
            }
            Some((version, _)) => self.version.cmp(&version),
        };
        if newer.is_gt() {
            record.remembered.policy = Some((self.version, self.digest));
            record.files = None;
        }
        Ok(record)
    }
}
