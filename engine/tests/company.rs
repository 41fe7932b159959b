//! The real model says the same, bit for bit of what it tells about each token, however it is asked to compute.

use crate::real_model;
use engine::{
    CacheSecret, Engine, Job, Prompt, Sampling, Step, TenantId,
    local::{LocalConfig, LocalEngine},
};
use tokio::sync::mpsc::Receiver;

const QUESTIONS: u32 = 8;
/// Room for what the questions begin with and for one of them at full length.
const CONTEXT: usize = 256;

/// Ids, and the bits of the log-probabilities of each and of its alternatives.
#[derive(Default)]
struct Answer {
    ids: Vec<u32>,
    bits: Vec<u32>,
    cached_tokens: u32,
}

fn engine(threads: usize, step_tokens: usize, max_sequences: usize) -> LocalEngine {
    let config = LocalConfig {
        threads,
        step_tokens,
        max_sequences,
        max_context: CONTEXT,
        // Two sequences of full length, of 46,080 bytes for a position: with more, some are put back.
        kv_bytes: 2 * CONTEXT * 46_080,
        cached_tokens_per_secret: 96,
        ..LocalConfig::default()
    };
    LocalEngine::load(&real_model::path(), config).expect("the model loads")
}

impl Answer {
    fn says_what(&self, other: &Self) -> bool {
        !self.ids.is_empty() && self.ids == other.ids && self.bits == other.bits
    }
}

/// The questions begin alike; those with odd numbers share what is computed of that.
fn job(question: u32) -> Job {
    let tokens = (0..70 + 9 * question).map(|i| 1000 + (i * 37 + i / 50 * question) % 9000);
    let mut job = Job::new(Prompt::tokens(tokens.collect::<Vec<_>>()));
    job.max_tokens = Some(10);
    job.logprobs = Some(5);
    job.sampling = Sampling {
        temperature: if question.is_multiple_of(3) { 0.0 } else { 1.0 },
        seed: u64::from(question),
        ..Sampling::default()
    };
    job.tenant = TenantId([question as u8 % 3; 32]);
    job.cache_secret = (question % 2 == 1).then_some(CacheSecret([7; 32]));
    job
}

fn answer(mut steps: Receiver<Step>) -> Answer {
    let mut answer = Answer::default();
    loop {
        match steps.blocking_recv().expect("the engine works") {
            Step::Token { id, logprobs, .. } => {
                answer.ids.extend(id);
                let told = logprobs.unwrap();
                let all = std::iter::once(&told.chosen).chain(&told.top);
                answer.bits.extend(all.map(|one| one.logprob.to_bits()));
            }
            Step::Done { usage, .. } => {
                answer.cached_tokens = usage.cached_tokens;
                return answer;
            }
            Step::Begun { .. } | Step::Refused(_) => {}
        }
    }
}

/// Each question alone, with nothing computed before.
fn alone() -> Vec<Answer> {
    let engine = engine(1, 256, 1);
    let ask = |question| {
        let mut job = job(question);
        job.cache_secret = None;
        answer(engine.submit(job).unwrap())
    };
    (0..QUESTIONS).map(ask).collect()
}

#[test]
fn threads_company_chunks_restarts_and_hits_do_not_change_a_bit() {
    let expected = alone();
    for (threads, step_tokens, sequences) in [(2, 128, 8), (3, 1, 3), (4, 256, 5)] {
        let engine = engine(threads, step_tokens, sequences);
        let asked = (0..QUESTIONS).map(|question| engine.submit(job(question)).unwrap());
        let asked: Vec<_> = asked.collect();
        for (question, (steps, expected)) in asked.into_iter().zip(&expected).enumerate() {
            let got = answer(steps);
            let how = format!("{question}: {threads} threads, {step_tokens} tokens a step");
            assert!(got.says_what(expected), "{how}");
            assert!(question % 2 == 1 || got.cached_tokens == 0, "{how}");
        }
        let again = [7, 7].map(|question| answer(engine.submit(job(question)).unwrap()));
        assert!(again.iter().all(|got| got.says_what(&expected[7])));
        assert_eq!(again[1].cached_tokens, 96, "as much as may be kept");
    }
}
