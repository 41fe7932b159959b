//! The engine's scheduler in front of the device: the same answers as in front of the CPU.

use engine::{
    CacheSecret, Engine, Job, Prompt, Sampling, Step, TenantId,
    gguf::Gguf,
    local::{LocalConfig, LocalEngine},
};
use gpu::GpuBackend;
use tokio::sync::mpsc::Receiver;

use crate::{
    device::Emulated,
    gguf_file::{self, File, I32, STR, array, str, str_value},
};

const VOCABULARY: u32 = 96;

/// Few pages, so that sequences are put back, and prefixes that are kept.
const CONFIG: LocalConfig = LocalConfig {
    threads: 1,
    max_sequences: 3,
    queue: 8,
    max_context: 64,
    isa: None,
    step_tokens: 24,
    kv_bytes: 6 * PAGE_BYTES,
    tenant_jobs: 0,
    cached_tokens_per_secret: 32,
};
/// One layer, one key-value head of 64 columns.
const PAGE_BYTES: usize = 2 * 16 * 64 * 4;

/// A model with a tokenizer.
fn file() -> File {
    let mut file = gguf_file::llama(1);
    let token = |id: u32| [b'a' + (id / 26) as u8, b'a' + (id % 26) as u8];
    let tokens = (0..VOCABULARY).flat_map(|id| str(std::str::from_utf8(&token(id)).unwrap()));
    let kinds = (0..VOCABULARY).flat_map(|_| 1_i32.to_le_bytes());
    let count = u64::from(VOCABULARY);
    file.set("general.name", str_value("tiny"))
        .set("tokenizer.ggml.model", str_value("gpt2"))
        .set("tokenizer.ggml.pre", str_value("smollm"))
        .set(
            "tokenizer.ggml.tokens",
            array(STR, count, &tokens.collect::<Vec<_>>()),
        )
        .set(
            "tokenizer.ggml.token_type",
            array(I32, count, &kinds.collect::<Vec<_>>()),
        )
        .set("tokenizer.ggml.merges", array(STR, 0, &[]));
    file
}

fn gguf() -> Gguf {
    Gguf::from_bytes(file().bytes()).unwrap()
}

/// Questions that begin alike; those with odd numbers share what is computed of that. `told`: with log-probabilities.
fn job(question: u32, told: bool) -> Job {
    let tokens = (0..20 + 5 * question).map(|i| (i * 7 + i / 18 * question) % VOCABULARY);
    let mut job = Job::new(Prompt::tokens(tokens.collect::<Vec<_>>()));
    job.max_tokens = Some(4 + question);
    job.logprobs = told.then_some(3);
    job.sampling = Sampling {
        temperature: if question.is_multiple_of(2) { 0.0 } else { 1.0 },
        seed: u64::from(question),
        ..Sampling::default()
    };
    job.tenant = TenantId([question as u8 % 2; 32]);
    job.cache_secret = (question % 2 == 1).then_some(CacheSecret([7; 32]));
    job
}

/// Ids, and the bits of the log-probabilities of each and of its alternatives; then how many tokens were found computed.
fn answer(mut steps: Receiver<Step>) -> (Vec<u32>, u32) {
    let mut said = Vec::new();
    loop {
        match steps.blocking_recv().expect("the engine works") {
            Step::Token { id, logprobs, .. } => {
                said.extend(id);
                if let Some(told) = logprobs {
                    let all = std::iter::once(&told.chosen).chain(&told.top);
                    said.extend(all.map(|one| one.logprob.to_bits()));
                }
            }
            Step::Done { usage, .. } => return (said, usage.cached_tokens),
            Step::Begun { .. } | Step::Refused(_) => {}
        }
    }
}

/// What a crowd is told; `told` says who of it hears log-probabilities.
fn answers(engine: &LocalEngine, told: fn(u32) -> bool) -> Vec<(Vec<u32>, u32)> {
    let submitted = (0..6).map(|question| engine.submit(job(question, told(question))));
    let submitted: Vec<_> = submitted.map(Result::unwrap).collect();
    submitted.into_iter().map(answer).collect()
}

#[test]
fn a_crowd_gets_the_same_answers() {
    let backend = GpuBackend::new(Emulated::default()).unwrap();
    let on_device = LocalEngine::on(backend, gguf(), CONFIG).unwrap();
    let on_cpu = LocalEngine::from_gguf(gguf(), CONFIG).unwrap();
    // Nobody's token is chosen on the device, everybody's, some's.
    let crowds: [fn(u32) -> bool; 3] = [|_| true, |_| false, |question| question < 3];
    for told in crowds {
        let (device, cpu) = (answers(&on_device, told), answers(&on_cpu, told));
        for (device, cpu) in device.iter().zip(&cpu) {
            assert!(!cpu.0.is_empty());
            assert_eq!(device.0, cpu.0);
        }
    }
    // What was kept of one crowd serves the next one.
    assert!(
        answers(&on_device, |_| true)
            .iter()
            .any(|(_, cached)| *cached > 0)
    );
    let (device, cpu) = (on_device.card(), on_cpu.card());
    assert_eq!(
        (device.mode.as_ref(), device.isa),
        ("cuda/exact", "emulated")
    );
    assert_eq!(device.model_digest, cpu.model_digest);
    assert_eq!(device.kernels_digest, cpu.kernels_digest);
}
