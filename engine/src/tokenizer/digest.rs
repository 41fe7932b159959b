//! The digest that names a tokenizer, whatever file it came in.
//!
//! `H(tokenizer)` of docs/protocol.md section 1: model, pre-tokenizer, number of tokens, text and kind of each, number of merges,
//! each merge, `bos`, `eos`, `eot`, `eom` (empty where absent), `add_bos`; numbers are big-endian u64. Behind them, of `llama` each
//! score (its four bytes, big-endian) and whether a space is added, of `gpt2` `nfc` where text is normalized so, of `bert` the unknown and the separator token and whether case is kept. At the
//! end, where a folder names further tokens that end an answer: their number and each id, ascending.

use sha2::{Digest, Sha256};

use super::{Case, Normalization, SpacePrefix, TokenizerSource};

pub(super) fn canonical(source: &TokenizerSource<'_>, further_ends: &[u32]) -> [u8; 32] {
    let mut hash = Fields::new(b"narthex/1/tokenizer");
    hash.field(source.model.as_bytes());
    hash.field(source.pre_tokenizer.as_bytes());
    hash.number(source.tokens.len() as u64);
    for (text, kind) in source.tokens.iter().zip(&source.kinds) {
        hash.field(text.as_bytes());
        hash.number(kind.unsigned_abs().into());
    }
    hash.number(source.merges.len() as u64);
    for merge in &source.merges {
        hash.field(merge.as_bytes());
    }
    for id in source.special_ids() {
        hash.id(id);
    }
    hash.number(source.add_bos.into());
    match source.model {
        "llama" => hash.sentence_piece(source),
        "bert" => hash.word_piece(source),
        "gpt2" => hash.byte_pair(source),
        _ => {}
    }
    if !further_ends.is_empty() {
        hash.ids(further_ends);
    }
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

    fn number(&mut self, number: u64) {
        self.field(&number.to_be_bytes());
    }

    fn id(&mut self, id: Option<u32>) {
        match id {
            Some(id) => self.number(id.into()),
            None => self.field(&[]),
        }
    }

    fn ids(&mut self, ids: &[u32]) {
        self.number(ids.len() as u64);
        ids.iter().for_each(|id| self.number((*id).into()));
    }

    /// Nothing where text stays as it is written, as it does in every model file.
    fn byte_pair(&mut self, source: &TokenizerSource<'_>) {
        match source.normalization {
            Normalization::AsWritten => {}
            Normalization::Composed => self.field(b"nfc"),
        }
    }

    fn sentence_piece(&mut self, source: &TokenizerSource<'_>) {
        for score in &source.scores {
            self.field(&score.to_be_bytes());
        }
        self.number((source.space_prefix == SpacePrefix::Added).into());
    }

    fn word_piece(&mut self, source: &TokenizerSource<'_>) {
        self.id(source.unknown);
        self.id(source.separator);
        self.number((source.case == Case::Kept).into());
    }
}
