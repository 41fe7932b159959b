//! Tenants take turns; whoever has to give back pages is computed again, and nobody can tell.

use super::{
    alphabet::{Alphabet, mixture},
    *,
};
use crate::TenantId;

fn of_tenant(tenant: u8, mut job: Job) -> Job {
    job.tenant = TenantId([tenant; 32]);
    job
}

/// What [`Alphabet::mixing`] says after a prompt.
pub(super) fn mixed(prompt: &[u32], answer: usize) -> Vec<u32> {
    let mut tokens = prompt.to_vec();
    for _ in 0..answer {
        tokens.push(mixture(&tokens));
    }
    tokens.split_off(prompt.len())
}

#[test]
fn tenants_take_turns() {
    let (gate, forward) = Alphabet::free().gated();
    let seen = forward.seen();
    let limits = Limits {
        sequences: 1,
        queue: 9,
        tenant_jobs: 9,
        ..LIMITS
    };
    let scheduler = start_with(forward, limits);
    let first = submit(&scheduler, of_tenant(1, job(&[0], 1))).unwrap();
    let many = [1, 2, 3].map(|letter| submit(&scheduler, of_tenant(1, job(&[letter], 1))).unwrap());
    let other = submit(&scheduler, of_tenant(2, job(&[9], 1))).unwrap();
    drop(gate);
    outcome(first);
    many.into_iter().for_each(|steps| drop(outcome(steps)));
    outcome(other);
    let firsts: Vec<u32> = seen
        .lock()
        .unwrap()
        .parts
        .iter()
        .map(|part| part[0])
        .collect();
    let place = firsts.iter().position(|letter| *letter == 9).unwrap();
    assert!(
        place <= 2,
        "one job of the first tenant may precede: {firsts:?}"
    );
}

#[test]
fn a_tenant_leaves_places_to_others() {
    let (gate, forward) = Alphabet::free().gated();
    let limits = Limits {
        tenant_jobs: 2,
        ..LIMITS
    };
    let scheduler = start_with(forward, limits);
    let held = [0, 1].map(|_| submit(&scheduler, of_tenant(1, job(&[0], 1))).unwrap());
    let refused = submit(&scheduler, of_tenant(1, job(&[0], 1)));
    assert_eq!(refused.err(), Some(EngineError::Busy));
    let other = submit(&scheduler, of_tenant(2, job(&[0], 1))).unwrap();
    drop(gate);
    assert!(held.into_iter().all(|steps| outcome(steps).0 == "b"));
    assert_eq!(outcome(other).0, "b");
    assert!(submit(&scheduler, of_tenant(1, job(&[0], 1))).is_ok());
}

#[test]
fn who_gives_back_pages_says_the_same() {
    let (gate, forward) = Alphabet::mixing(8).gated();
    let seen = forward.seen();
    let limits = Limits {
        sequences: 3,
        queue: 9,
        context_tokens: 96,
        ..LIMITS
    };
    let scheduler = start_with(forward, limits);
    let prompts: Vec<Vec<u32>> = (0..4).map(|i| vec![i; 20 + i as usize]).collect();
    let answers = prompts
        .iter()
        .map(|prompt| submit(&scheduler, job(prompt, 70)).unwrap());
    let answers: Vec<_> = answers.collect();
    drop(gate);
    for (prompt, steps) in prompts.iter().zip(answers) {
        assert_eq!(outcome(steps).1, mixed(prompt, 70));
    }
    drop(scheduler);
    let seen = seen.lock().unwrap();
    let computed: usize = seen.parts.iter().map(Vec::len).sum();
    assert!(computed > 4 * 89 + 6, "nobody gave back pages: {computed}");
    assert_eq!((seen.held, seen.unwiped), (0, false));
}

#[test]
fn a_job_that_needs_all_pages_gets_them() {
    let limits = Limits {
        sequences: 3,
        queue: 20,
        context_tokens: 96,
        ..LIMITS
    };
    let scheduler = start_with(Alphabet::mixing(6), limits);
    let small: Vec<_> = (0..8)
        .map(|i| submit(&scheduler, job(&[i; 9], 20)).unwrap())
        .collect();
    let large = submit(&scheduler, job(&[3; 90], 6)).unwrap();
    let more: Vec<_> = (0..8)
        .map(|i| submit(&scheduler, job(&[i; 9], 20)).unwrap())
        .collect();
    assert_eq!(outcome(large).1, mixed(&[3; 90], 6));
    for steps in small.into_iter().chain(more) {
        assert_eq!(outcome(steps).1.len(), 20);
    }
}
