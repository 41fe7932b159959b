//! A small sealed model and its owner.
#![allow(
    dead_code,
    reason = "every test binary uses another part of this module"
)]

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use policy::{Envelope, TrustRoot};
use protocol::secret::{Heap, KeptSecret, SecretMemory};
use sealed_model::{
    MANIFEST_NAME, MemoryStore, ModelKey, OpenError, SealSettings, SealedModel, SegmentSize,
    Threads, Unlocked, Work, seal,
};
use std::{
    collections::BTreeMap,
    fs,
    num::NonZeroUsize,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};
use tempfile::TempDir;

pub(crate) const SEGMENT: u64 = 4096;

/// Who signs.
pub(crate) struct Owner(Ed25519KeyPair);

impl Owner {
    pub(crate) fn new(seed: u8) -> Self {
        Self(Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap())
    }

    pub(crate) fn root(&self) -> TrustRoot {
        TrustRoot::new(vec![self.public()], 1).unwrap()
    }

    pub(crate) fn public(&self) -> [u8; 32] {
        self.0.public_key().as_ref().try_into().unwrap()
    }

    pub(crate) fn sign(&self, envelope: &mut Envelope) {
        let signature = self.0.sign(&envelope.pae());
        envelope.add_signature(self.public(), signature.as_ref().try_into().unwrap());
    }
}

pub(crate) fn key(byte: u8) -> ModelKey {
    ModelKey::copy_of(&[byte; 32]).unwrap()
}

pub(crate) fn kept(byte: u8) -> Box<dyn KeptSecret> {
    Heap.keep(&[byte; 32])
}

pub(crate) fn work(threads: usize) -> Work<'static> {
    Work {
        threads: Threads::exactly(NonZeroUsize::new(threads).unwrap()),
        progress: &(),
    }
}

pub(crate) fn settings(key: &ModelKey) -> SealSettings<'_> {
    SealSettings {
        key,
        segment: SegmentSize::new(SEGMENT as u32).unwrap(),
        work: work(3),
    }
}

/// `length` bytes, other ones for another `seed`, no two segments the same.
pub(crate) fn bytes(seed: u32, length: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2_654_435_761) | 1;
    let next = |_| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as u8
    };
    (0..length).map(next).collect()
}

/// Plain and sealed, in a folder of its own.
pub(crate) struct Place {
    folder: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// A model with files of these names and lengths.
    pub(crate) fn with_files(files: &[(&str, u64)]) -> Self {
        let place = Self::new();
        for (seed, (name, length)) in files.iter().enumerate() {
            place.write(name, &bytes(seed as u32 + 1, *length));
        }
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn plain(&self) -> PathBuf {
        self.path("plain")
    }

    pub(crate) fn sealed(&self) -> PathBuf {
        self.path("sealed")
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.plain().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    /// Sealed under key 7 by owner 1.
    pub(crate) fn seal(&self) {
        self.seal_as(&self.sealed(), 7, &Owner::new(1));
    }

    pub(crate) fn seal_as(&self, out: &Path, key_byte: u8, owner: &Owner) {
        let key = key(key_byte);
        let draft = seal(&self.plain(), out, settings(&key)).unwrap();
        let mut envelope = draft.envelope().unwrap();
        owner.sign(&mut envelope);
        draft.finish(&envelope, &owner.root()).unwrap();
    }

    pub(crate) fn open(&self) -> Result<SealedModel, OpenError> {
        SealedModel::open(&self.sealed(), &Owner::new(1).root())
    }

    pub(crate) fn unlocked(&self) -> Unlocked {
        self.open().unwrap().unlock(kept(7)).unwrap()
    }
}

/// Gives `path` and nobody but the user what `mode` says.
pub(crate) fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// All files below `folder`, by name.
pub(crate) fn files_of(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap();
                files.insert(name.to_owned(), fs::read(&path).unwrap());
            }
        }
    }
    files
}

/// A sealed model in memory.
pub(crate) fn store(files: &BTreeMap<String, Vec<u8>>) -> MemoryStore {
    let mut store = MemoryStore::default();
    for (name, bytes) in files {
        store.insert(name.clone(), bytes.clone());
    }
    store
}

/// Everything that an opener does, and what came out.
pub(crate) fn open_all(
    files: &BTreeMap<String, Vec<u8>>,
    key: u8,
    checks: sealed_model::Checks,
) -> Result<Vec<Vec<u8>>, OpenError> {
    let model = SealedModel::from_store(Box::new(store(files)), &Owner::new(1).root())?;
    let unlocked = model.unlock(kept(key))?;
    let entries = unlocked.manifest().files().iter();
    entries
        .map(|entry| {
            let file = unlocked.file(entry.name().as_str())?;
            file.read(u64::MAX, checks, work(1))
        })
        .collect()
}

/// The manifest of a sealed model, put in the place of the one in `files` under the signature of owner 1.
pub(crate) fn resign(files: &mut BTreeMap<String, Vec<u8>>, payload: Vec<u8>) {
    let mut envelope = Envelope::unsigned(policy::PayloadType::SealedModel, payload);
    Owner::new(1).sign(&mut envelope);
    files.insert(MANIFEST_NAME.to_owned(), envelope.to_json().into_bytes());
}
