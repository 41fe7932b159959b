//! Who is measured: the raw cipher and sealed models, over one file and one buffer.

use crate::{
    raw::{Digests, PIECE, Raw, TAG},
    rounds::Cost,
};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use policy::TrustRoot;
use protocol::secret::{Heap, SecretMemory};
use sealed_model::{
    Checks, ModelKey, SealSettings, SealedModel, SegmentSize, Unlocked, Work, seal,
};
use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    thread,
};
use tempfile::TempDir;

const NAME: &str = "weights";

/// A file of weights, plain, sealed by us and encrypted raw.
pub(crate) struct Weights {
    folder: TempDir,
    raw: Raw,
    threads: usize,
    key: ModelKey,
    owner: Ed25519KeyPair,
    unlocked: Unlocked,
    plaintext: Vec<u8>,
    ciphertext: Vec<u8>,
    tags: Vec<[u8; TAG]>,
    out: Vec<u8>,
}

impl Weights {
    pub(crate) fn new(bytes: usize, folder: &Path) -> Self {
        let folder = tempfile::tempdir_in(folder).expect("a folder");
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let plaintext: Vec<u8> = (0..bytes as u64).map(scrambled).collect();
        fs::write(folder.path().join(NAME), &plaintext).expect("source");
        let (raw, key) = (Raw::new(threads), ModelKey::generate().expect("a key"));
        let mut ciphertext = vec![0; bytes];
        let tags = raw.seal_memory(&plaintext, &mut ciphertext);
        let source = File::open(folder.path().join(NAME)).expect("source");
        let sealed = new_file(&folder.path().join("raw"));
        raw.seal_file(&source, &sealed, bytes, Digests::None);
        let owner = Ed25519KeyPair::from_seed_unchecked(&[1; 32]).expect("32 bytes");
        let sealed = folder.path().join("sealed");
        seal_model(&folder.path().join(NAME), &sealed, &key, &owner);
        let unlocked = open_model(&sealed, &key, &owner);
        Self {
            folder,
            raw,
            threads,
            key,
            owner,
            unlocked,
            plaintext,
            ciphertext,
            tags,
            out: vec![0; bytes],
        }
    }

    pub(crate) const fn threads(&self) -> usize {
        self.threads
    }

    /// One run of the subject `name`.
    pub(crate) fn measure(&mut self, name: &str) -> Cost {
        match name {
            "raw.open.memory" => {
                self.opened(|own, out| own.raw.open_memory(&own.ciphertext, &own.tags, out))
            }
            "raw.open" => {
                let sealed = File::open(self.path("raw")).expect("sealed");
                self.opened(|own, out| own.raw.open_file(&sealed, out))
            }
            "open" => self.opened(|own, out| own.open(Checks::Tags, out)),
            "open.with_digests" => self.opened(|own, out| own.open(Checks::TagsAndDigests, out)),
            "raw.seal.memory" => self.seal_memory(),
            "raw.seal" => self.seal_raw(Digests::None),
            "raw.seal.with_digests" => self.seal_raw(Digests::Both),
            _ => self.seal(),
        }
    }

    /// What an opener costs, which must have given the plaintext.
    fn opened(&mut self, open: impl FnOnce(&Self, &mut [u8])) -> Cost {
        let mut out = std::mem::take(&mut self.out);
        out.fill(0);
        let cost = Cost::of(|| open(self, &mut out));
        assert!(out == self.plaintext, "something else was opened");
        self.out = out;
        cost
    }

    fn open(&self, checks: Checks, out: &mut [u8]) {
        let file = self.unlocked.file(NAME).expect("the file");
        file.read_into(out, checks, Work::silent())
            .expect("genuine");
    }

    fn seal_memory(&mut self) -> Cost {
        let mut out = std::mem::take(&mut self.out);
        let cost = Cost::of(|| drop(self.raw.seal_memory(&self.plaintext, &mut out)));
        self.out = out;
        cost
    }

    fn seal_raw(&self, digests: Digests) -> Cost {
        let path = self.path("raw.new");
        let cost = Cost::of(|| {
            let source = File::open(self.path(NAME)).expect("source");
            let sealed = new_file(&path);
            self.raw
                .seal_file(&source, &sealed, self.plaintext.len(), digests);
            sealed.sync_all().expect("output");
        });
        fs::remove_file(path).expect("output");
        cost
    }

    fn seal(&self) -> Cost {
        let out = self.path("sealed.new");
        let source = self.path(NAME);
        let cost = Cost::of(|| seal_model(&source, &out, &self.key, &self.owner));
        fs::remove_dir_all(out).expect("output");
        cost
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// A file of its full length, as sealing makes it too.
fn new_file(path: &Path) -> File {
    File::create(path).expect("output")
}

fn seal_model(source: &Path, out: &Path, key: &ModelKey, owner: &Ed25519KeyPair) {
    let settings = SealSettings {
        key,
        segment: SegmentSize::new(PIECE as u32).expect("a power of two"),
        work: Work::silent(),
    };
    let draft = seal(source, out, settings).expect("sealed");
    let mut envelope = draft.envelope().expect("an envelope");
    let signature = owner.sign(&envelope.pae());
    envelope.add_signature(
        public(owner),
        signature.as_ref().try_into().expect("64 bytes"),
    );
    draft.finish(&envelope, &root(owner)).expect("finished");
}

fn open_model(sealed: &Path, key: &ModelKey, owner: &Ed25519KeyPair) -> Unlocked {
    let model = SealedModel::open(sealed, &root(owner)).expect("the owner's");
    model.unlock(Heap.keep(key.expose())).expect("its key")
}

fn root(owner: &Ed25519KeyPair) -> TrustRoot {
    TrustRoot::new(vec![public(owner)], 1).expect("a root")
}

fn public(owner: &Ed25519KeyPair) -> [u8; 32] {
    owner.public_key().as_ref().try_into().expect("32 bytes")
}

/// Bytes that look random.
fn scrambled(at: u64) -> u8 {
    (at.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as u8
}
