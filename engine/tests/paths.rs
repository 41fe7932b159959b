//! One digest of the logits of SmolLM2: every path of this machine, every number of threads, every way to cut a prompt.

use crate::real_model;
use std::sync::Arc;

use engine::{
    decoder::{Decoder, KvCache},
    gguf::Gguf,
    model::Model,
};
use kernels::Isa;
use sha2::{Digest, Sha256};

/// A conversation, prose and a program.
const TEXTS: [&str; 3] = [
    include_str!("data/prompt512.ids"),
    include_str!("data/license.ids"),
    include_str!("data/code.ids"),
];

fn model() -> Arc<Model> {
    let mut gguf = Gguf::open(&real_model::path()).expect("the model opens");
    Arc::new(Model::take(&mut gguf).expect("the model loads"))
}

fn tokens(text: &str, length: usize) -> Vec<u32> {
    let ids = text.split_whitespace().map(|id| id.parse().unwrap());
    ids.take(length).collect()
}

/// SHA-256 of the logits after each chunk of `chunk` tokens that ends where a chunk of `shown` does.
fn digest(
    decoder: &mut Decoder,
    cache: &mut KvCache,
    text: &[u32],
    (chunk, shown): (usize, usize),
) -> [u8; 32] {
    let mut hasher = Sha256::new();
    cache.clear();
    for piece in text.chunks(chunk) {
        let logits = decoder.forward(piece, cache).unwrap().to_vec();
        assert!(logits.iter().all(|logit| logit.is_finite()));
        if cache.len().is_multiple_of(shown) || cache.len() == text.len() {
            logits
                .iter()
                .for_each(|logit| hasher.update(logit.to_le_bytes()));
        }
    }
    hasher.finalize().into()
}

/// The reference is slow, so its texts are short: odd, and longer than a tile of tokens and than a page of keys.
#[test]
fn the_paths_agree() {
    let model = model();
    let mut cache = KvCache::new(&model, 32);
    let mut reference = Decoder::with_isa(Arc::clone(&model), 0, Isa::scalar());
    for text in TEXTS.map(|text| tokens(text, 21)) {
        let expected = digest(&mut reference, &mut cache, &text, (7, 7));
        for isa in Isa::all_here().filter(|isa| *isa != Isa::scalar()) {
            for threads in 1..=4 {
                let mut decoder = Decoder::with_isa(Arc::clone(&model), threads, isa);
                for chunk in [1, 7] {
                    let got = digest(&mut decoder, &mut cache, &text, (chunk, 7));
                    assert_eq!(
                        got, expected,
                        "{isa:?}, {threads} threads, chunks of {chunk}"
                    );
                }
            }
        }
    }
}

/// At length, all paths but the reference against the fastest.
#[test]
fn threads_and_chunks_do_not_matter() {
    let model = model();
    let mut cache = KvCache::new(&model, 512);
    let text = tokens(TEXTS[1], 512);
    let mut reference = Decoder::new(Arc::clone(&model), 1);
    let expected = digest(&mut reference, &mut cache, &text, (512, 512));
    for isa in Isa::all_here().filter(|isa| *isa != Isa::scalar()) {
        for (threads, chunk) in [(1, 512), (2, 256), (3, 100), (4, 9)] {
            let mut decoder = Decoder::with_isa(Arc::clone(&model), threads, isa);
            let got = digest(&mut decoder, &mut cache, &text, (chunk, 512));
            assert_eq!(
                got, expected,
                "{isa:?}, {threads} threads, chunks of {chunk}"
            );
        }
    }
}
