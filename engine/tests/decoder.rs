//! The decoder's promises: the same bits for any threads, chunks and path; refusals that change nothing.

use crate::real_model;
use std::sync::Arc;

use crate::gguf_file::{MATRIX_TYPES, llama, sized_llama};
use engine::{
    decoder::{Decoder, DecoderError, KvCache, KvPool, KvTable, MAX_STEP_TOKENS, Part},
    gguf::Gguf,
    model::Model,
};
use kernels::Isa;

fn small() -> Arc<Model> {
    let mut gguf = Gguf::from_bytes(llama(3).bytes()).unwrap();
    Arc::new(Model::take(&mut gguf).unwrap())
}

/// A model whose matrices are all stored in different ways, and whose vocabulary fills no whole number of panels.
fn motley() -> Arc<Model> {
    let mut file = sized_llama(2, 256, 256, 90);
    let matrices = file
        .tensors
        .iter()
        .filter(|tensor| tensor.dimensions.len() == 2);
    let matrices = matrices.map(|t| {
        (
            t.name.clone(),
            t.dimensions.iter().map(|d| *d as usize).collect(),
        )
    });
    let matrices: Vec<(String, Vec<usize>)> = matrices.collect();
    let mut types = MATRIX_TYPES.iter().rev().cycle();
    for (name, dimensions) in matrices {
        let (kind, _) = types.next().unwrap();
        file.tensor(&name, *kind, &dimensions).fill_matrix(3);
    }
    Arc::new(Model::take(&mut Gguf::from_bytes(file.bytes()).unwrap()).unwrap())
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
    let (model, prompt) = (small(), prompt(600));
    let mut cache = KvCache::new(&model, 600);
    let mut reference = Decoder::with_isa(Arc::clone(&model), 1, Isa::scalar());
    let expected = bits(&mut reference, &mut cache, &prompt, &[]);
    for threads in 1..=4 {
        let mut decoder = Decoder::new(Arc::clone(&model), threads);
        for pieces in [&[][..], &[1], &[512], &[7, 1, 1, 64, 100], &[256, 43]] {
            let got = bits(&mut decoder, &mut cache, &prompt, pieces);
            assert_eq!(got, expected, "{threads} threads, pieces {pieces:?}");
        }
    }
}

#[test]
fn matrices_may_be_stored_in_many_ways() {
    let model = motley();
    let prompt: Vec<u32> = prompt(40).iter().map(|token| token % 90).collect();
    let mut cache = KvCache::new(&model, 40);
    let mut reference = Decoder::with_isa(Arc::clone(&model), 1, Isa::scalar());
    let expected = bits(&mut reference, &mut cache, &prompt, &[]);
    assert_eq!(expected.len(), 90);
    for threads in 1..=3 {
        let mut decoder = Decoder::new(Arc::clone(&model), threads);
        for pieces in [&[][..], &[1, 7, 30], &[39]] {
            let got = bits(&mut decoder, &mut cache, &prompt, pieces);
            assert_eq!(got, expected, "{threads} threads, pieces {pieces:?}");
        }
    }
}

#[test]
fn the_paths_agree_on_the_real_model() {
    let mut gguf = Gguf::open(&real_model::path()).expect("the model opens");
    let model = Arc::new(Model::take(&mut gguf).expect("the model loads"));
    let prompt = [1, 9690, 198, 2683, 359, 253, 5356, 5646, 11173, 3365];
    let mut cache = KvCache::new(&model, 16);
    let mut scalar = Decoder::with_isa(Arc::clone(&model), 0, Isa::scalar());
    let expected = bits(&mut scalar, &mut cache, &prompt, &[8]);
    let mut fast = Decoder::new(Arc::clone(&model), 0);
    assert_eq!(bits(&mut fast, &mut cache, &prompt, &[8]), expected);
}

/// A sequence on its way through steps that it shares with others.
struct Traveller {
    tokens: Vec<u32>,
    table: KvTable,
    /// Bits of the logits after each of the last tokens.
    ends: Vec<Vec<u32>>,
}

/// How many of the last tokens are decoded one by one, for their logits.
const DECODED: usize = 5;

/// Sequences of several lengths, each with tokens of its own.
fn travellers(count: u32) -> Vec<Traveller> {
    let traveller = |index: u32| Traveller {
        tokens: prompt(20 + 37 * index)
            .iter()
            .map(|t| (t + index) % 96)
            .collect(),
        table: KvTable::default(),
        ends: Vec::new(),
    };
    (0..count).map(traveller).collect()
}

/// Takes all sequences to their ends, up to `chunk` prompt tokens of each in a step.
fn travel(decoder: &mut Decoder, pool: &mut KvPool, travellers: &mut [Traveller], chunk: usize) {
    while travellers.iter().any(|t| t.table.len() < t.tokens.len()) {
        let mut budget = MAX_STEP_TOKENS;
        let mut parts = Vec::new();
        let mut ends = Vec::new();
        for Traveller {
            tokens,
            table,
            ends: own,
        } in travellers.iter_mut()
        {
            let at = table.len();
            let prompt = tokens.len() - DECODED;
            let count = if at < prompt {
                chunk.min(prompt - at)
            } else {
                1
            };
            let count = count.min(tokens.len() - at).min(budget);
            if count > 0 {
                budget -= count;
                pool.reserve(table, count).unwrap();
                let wants_logits = at + count >= prompt;
                let tokens = tokens.get(at..at + count).unwrap();
                parts.push(Part {
                    tokens,
                    table,
                    wants_logits,
                });
                ends.extend(wants_logits.then_some(own));
            }
        }
        let logits = decoder.step(pool, &mut parts).unwrap();
        assert_eq!(logits.len(), ends.len());
        for (end, logits) in ends.into_iter().zip(logits) {
            end.push(logits.iter().map(|logit| logit.to_bits()).collect());
        }
    }
}

