//! Every family: the same logits as the CPU's decoder, bit for bit, in any company and however the prompt is cut.

use std::sync::{Arc, atomic::Ordering};

use engine::{
    decoder::{Decoder, DecoderError, KvCache, KvTable, Part},
    gguf::Gguf,
    local::{Capacity, Forward},
    model::Model,
};
use gpu::{Device, GpuDecoder};

use crate::{device::Emulated, tiny};

pub(crate) const CAPACITY: Capacity = Capacity {
    pages: 12,
    context_tokens: 64,
    sequences: 4,
};

pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) tokens: Vec<u32>,
    pub(crate) model: Arc<Model>,
}

pub(crate) fn cases() -> impl Iterator<Item = Case> {
    tiny::cases().into_iter().map(|json| Case {
        name: json["name"].as_str().unwrap().to_owned(),
        tokens: tiny::tokens(&json),
        model: model(&tiny::file(&json).bytes()),
    })
}

pub(crate) fn model(bytes: &[u8]) -> Arc<Model> {
    Arc::new(Model::take(&mut Gguf::from_bytes(bytes.to_vec()).unwrap()).unwrap())
}

pub(crate) fn decoder(model: &Model) -> (Arc<Emulated>, GpuDecoder<Emulated>) {
    let device = Arc::new(Emulated::default());
    let decoder = GpuDecoder::new(&device, model, CAPACITY).unwrap();
    (device, decoder)
}

pub(crate) fn bits(logits: &[f32]) -> Vec<u32> {
    logits.iter().map(|logit| logit.to_bits()).collect()
}

/// What the CPU says after each chunk.
fn on_cpu(model: &Arc<Model>, tokens: &[u32], chunk: usize) -> Vec<Vec<u32>> {
    let mut decoder = Decoder::new(Arc::clone(model), 1);
    let mut cache = KvCache::new(model, tokens.len());
    let chunks = tokens.chunks(chunk);
    chunks
        .map(|tokens| bits(decoder.forward(tokens, &mut cache).unwrap()))
        .collect()
}

/// One sequence's next tokens, alone.
pub(crate) fn step<D: Device>(
    decoder: &mut GpuDecoder<D>,
    table: &mut KvTable,
    tokens: &[u32],
) -> Result<Vec<u32>, DecoderError> {
    decoder.pool().reserve(table, tokens.len())?;
    let part = Part {
        tokens,
        table,
        wants_logits: true,
    };
    let mut rows = decoder.step(&mut [part])?;
    Ok(bits(rows.next().unwrap()))
}

#[test]
fn prompts_give_the_same_bits_however_they_are_cut() {
    for case in cases() {
        let (_, mut decoder) = decoder(&case.model);
        for chunk in [40, 7] {
            let mut table = KvTable::default();
            let chunks = case.tokens.chunks(chunk);
            let logits: Vec<_> = chunks
                .map(|tokens| step(&mut decoder, &mut table, tokens).unwrap())
                .collect();
            let expected = on_cpu(&case.model, &case.tokens, chunk);
            assert!(logits == expected, "{} in chunks of {chunk}", case.name);
            decoder.pool().release(table);
        }
        assert_eq!(
            decoder.pages().memory().is_blank(),
            Ok(true),
            "{}",
            case.name
        );
    }
}

#[test]
fn company_changes_no_bit() {
    for case in cases() {
        let (_, mut decoder) = decoder(&case.model);
        // Three sequences at different places: one decodes, one is in its prompt, one begins.
        let rotated = |by: usize| [&case.tokens[by..], &case.tokens[..by]].concat();
        let sequences = [rotated(0), rotated(3), rotated(11)];
        let mut tables: [KvTable; 3] = Default::default();
        step(&mut decoder, &mut tables[0], &sequences[0][..19]).unwrap();
        step(&mut decoder, &mut tables[1], &sequences[1][..5]).unwrap();
        let shares = [1, 14, 6];
        let mut parts = Vec::new();
        for ((table, sequence), share) in tables.iter_mut().zip(&sequences).zip(shares) {
            decoder.pool().reserve(table, share).unwrap();
            let begin = table.len();
            parts.push(Part {
                tokens: &sequence[begin..begin + share],
                table,
                // Who is in the middle of a prompt wants none.
                wants_logits: share != 14,
            });
        }
        let rows: Vec<_> = decoder.step(&mut parts).unwrap().map(bits).collect();
        let expected = [(0, 20), (2, 6)].map(|(sequence, length): (usize, usize)| {
            on_cpu(&case.model, &sequences[sequence][..length], length).remove(0)
        });
        assert!(rows == expected, "{}", case.name);
        tables
            .into_iter()
            .for_each(|table| decoder.pool().release(table));
    }
}

