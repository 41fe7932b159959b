//! The decoder's promises: the same bits for any threads, chunks and path; refusals that change nothing.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

mod gguf_file;
mod real_model;

use std::sync::Arc;

use engine::{
    decoder::{Decoder, DecoderError, KvCache},
    gguf::Gguf,
    model::Model,
};
use gguf_file::llama;
use kernels::Isa;

fn small() -> Arc<Model> {
    let gguf = Gguf::from_bytes(llama(3).bytes()).unwrap();
    Arc::new(Model::load(&gguf).unwrap())
}

fn prompt(length: u32) -> Vec<u32> {
    (0..length).map(|i| (i * 37 + 11) % 96).collect()
}

/// Logits after the prompt, decoded in pieces of the given lengths and then at once.
fn bits(decoder: &mut Decoder, cache: &mut KvCache, prompt: &[u32], pieces: &[usize]) -> Vec<u32> {
    let mut rest = prompt;
    cache.clear();
    for piece in pieces {
        let (now, later) = rest.split_at(*piece);
        decoder.forward(now, cache).unwrap();
        rest = later;
    }
    let logits = decoder.forward(rest, cache).unwrap();
    assert!(logits.iter().all(|logit| logit.is_finite()));
    logits.iter().map(|logit| logit.to_bits()).collect()
}

#[test]
fn threads_pieces_and_paths_do_not_change_a_bit() {
    let (model, prompt) = (small(), prompt(300));
    let mut cache = KvCache::new(&model, 300);
    let mut reference = Decoder::with_isa(Arc::clone(&model), 1, Isa::scalar());
    let expected = bits(&mut reference, &mut cache, &prompt, &[]);
    for threads in 1..=4 {
        let mut decoder = Decoder::new(Arc::clone(&model), threads);
        for pieces in [&[][..], &[1], &[299], &[7, 1, 1, 64, 100], &[256, 43]] {
            let got = bits(&mut decoder, &mut cache, &prompt, pieces);
            assert_eq!(got, expected, "{threads} threads, pieces {pieces:?}");
        }
    }
}

#[test]
fn the_paths_agree_on_the_real_model() {
    let gguf = Gguf::open(&real_model::path()).expect("the model opens");
    let model = Arc::new(Model::load(&gguf).expect("the model loads"));
    let prompt = [1, 9690, 198, 2683, 359, 253, 5356, 5646, 11173, 3365];
    let mut cache = KvCache::new(&model, 16);
    let mut scalar = Decoder::with_isa(Arc::clone(&model), 0, Isa::scalar());
    let expected = bits(&mut scalar, &mut cache, &prompt, &[8]);
    let mut fast = Decoder::new(Arc::clone(&model), 0);
    assert_eq!(bits(&mut fast, &mut cache, &prompt, &[8]), expected);
}

#[test]
fn the_answer_depends_on_every_token() {
    let (model, mut other) = (small(), prompt(100));
    let mut decoder = Decoder::new(Arc::clone(&model), 2);
    let mut cache = KvCache::new(&model, 100);
    let before = bits(&mut decoder, &mut cache, &other, &[]);
    *other.first_mut().unwrap() += 1;
    assert_ne!(bits(&mut decoder, &mut cache, &other, &[]), before);
}

#[test]
fn refusals_change_nothing() {
    let model = small();
    let mut decoder = Decoder::new(Arc::clone(&model), 1);
    let mut cache = KvCache::new(&model, 70);
    let before = decoder.forward(&prompt(60), &mut cache).unwrap().to_vec();
    let mut refuse = |tokens: &[u32], cache: &mut KvCache| decoder.forward(tokens, cache).map(drop);
    assert_eq!(refuse(&[], &mut cache), Err(DecoderError::Empty));
    assert_eq!(
        refuse(&[0, 96], &mut cache),
        Err(DecoderError::UnknownToken)
    );
    let full = DecoderError::CacheFull {
        capacity_tokens: 70,
    };
    assert_eq!(refuse(&prompt(11), &mut cache), Err(full));
    let shallow = Gguf::from_bytes(llama(2).bytes()).unwrap();
    let mut foreign = KvCache::new(&Model::load(&shallow).unwrap(), 70);
    assert_eq!(refuse(&[1], &mut foreign), Err(DecoderError::OtherModel));
    assert_eq!((cache.len(), foreign.len()), (60, 0));
    let mut again = KvCache::new(&model, 70);
    assert_eq!(decoder.forward(&prompt(60), &mut again).unwrap(), before);
}

#[test]
fn codes_are_stable() {
    let errors = [
        (DecoderError::Empty, "decoder.empty"),
        (DecoderError::UnknownToken, "decoder.unknown_token"),
        (DecoderError::OtherModel, "decoder.other_model"),
        (
            DecoderError::CacheFull { capacity_tokens: 1 },
            "decoder.cache_full",
        ),
    ];
    assert!(errors.iter().all(|(error, code)| error.code() == *code));
}

#[test]
fn a_cache_holds_no_more_than_the_context() {
    let model = small();
    assert_eq!(KvCache::new(&model, 10_000).capacity_tokens(), 640);
    let mut cache = KvCache::new(&model, 3);
    let mut decoder = Decoder::new(Arc::clone(&model), 0);
    decoder.forward(&[1, 2, 3], &mut cache).unwrap();
    assert_eq!((cache.len(), cache.is_empty()), (3, false));
    cache.clear();
    assert!(cache.is_empty());
}
