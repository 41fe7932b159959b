//! Whoever owns a model: makes a tiny one, seals it and signs.

use crate::{
    gguf_file::{ARRAY, I32, STR, str_value, u32_value},
    tiny,
};
use attestation::{Digest, crypto::sha256};
use policy::TrustRoot;
use sealed_model::{ModelKey, SealSettings, SegmentSize, Work, seal};
use std::{fs, path::PathBuf};
use tee_sim::PolicySigner;
use tempfile::TempDir;

pub(crate) struct Owner {
    pub(crate) key: ModelKey,
    pub(crate) sealed: PathBuf,
    pub(crate) model_digest: Digest,
    signer: PolicySigner,
    _folder: TempDir,
}

impl Owner {
    /// Of a tiny model.
    pub(crate) fn new() -> Self {
        Self::of_file("tiny.gguf", &gguf())
    }

    pub(crate) fn of_file(name: &str, bytes: &[u8]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (source, sealed) = (folder.path().join(name), folder.path().join("sealed"));
        fs::write(&source, bytes).unwrap();
        let (key, signer) = (ModelKey::generate().unwrap(), PolicySigner::generate());
        let settings = SealSettings {
            key: &key,
            segment: SegmentSize::new(4096).unwrap(),
            work: Work::silent(),
        };
        let draft = seal(&source, &sealed, settings).unwrap();
        let mut envelope = draft.envelope().unwrap();
        signer.sign(&mut envelope);
        draft.finish(&envelope, &signer.trust_root()).unwrap();
        Self {
            key,
            sealed,
            model_digest: sha256(bytes),
            signer,
            _folder: folder,
        }
    }

    /// Of whoever signed it.
    pub(crate) fn public_key(&self) -> [u8; 32] {
        self.signer.public_key()
    }

    pub(crate) fn root(&self) -> TrustRoot {
        self.signer.trust_root()
    }
}

/// The weights of a test of the engine's, with a tokenizer of single characters.
fn gguf() -> Vec<u8> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../engine/tests/families/llama-0.json"
    );
    let case = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let mut file = tiny::file(&case);
    let printable = ('!'..='~').map(String::from);
    let others = ["\u{120}", "<end>", "<pad>"].map(str::to_owned);
    let tokens: Vec<String> = printable.chain(others).collect();
    assert_eq!(tokens.len(), 97, "as many as the case's embeddings");
    let kinds = (0..tokens.len()).map(|at| if at < 95 { 1_i32 } else { 3 });
    let kinds: Vec<Vec<u8>> = kinds.map(|kind| kind.to_le_bytes().to_vec()).collect();
    let tokens: Vec<Vec<u8>> = tokens.iter().map(|token| text(token)).collect();
    file.set("general.name", str_value("Tiny"));
    file.set("tokenizer.ggml.model", str_value("gpt2"));
    file.set("tokenizer.ggml.pre", str_value("smollm"));
    file.set("tokenizer.ggml.tokens", array(STR, &tokens));
    file.set("tokenizer.ggml.token_type", array(I32, &kinds));
    file.set("tokenizer.ggml.merges", array(STR, &[]));
    file.set("tokenizer.ggml.eos_token_id", u32_value(95));
    file.bytes()
}

fn text(text: &str) -> Vec<u8> {
    let length = (text.len() as u64).to_le_bytes();
    [length.as_slice(), text.as_bytes()].concat()
}

fn array(kind: u32, items: &[Vec<u8>]) -> Vec<u8> {
    let mut value = [ARRAY, kind].map(u32::to_le_bytes).concat();
    value.extend((items.len() as u64).to_le_bytes());
    items.iter().for_each(|item| value.extend(item));
    value
}
