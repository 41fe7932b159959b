//! Several answers to one prompt: all are taken or none, and each goes its own way.

use super::{alphabet::Alphabet, *};
use crate::{Grammar, TenantId};

fn choices(
    scheduler: &Scheduler,
    job: &Job,
    seeds: &[u64],
) -> Result<Vec<Receiver<Step>>, EngineError> {
    let Prompt::Tokens(prompt) = &job.prompt else {
        panic!("tests have tokens");
    };
    scheduler.submit(job, prompt, scheduler.places(job.tenant, seeds)?)
}

#[test]
fn there_are_places_for_all_or_for_none() {
    let forward = Alphabet::free();
    let seen = forward.seen();
    let scheduler = start(forward);
    let mut named = job(&[0], 2);
    named.tenant = TenantId([1; 32]);
    let refused = choices(&scheduler, &named, &[1, 2, 3, 4]);
    assert_eq!(refused.err(), Some(EngineError::Busy));
    assert_eq!(scheduler.capacity(), 3, "no place is kept");
    let taken = choices(&scheduler, &named, &[1, 2, 3]).unwrap();
    assert!(taken.into_iter().all(|steps| outcome(steps).0 == "bc"));
    drop(scheduler);
    let begun = seen.lock().unwrap();
    let prompts = begun.parts.iter().filter(|part| part[..] == [0]);
    assert_eq!(prompts.count(), 3, "none of the refused began");
}

#[test]
fn a_grammar_is_followed_by_each_from_its_beginning() {
    let scheduler = start(Alphabet::free());
    let mut constrained = job(&[0], 9);
    constrained.grammar = Some(Grammar::Lark("start: /[b-e]{3}/\n".to_owned()));
    let taken = choices(&scheduler, &constrained, &[1, 2, 3]).unwrap();
    for steps in taken {
        let (text, _, reason) = outcome(steps);
        assert_eq!((text.as_str(), reason), ("bcd", Some(FinishReason::Stop)));
    }
}
