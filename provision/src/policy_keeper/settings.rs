//! What a user says about policies: whose, from where, and where this host remembers them.

use super::{PolicyKeeperError, PolicySource};
use crate::{file, read_trust_root};
use policy::{Envelope, PolicyError, Root, signature::MAX_ENVELOPE_BYTES};
use std::path::{Path, PathBuf};

/// Whose policies are obeyed, where they come from, and where what was obeyed is remembered.
#[derive(Clone, Debug)]
pub struct PolicySettings {
    /// Whose.
    pub root: RootSource,
    /// From where.
    pub source: PolicySource,
    /// The directory of the memory, which must exist; `None`: this process alone remembers, and a new one has seen nothing.
    pub state: Option<PathBuf>,
}

/// Who may sign.
#[derive(Clone, Debug)]
pub enum RootSource {
    /// Keys by hand: they sign policies, inventories and timestamps.
    Keys {
        /// Ed25519 public keys in PEM.
        files: Vec<PathBuf>,
        /// How many must sign; all, if it is `None`.
        threshold: Option<usize>,
    },
    /// A root document that its user trusts as it stands.
    Document(PathBuf),
}

impl RootSource {
    /// Reads the keys or the document.
    pub fn read(&self) -> Result<Root, PolicyKeeperError> {
        match self {
            Self::Keys { files, threshold } => {
                Ok(Root::of_keys(read_trust_root(files, *threshold)?))
            }
            Self::Document(path) => read_document(path),
        }
    }
}

fn read_document(path: &Path) -> Result<Root, PolicyKeeperError> {
    let json = file::read_public(path, MAX_ENVELOPE_BYTES)?;
    let envelope = Envelope::from_json(&json).map_err(|error| vec![PolicyError::from(error)]);
    let root = envelope.and_then(|envelope| Root::pinned(&envelope));
    root.map_err(|mistakes| PolicyKeeperError::Root {
        path: path.to_owned(),
        mistakes,
    })
}
