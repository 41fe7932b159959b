//! The scheduler with a small decoder in the model's place.

mod alphabet;
mod choices;
mod fairness;
mod prefixes;
mod properties;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::mpsc::Receiver;

use super::scheduler::{Limits, Scheduler};
use crate::{
    EngineError, FinishReason, Job, Prompt, Sampling, Step, sampler::SamplerError, text::StopError,
};
use alphabet::{Alphabet, END, ERROR, LOOP, NAN, PANIC, VOCABULARY};

const LIMITS: Limits = Limits {
    sequences: 2,
    queue: 1,
    context_tokens: 300,
    vocabulary: VOCABULARY,
    tenant_jobs: 3,
    step_tokens: 64,
    cached_tokens_per_secret: 128,
    model_digest: [9; 32],
};

fn start(forward: Alphabet) -> Scheduler {
    start_with(forward, LIMITS)
}

fn start_with(forward: Alphabet, limits: Limits) -> Scheduler {
    Scheduler::start(forward, Arc::new(alphabet::tokenizer()), limits).unwrap()
}

fn job(prompt: &[u32], max_tokens: u32) -> Job {
    let mut job = Job::new(Prompt::tokens(prompt));
    job.max_tokens = Some(max_tokens);
    job.sampling = Sampling::greedy();
    job
}

/// A job that ends with the context.
fn endless(prompt: &[u32]) -> Job {
    let mut job = job(prompt, 0);
    job.max_tokens = None;
    job
}

#[expect(clippy::needless_pass_by_value, reason = "as engines take jobs")]
fn submit(scheduler: &Scheduler, job: Job) -> Result<Receiver<Step>, EngineError> {
    let Prompt::Tokens(prompt) = &job.prompt else {
        panic!("tests have tokens");
    };
    let places = scheduler.places(job.tenant, &[job.sampling.seed])?;
    let mut choices = scheduler.submit(&job, prompt, places)?;
    Ok(choices.pop().unwrap())
}

/// Text, token ids and the reason; no reason if the channel closed without one.
fn outcome(mut steps: Receiver<Step>) -> (String, Vec<u32>, Option<FinishReason>) {
    let (mut all, mut ids) = (String::new(), Vec::new());
    while let Some(step) = steps.blocking_recv() {
        match step {
            Step::Begun { .. } | Step::Refused(_) => {}
            Step::Token { id, text, .. } => {
                ids.extend(id);
                all += &text;
            }
            Step::Done { reason, text, .. } => {
                all += &text;
                assert!(steps.blocking_recv().is_none(), "nothing follows the end");
                return (all, ids, Some(reason));
            }
        }
    }
    (all, ids, None)
}

fn text_of(scheduler: &Scheduler, job: Job) -> (String, Option<FinishReason>) {
    let (text, _, reason) = outcome(submit(scheduler, job).unwrap());
    (text, reason)
}

/// Waits until so many places are free; gives up after a minute.
fn wait_for_capacity(scheduler: &Scheduler, wanted: usize) {
    let begun = Instant::now();
    while scheduler.capacity() != wanted {
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "the places stay taken"
        );
        std::thread::yield_now();
    }
}

#[test]
fn answers_end_at_max_tokens() {
    let scheduler = start(Alphabet::free());
    let (text, ids, reason) = outcome(submit(&scheduler, job(&[0], 3)).unwrap());
    assert_eq!((text.as_str(), reason), ("bcd", Some(FinishReason::Length)));
    assert_eq!(ids, [1, 2, 3]);
    assert_eq!(
        text_of(&scheduler, job(&[0], 0)),
        (String::new(), Some(FinishReason::Length))
    );
}

#[test]
fn the_end_token_ends_and_is_not_shown() {
    let scheduler = start(Alphabet::free());
    let (text, ids, reason) = outcome(submit(&scheduler, job(&[23], 9)).unwrap());
    assert_eq!((text.as_str(), reason), ("yz", Some(FinishReason::Stop)));
    assert!(!ids.contains(&END));
}

#[test]
fn answers_end_at_the_context() {
    let scheduler = start(Alphabet::free());
    let (text, _, reason) = outcome(submit(&scheduler, endless(&[0; 298])).unwrap());
    assert_eq!((text.as_str(), reason), ("bc", Some(FinishReason::Length)));
}