#[test]
fn a_prefix_of_another_sequence_serves() {
    for case in cases().filter(|case| case.name.ends_with('1')) {
        let (_, mut decoder) = decoder(&case.model);
        let mut first = KvTable::default();
        step(&mut decoder, &mut first, &case.tokens[..33]).unwrap();
        let shared = first.pages()[..2].to_vec();
        shared.iter().for_each(|page| decoder.pool().hold(*page));
        decoder.pool().release(first);
        let mut second = KvTable::with_prefix(shared);
        let logits = step(&mut decoder, &mut second, &case.tokens[32..]).unwrap();
        let expected = on_cpu(&case.model, &case.tokens, usize::MAX);
        assert!(logits == expected[0], "{}", case.name);
        decoder.pool().release(second);
        assert_eq!(decoder.pages().memory().is_blank(), Ok(true));
    }
}

#[test]
fn a_step_is_one_copy_there_one_launch_and_one_copy_back() {
    let case = cases().next().unwrap();
    let (device, mut decoder) = decoder(&case.model);
    let counts = || {
        let counts = &device.counts;
        let all = [
            &counts.allocations,
            &counts.uploads,
            &counts.replays,
            &counts.downloads,
        ];
        all.map(|count| count.load(Ordering::Relaxed))
    };
    let before = counts();
    let mut table = KvTable::default();
    step(&mut decoder, &mut table, &case.tokens[..17]).unwrap();
    step(&mut decoder, &mut table, &case.tokens[17..18]).unwrap();
    let after = counts();
    let differences: Vec<_> = after.iter().zip(before).map(|(a, b)| a - b).collect();
    assert_eq!(differences, [0, 2, 2, 2]);
    decoder.pool().release(table);
}

#[test]
fn what_a_dropped_decoder_had_is_wiped() {
    let case = cases().next().unwrap();
    let (device, mut decoder) = decoder(&case.model);
    let mut table = KvTable::default();
    step(&mut decoder, &mut table, &case.tokens[..17]).unwrap();
    assert!(!device.is_blank());
    drop(decoder);
    assert!(device.is_blank());
}

#[test]
fn steps_that_do_not_fit_are_refused() {
    let case = cases().next().unwrap();
    let (_, mut decoder) = decoder(&case.model);
    let mut table = KvTable::default();
    let refusal = |decoder: &mut GpuDecoder<_>, table: &mut _, tokens: &[u32]| {
        step(decoder, table, tokens).err().unwrap()
    };
    let unknown = [case.model.config().vocabulary as u32];
    assert_eq!(
        refusal(&mut decoder, &mut table, &unknown),
        DecoderError::UnknownToken
    );
    assert_eq!(refusal(&mut decoder, &mut table, &[]), DecoderError::Empty);
    let full = DecoderError::CacheFull {
        capacity_tokens: 64,
    };
    assert_eq!(refusal(&mut decoder, &mut table, &[1; 65]), full);
    assert_eq!(
        refusal(&mut decoder, &mut table, &[1; 300]),
        DecoderError::NoPages
    );
    assert!(table.is_empty());
    decoder.pool().release(table);
    let mut tables: [KvTable; 5] = Default::default();
    let parts = tables.iter_mut().map(|table| {
        decoder.pool().reserve(table, 1).unwrap();
        Part {
            tokens: &[1],
            table,
            wants_logits: true,
        }
    });
    let mut parts: Vec<_> = parts.collect();
    let refused = decoder.step(&mut parts).err();
    assert_eq!(refused, Some(DecoderError::TooManyTokens));
}