/// The logits of one sequence after another, alone.
fn alone(decoder: &mut Decoder, pool: &mut KvPool, count: u32) -> Vec<Vec<Vec<u32>>> {
    let mut all = travellers(count);
    for traveller in &mut all {
        travel(
            decoder,
            pool,
            std::slice::from_mut(traveller),
            MAX_STEP_TOKENS,
        );
        pool.release(std::mem::take(&mut traveller.table));
    }
    all.into_iter().map(|traveller| traveller.ends).collect()
}

#[test]
fn company_chunks_and_threads_do_not_change_a_bit() {
    let model = small();
    let mut pool = KvPool::new(&model, 100);
    let mut reference = Decoder::with_isa(Arc::clone(&model), 1, Isa::scalar());
    let expected = alone(&mut reference, &mut pool, 8);
    assert!(pool.is_blank());
    for threads in 1..=4 {
        // As after a restart: the model is loaded anew.
        let mut decoder = Decoder::new(small(), threads);
        let chunks = [3, 1, 16, 64, 7, 100, 256, 13];
        for (count, chunk) in (1..).zip(chunks) {
            let mut together = travellers(count);
            travel(&mut decoder, &mut pool, &mut together, chunk);
            for (traveller, expected) in together.iter().zip(&expected) {
                assert_eq!(
                    traveller.ends, *expected,
                    "{count} sequences, chunks of {chunk}"
                );
            }
            assert!(!pool.is_blank(), "while they run, the pool tells of them");
            together.into_iter().for_each(|t| pool.release(t.table));
            assert_eq!((pool.free_pages(), pool.is_blank()), (100, true));
        }
    }
}

#[test]
fn a_shared_prefix_does_not_change_a_bit() {
    let (model, prompt) = (small(), prompt(100));
    let mut pool = KvPool::new(&model, 20);
    let mut decoder = Decoder::new(Arc::clone(&model), 2);
    let mut run = |pool: &mut KvPool, mut table: KvTable, prompt: &[u32]| {
        let tokens = prompt.get(table.len()..).unwrap();
        pool.reserve(&mut table, tokens.len()).unwrap();
        let wants_logits = true;
        let part = Part {
            tokens,
            table: &mut table,
            wants_logits,
        };
        let mut logits = decoder.step(pool, &mut [part]).unwrap();
        (logits.next().unwrap().to_vec(), table)
    };
    let (expected, first) = run(&mut pool, KvTable::default(), &prompt);
    for pages in 1..=6 {
        let shared = first.pages().get(..pages).unwrap().to_vec();
        shared.iter().for_each(|page| pool.hold(*page));
        let (logits, second) = run(&mut pool, KvTable::with_prefix(shared), &prompt);
        assert_eq!(logits, expected, "{pages} pages");
        pool.release(second);
    }
    assert_eq!(pool.free_pages(), 13, "the first sequence keeps its pages");
    pool.release(first);
    assert!(pool.is_blank() && pool.free_pages() == 20);
}

#[test]
fn refused_steps_change_nothing() {
    let model = small();
    let mut pool = KvPool::new(&model, 50);
    let mut decoder = Decoder::new(Arc::clone(&model), 1);
    let mut table = KvTable::default();
    pool.reserve(&mut table, 640).unwrap();
    let many = prompt(257);
    let mut step = |tokens: &[u32], table: &mut KvTable| {
        let part = Part {
            tokens,
            table,
            wants_logits: true,
        };
        decoder.step(&mut pool, &mut [part]).map(drop)
    };
    assert_eq!(step(&[], &mut table), Err(DecoderError::Empty));
    assert_eq!(step(&[96], &mut table), Err(DecoderError::UnknownToken));
    assert_eq!(step(&many, &mut table), Err(DecoderError::TooManyTokens));
    let full = |capacity_tokens| Err(DecoderError::CacheFull { capacity_tokens });
    assert_eq!(step(&[1], &mut KvTable::default()), full(0));
    for _ in 0..4 {
        step(&prompt(160), &mut table).unwrap();
    }
    assert_eq!(step(&[1], &mut table), full(640));
    assert_eq!(
        decoder.step(&mut pool, &mut []).err(),
        Some(DecoderError::Empty)
    );
    assert_eq!(table.len(), 640);
    assert_eq!(
        pool.reserve(&mut KvTable::default(), 161),
        Err(DecoderError::NoPages)
    );
    pool.release(table);
    assert!(pool.is_blank());
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
    let mut shallow = Gguf::from_bytes(llama(2).bytes()).unwrap();
    let mut foreign = KvCache::new(&Model::take(&mut shallow).unwrap(), 70);
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
        (DecoderError::TooManyTokens, "decoder.too_many_tokens"),
        (DecoderError::NoPages, "decoder.no_pages"),
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