#[test]
fn stop_strings_end_and_are_not_shown() {
    let scheduler = start(Alphabet::free());
    let mut stopped = job(&[0], 20);
    stopped.stop = vec![b"ef".to_vec(), b"zzz".to_vec()];
    let (text, ids, reason) = outcome(submit(&scheduler, stopped).unwrap());
    assert_eq!((text.as_str(), reason), ("bcd", Some(FinishReason::Stop)));
    assert_eq!(
        ids,
        [1, 2, 3, 4, 5],
        "the tokens of the stop string were made"
    );
}

#[test]
fn a_stop_string_that_stays_a_beginning_is_shown_at_the_end() {
    let scheduler = start(Alphabet::free());
    let mut partial = job(&[0], 3);
    partial.stop = vec![b"dx".to_vec()];
    assert_eq!(
        text_of(&scheduler, partial),
        ("bcd".to_owned(), Some(FinishReason::Length))
    );
}

#[test]
fn impossible_jobs_are_refused() {
    let scheduler = start(Alphabet::free());
    let refusal = |job| submit(&scheduler, job).err().unwrap();
    assert_eq!(refusal(job(&[], 1)), EngineError::BadPrompt);
    assert_eq!(
        refusal(job(&[VOCABULARY as u32], 1)),
        EngineError::BadPrompt
    );
    let context = 300;
    for (prompt, answer) in [(300, 1), (299, 2), (250, 51)] {
        let asked = job(&vec![0; prompt], u32::try_from(answer).unwrap());
        let overflow = EngineError::ContextOverflow {
            prompt,
            answer,
            context,
        };
        assert_eq!(refusal(asked), overflow);
    }
    let mut odd = job(&[0], 1);
    odd.sampling.temperature = -1.0;
    assert_eq!(
        refusal(odd),
        EngineError::BadSampling(SamplerError::Temperature)
    );
    let mut odd = job(&[0], 1);
    odd.stop = vec![Vec::new()];
    assert_eq!(refusal(odd), EngineError::BadStop(StopError::Length));
    assert_eq!(scheduler.capacity(), 3, "a refusal holds no place");
}

#[test]
fn a_full_queue_is_busy_and_every_end_frees_a_place() {
    let (gate, forward) = Alphabet::free().gated();
    let scheduler = start(forward);
    let taken: Vec<_> = (0..3)
        .map(|_| submit(&scheduler, job(&[0], 2)).unwrap())
        .collect();
    assert_eq!(scheduler.capacity(), 0);
    assert_eq!(
        submit(&scheduler, job(&[0], 2)).err(),
        Some(EngineError::Busy)
    );
    drop(gate);
    for steps in taken {
        assert_eq!(outcome(steps).0, "bc");
    }
    assert_eq!(scheduler.capacity(), 3);
}

#[test]
fn dropped_receivers_free_running_and_waiting_places() {
    let (gate, forward) = Alphabet::free().gated();
    let scheduler = start(forward);
    let mut taken: Vec<_> = (0..3)
        .map(|_| submit(&scheduler, job(&[0], 200)).unwrap())
        .collect();
    drop((taken.pop(), taken.pop()));
    // Two steps at most are under way; after them the two jobs are seen to be abandoned.
    for _ in 0..4 {
        gate.send(()).unwrap();
    }
    wait_for_capacity(&scheduler, 2);
    drop(gate);
    assert_eq!(outcome(taken.pop().unwrap()).2, Some(FinishReason::Stop));
}

#[test]
fn cancellation_is_seen_between_parts_of_a_prompt() {
    let (gate, forward) = Alphabet::free().gated();
    let seen = forward.seen();
    let scheduler = start(forward);
    let steps = submit(&scheduler, job(&[0; 299], 1)).unwrap();
    gate.send(()).unwrap();
    drop(steps);
    gate.send(()).unwrap();
    wait_for_capacity(&scheduler, 3);
    let taken: usize = seen.lock().unwrap().parts.iter().map(Vec::len).sum();
    assert!(
        taken <= 128,
        "{taken} of 299 prompt tokens were decoded for nobody"
    );
}

