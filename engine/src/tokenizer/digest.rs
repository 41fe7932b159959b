//! The digest that names a tokenizer, whatever file it came in.
//!
//! `H_label` of docs/protocol.md section 1 with label `narthex/1/tokenizer` and the fields: model, pre-tokenizer, then for each
//! token its text and its kind (i32 big-endian), then each merge; between the lists their counts (u64 big-endian); then
//! `bos`, `eos`, `eot`, `eom` (u32 big-endian, empty where absent) and `add_bos` (one byte).

use sha2::{Digest, Sha256};

use super::TokenizerSource;

pub(super) fn canonical(source: &TokenizerSource<'_>) -> [u8; 32] {
    let mut hash = Fields::new(b"narthex/1/tokenizer");
    hash.field(source.model.as_bytes());
    hash.field(source.pre_tokenizer.as_bytes());
    hash.count(source.tokens.len());
    for (text, kind) in source.tokens.iter().zip(&source.kinds) {
        hash.field(text.as_bytes());
        hash.field(&kind.to_be_bytes());
    }
    hash.count(source.merges.len());
    for merge in &source.merges {
        hash.field(merge.as_bytes());
    }
    for id in source.special_ids() {
        hash.field(
            id.map(u32::to_be_bytes)
                .as_ref()
                .map_or(&[], |id| id.as_slice()),
        );
    }
    hash.field(&[u8::from(source.add_bos)]);
    hash.0.finalize().into()
}

struct Fields(Sha256);

impl Fields {
    fn new(label: &[u8]) -> Self {
        let mut fields = Self(Sha256::new());
        fields.field(label);
        fields
    }

    fn field(&mut self, bytes: &[u8]) {
        self.0.update((bytes.len() as u64).to_be_bytes());
        self.0.update(bytes);
    }

    fn count(&mut self, count: usize) {
        self.field(&(count as u64).to_be_bytes());
    }
}
