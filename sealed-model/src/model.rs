//! A sealed model whose manifest the owner signed, and whose files are those that it lists.

use crate::{
    FileEntry, Folder, Manifest, OpenError, Store, StoredFile, Unlocked, Work,
    header::HEADER_BYTES, key::KeyId, parallel::each, reader::SegmentReader,
};
use attestation::{Digest, crypto};
use policy::{Envelope, PayloadType, TrustRoot};
use protocol::secret::KeptSecret;
use std::path::Path;

/// A sealed model: its manifest is the owner's, its files have the lengths and headers that the manifest says. Their segments are verified as
/// they are read.
pub struct SealedModel {
    store: Box<dyn Store>,
    manifest: Manifest,
    digest: Digest,
}

impl SealedModel {
    /// Opens the model in the folder at `path`, whose manifest enough keys of `owner` must have signed.
    pub fn open(path: &Path, owner: &TrustRoot) -> Result<Self, OpenError> {
        Self::from_store(Box::new(Folder::open(path)?), owner)
    }

    /// The same for a model that lies elsewhere.
    pub fn from_store(store: Box<dyn Store>, owner: &TrustRoot) -> Result<Self, OpenError> {
        let kind = PayloadType::SealedModel;
        let bytes = store.manifest(kind.max_envelope_bytes())?;
        let envelope = Envelope::from_json_of(kind, &bytes).map_err(OpenError::of_signature)?;
        let payload = envelope
            .open(kind, owner)
            .map_err(OpenError::of_signature)?;
        let model = Self {
            manifest: Manifest::from_cbor(payload)?,
            digest: crypto::sha256(payload),
            store,
        };
        for entry in &model.manifest.files {
            model.stored(entry)?;
        }
        Ok(model)
    }

    /// What the owner signed.
    #[must_use]
    pub const fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// SHA-256 of the manifest's bytes.
    #[must_use]
    pub const fn manifest_digest(&self) -> &Digest {
        &self.digest
    }

    /// Verifies the digest of every segment, for which no key is needed: nothing was changed since the owner signed.
    pub fn verify(&self, work: Work<'_>) -> Result<(), OpenError> {
        self.manifest.files.iter().try_for_each(|entry| {
            let file = self.stored(entry)?;
            let reader = self.reader(entry, &*file);
            let segment = self.manifest.segment.len();
            let verify = |buffer: &mut Vec<u8>, index| {
                reader.verify(index, buffer)?;
                let bytes = entry.layout.plaintext_bytes(index);
                work.progress.advanced(bytes as u64);
                Ok(())
            };
            each(
                work.threads,
                0..entry.segments(),
                || vec![0; segment],
                verify,
            )
        })
    }

    /// The model with its key, if it is the one that the model is sealed under. The key stays where `key` keeps it.
    pub fn unlock(self, key: Box<dyn KeptSecret>) -> Result<Unlocked, OpenError> {
        let bytes: &[u8; 32] = key.expose().try_into().map_err(|_| OpenError::Key)?;
        let admits = |entry: &FileEntry| {
            let context = entry.context(&self.manifest.model_id);
            context.admits(&entry.header, bytes)
        };
        let is_its_key = KeyId::of(bytes) == self.manifest.key_id;
        match is_its_key && self.manifest.files.iter().all(admits) {
            true => Ok(Unlocked::new(self, key)),
            false => Err(OpenError::Key),
        }
    }

    /// The sealed file of `entry`, if its length and header are those of the manifest.
    pub(crate) fn stored(&self, entry: &FileEntry) -> Result<Box<dyn StoredFile>, OpenError> {
        let file = self.store.file(&entry.name)?;
        let unreadable = |error: std::io::Error| OpenError::Io {
            path: entry.name.stored(),
            kind: error.kind(),
        };
        let (expected, found) = (
            entry.layout.stored_bytes(),
            file.length().map_err(unreadable)?,
        );
        if expected != found {
            let file = entry.name.clone();
            return Err(OpenError::Length {
                file,
                expected,
                found,
            });
        }
        let mut header = [0; HEADER_BYTES];
        file.read_exact_at(&mut header, 0).map_err(unreadable)?;
        match header == entry.header.to_bytes() {
            true => Ok(file),
            false => Err(OpenError::Header(entry.name.clone())),
        }
    }

    pub(crate) const fn reader<'a>(
        &'a self,
        entry: &'a FileEntry,
        file: &'a dyn StoredFile,
    ) -> SegmentReader<'a> {
        SegmentReader {
            manifest: &self.manifest,
            entry,
            file,
        }
    }
}