#[test]
fn long_prompts_do_not_hold_up_answers() {
    let (gate, forward) = Alphabet::free().gated();
    let seen = forward.seen();
    let scheduler = start(forward);
    let short = submit(&scheduler, job(&[0], 6)).unwrap();
    let long = submit(&scheduler, job(&[1; 290], 1)).unwrap();
    drop(gate);
    assert_eq!(
        (outcome(short).0.as_str(), outcome(long).0.as_str()),
        ("bcdefg", "c")
    );
    let seen = seen.lock().unwrap();
    let parts = || seen.parts.iter().map(Vec::len);
    assert!(parts().all(|part| part <= 64));
    assert!(seen.steps <= 8, "an answer and a prompt share steps");
}

#[test]
fn interleaved_jobs_do_not_see_each_other() {
    let limits = Limits {
        sequences: 3,
        queue: 9,
        ..LIMITS
    };
    let scheduler = start_with(Alphabet::with_pages(60), limits);
    let jobs: Vec<_> = (0..12)
        .map(|i| submit(&scheduler, job(&[i], 5)).unwrap())
        .collect();
    for (first, steps) in (0u8..).zip(jobs) {
        let expected: String = (1..=5).map(|i| char::from(b'a' + first + i)).collect();
        assert_eq!(outcome(steps).0, expected);
    }
}

#[test]
fn pages_are_wiped_after_every_job() {
    let forward = Alphabet::free();
    let seen = forward.seen();
    let scheduler = start(forward);
    for _ in 0..5 {
        assert_eq!(text_of(&scheduler, job(&[0; 40], 2)).0, "bc");
    }
    drop(submit(&scheduler, job(&[0; 200], 100)).unwrap());
    wait_for_capacity(&scheduler, 3);
    drop(scheduler);
    let seen = seen.lock().unwrap();
    assert!(seen.ended && seen.most_held >= 3, "pages were in use");
    assert_eq!((seen.held, seen.unwiped), (0, false));
}

#[test]
fn a_model_that_fails_closes_the_channel_without_an_end() {
    let scheduler = start(Alphabet::free());
    for fault in [ERROR, NAN] {
        let (text, _, reason) = outcome(submit(&scheduler, job(&[fault], 5)).unwrap());
        assert_eq!((text.as_str(), reason), ("", None));
    }
    assert_eq!(
        text_of(&scheduler, job(&[0], 1)).0,
        "b",
        "the engine goes on"
    );
    assert_eq!(scheduler.failure(), None);
}

#[test]
fn a_failure_for_good_closes_all_channels_and_is_told() {
    let (gate, forward) = Alphabet::free().failing("gpu.execution").gated();
    let scheduler = start(forward);
    assert_eq!(scheduler.failure(), None);
    let other = submit(&scheduler, job(&[0], 200)).unwrap();
    let fatal = submit(&scheduler, job(&[ERROR], 1)).unwrap();
    drop(gate);
    assert_eq!((outcome(other).2, outcome(fatal).2), (None, None));
    wait_for_capacity(&scheduler, 0);
    assert_eq!(scheduler.failure(), Some("gpu.execution"));
    let refused = submit(&scheduler, job(&[0], 1)).err();
    assert_eq!(refused, Some(EngineError::Stopped));
}

#[test]
fn a_panic_closes_all_channels_and_stops_the_engine() {
    let (gate, forward) = Alphabet::free().gated();
    let scheduler = start(forward);
    let other = submit(&scheduler, job(&[0], 200)).unwrap();
    let fatal = submit(&scheduler, job(&[PANIC], 1)).unwrap();
    drop(gate);
    assert_eq!((outcome(other).2, outcome(fatal).2), (None, None));
    wait_for_capacity(&scheduler, 0);
    assert_eq!(scheduler.failure(), Some("engine.ended"));
    assert_eq!(
        submit(&scheduler, job(&[0], 1)).err(),
        Some(EngineError::Stopped)
    );
}

#[test]
fn dropping_the_engine_interrupts_and_closes_all_channels() {
    let limits = Limits {
        context_tokens: 1 << 20,
        ..LIMITS
    };
    let scheduler = start_with(Alphabet::with_pages(1 << 17), limits);
    let endless = || submit(&scheduler, endless(&[LOOP])).unwrap();
    let (mut running, waiting) = (endless(), [endless(), endless()]);
    assert!(matches!(running.blocking_recv(), Some(Step::Begun { .. })));
    assert!(matches!(
        running.blocking_recv(),
        Some(Step::Token { id: Some(LOOP), .. })
    ));
    drop(scheduler);
    assert_eq!(outcome(running).2, None);
    for steps in waiting {
        assert_eq!(outcome(steps).2, None);
    }
}
