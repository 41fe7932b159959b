//! What is told about tokens of the real model, and how several answers to one prompt are sampled.

use crate::real_model;
use std::{collections::BTreeSet, sync::OnceLock};

use engine::{
    Engine, Job, MAX_LOGPROBS, Prompt, Sampling, Step, TokenLogprobs,
    local::{LocalConfig, LocalEngine},
};

const PROMPT: &str = "The capital of France is";

fn engine() -> &'static LocalEngine {
    static ENGINE: OnceLock<LocalEngine> = OnceLock::new();
    let config = LocalConfig {
        threads: 2,
        max_sequences: 2,
        queue: 64,
        max_context: 256,
        ..LocalConfig::default()
    };
    ENGINE.get_or_init(|| LocalEngine::load(&real_model::path(), config).unwrap())
}

fn job(sampling: Sampling, logprobs: Option<u8>) -> Job {
    let mut job = Job::new(Prompt::text(PROMPT));
    job.max_tokens = Some(12);
    job.logprobs = logprobs;
    job.sampling = sampling;
    job
}

/// The ids, and what is told about each.
fn run(job: Job) -> (Vec<u32>, Vec<TokenLogprobs>) {
    let mut steps = engine().submit(job).unwrap();
    let (mut ids, mut told) = (Vec::new(), Vec::new());
    while let Some(step) = steps.blocking_recv() {
        if let Step::Token { id, logprobs, .. } = step {
            ids.extend(id);
            told.extend(logprobs);
        }
    }
    (ids, told)
}

#[test]
fn every_token_is_told_with_its_alternatives() {
    let (ids, told) = run(job(Sampling::greedy(), Some(5)));
    assert_eq!((ids.len(), told.len()), (12, 12));
    for one in &told {
        assert_eq!(one.top.len(), 5);
        assert!(one.top[0] == one.chosen, "greedy takes the likeliest");
        assert!(
            one.top
                .windows(2)
                .all(|pair| pair[0].logprob >= pair[1].logprob)
        );
        let sum: f32 = one.top.iter().map(|token| token.logprob.exp()).sum();
        assert!(sum <= 1.0001, "{sum}");
    }
    assert_eq!(told[0].chosen.bytes, b" Paris");
    assert!(
        told[0].chosen.logprob > 0.3f32.ln(),
        "{}",
        told[0].chosen.logprob
    );
}

#[test]
fn nothing_is_told_unless_asked_and_no_alternatives_unless_wanted() {
    assert!(run(job(Sampling::greedy(), None)).1.is_empty());
    let (ids, told) = run(job(Sampling::greedy(), Some(0)));
    assert_eq!(told.len(), ids.len());
    assert!(told.iter().all(|one| one.top.is_empty()));
    let error = engine().submit(job(Sampling::greedy(), Some(MAX_LOGPROBS + 1)));
    assert_eq!(error.err().unwrap().code(), "sampler.logprobs");
}

#[test]
fn what_is_told_is_the_models_own_opinion() {
    let plain = run(job(Sampling::greedy(), Some(3))).1;
    let first = run(job(Sampling::greedy(), None)).0[0];
    let bent = Sampling {
        temperature: 1.7,
        top_k: 1,
        logit_bias: vec![(first, 0.5)],
        frequency_penalty: 1.0,
        ..Sampling::default()
    };
    let bent = run(job(bent, Some(3))).1;
    assert!(
        plain[0] == bent[0],
        "temperature, bias and bounds change nothing that is told"
    );
}

#[test]
fn penalties_and_biases_reach_the_model() {
    let greedy = run(job(Sampling::greedy(), None)).0;
    let banned = Sampling {
        logit_bias: vec![(greedy[0], -100.0)],
        ..Sampling::greedy()
    };
    assert!(!run(job(banned, None)).0.contains(&greedy[0]));
    let fresh = Sampling {
        presence_penalty: 2.0,
        frequency_penalty: 2.0,
        ..Sampling::greedy()
    };
    let fresh = run(job(fresh, None)).0;
    let distinct = |ids: &[u32]| ids.iter().collect::<BTreeSet<_>>().len();
    assert!(distinct(&fresh) >= distinct(&greedy));
}

#[test]
fn choices_differ_and_each_can_be_made_again() {
    let sampling = Sampling {
        seed: 11,
        ..Sampling::default()
    };
    let seeded = |seed| Sampling {
        seed,
        ..sampling.clone()
    };
    let choice = |i: u64| run(job(seeded(11 + i), None)).0;
    let all: Vec<_> = (0..3).map(choice).collect();
    assert_eq!(all[0], run(job(sampling.clone(), None)).0);
    assert!(all[0] != all[1] && all[1] != all[2] && all[0] != all[2]);
    assert_eq!(all[2], choice(2));
}
