//! Whose computed pages serve whom: counted tokens, with the control that finds them.

use super::{
    alphabet::{Alphabet, Seen},
    fairness::mixed,
    *,
};
use crate::{CacheSecret, TenantId};
use std::sync::Mutex;

const PROMPT: [u32; 60] = [7; 60];

fn secret(byte: u8) -> Option<CacheSecret> {
    Some(CacheSecret([byte; 32]))
}

fn sharing(prompt: &[u32], cache_secret: Option<CacheSecret>) -> Job {
    let mut job = job(prompt, 20);
    job.cache_secret = cache_secret;
    job
}

/// What was told, and what was computed, of a job that runs alone.
#[derive(Debug, PartialEq)]
struct Told {
    begun: u32,
    usage: u32,
    computed: usize,
    ids: Vec<u32>,
}

struct Engine {
    scheduler: Scheduler,
    seen: Arc<Mutex<Seen>>,
}

impl Engine {
    fn start(pages: usize, cached_tokens_per_secret: usize) -> Self {
        let forward = Alphabet::mixing(pages);
        let seen = forward.seen();
        let limits = Limits {
            context_tokens: 96,
            cached_tokens_per_secret,
            ..LIMITS
        };
        let scheduler = start_with(forward, limits);
        Self { scheduler, seen }
    }

    /// The cached tokens of a job that runs alone; its answer is what it has to be.
    fn cached(&self, prompt: &[u32], cache_secret: Option<CacheSecret>) -> u32 {
        let told = self.told(sharing(prompt, cache_secret));
        assert_eq!(told.ids, mixed(prompt, 20));
        assert_eq!(
            (told.begun, told.computed),
            (told.usage, prompt.len() + 19 - told.begun as usize)
        );
        told.begun
    }

    fn told(&self, job: Job) -> Told {
        let computed = || {
            self.seen
                .lock()
                .unwrap()
                .parts
                .iter()
                .map(Vec::len)
                .sum::<usize>()
        };
        let before = computed();
        let mut steps = submit(&self.scheduler, job).unwrap();
        let (mut begun, mut ids) = (u32::MAX, Vec::new());
        loop {
            match steps.blocking_recv().unwrap() {
                Step::Begun { cached_tokens, .. } => begun = cached_tokens,
                Step::Token { id, .. } => ids.extend(id),
                Step::Refused(_) => panic!("the local engine refuses before it begins"),
                Step::Done { usage, .. } => {
                    return Told {
                        begun,
                        usage: usage.cached_tokens,
                        computed: computed() - before,
                        ids,
                    };
                }
            }
        }
    }

    /// Pages held and whether one that is not was not wiped, at the end.
    fn end(self) -> (usize, bool) {
        drop(self.scheduler);
        let seen = self.seen.lock().unwrap();
        (seen.held, seen.unwiped)
    }
}

#[test]
fn the_same_secret_finds_its_prefix_and_another_does_not() {
    let engine = Engine::start(40, 96);
    assert_eq!(engine.cached(&PROMPT, secret(1)), 0);
    assert_eq!(engine.cached(&PROMPT, secret(2)), 0, "another secret");
    assert_eq!(engine.cached(&PROMPT, None), 0, "no secret");
    assert_eq!(engine.cached(&PROMPT, secret(1)), 48, "the control");
    assert_eq!(engine.cached(&PROMPT, secret(2)), 48, "the other control");
    assert_eq!(
        engine.cached(&PROMPT, None),
        0,
        "nobody shares without a secret"
    );
    assert_eq!(engine.end(), (8, false), "four pages each, and no more");
}

#[test]
fn the_tenant_neither_opens_nor_closes_anything() {
    let engine = Engine::start(40, 96);
    let of = |tenant: u8, byte| {
        let mut job = sharing(&PROMPT, secret(byte));
        job.tenant = TenantId([tenant; 32]);
        engine.told(job).begun
    };
    assert_eq!(of(1, 1), 0);
    assert_eq!(of(1, 2), 0, "the same tenant's name, another secret");
    assert_eq!(of(2, 1), 48, "another tenant's name, the same secret");
}

#[test]
fn the_last_token_of_a_prompt_is_always_computed() {
    let engine = Engine::start(40, 96);
    let prompt = |length| vec![4; length];
    assert_eq!(engine.cached(&prompt(48), secret(1)), 0);
    for (length, cached) in [(48, 32), (49, 48), (16, 0), (17, 16), (47, 32)] {
        assert_eq!(
            engine.cached(&prompt(length), secret(1)),
            cached,
            "{length}"
        );
    }
}

#[test]
fn a_page_is_found_behind_those_it_was_computed_behind() {
    let engine = Engine::start(40, 400);
    let pages =
        |letters: &[u32]| [letters.iter().flat_map(|l| [*l; 16]).collect(), vec![0]].concat();
    assert_eq!(engine.cached(&pages(&[1, 2, 3]), secret(1)), 0);
    assert_eq!(engine.cached(&pages(&[2, 3]), secret(1)), 0);
    assert_eq!(engine.cached(&pages(&[1, 3]), secret(1)), 16);
    assert_eq!(engine.cached(&pages(&[1, 2, 4]), secret(1)), 32);
}

#[test]
fn an_answer_is_found_by_the_conversation_that_goes_on() {
    let engine = Engine::start(40, 96);
    assert_eq!(engine.cached(&PROMPT, secret(1)), 0);
    let more = [&PROMPT[..], &mixed(&PROMPT, 16)].concat();
    assert_eq!(engine.cached(&more, secret(1)), 64);
}

#[test]
fn a_secret_keeps_no_more_than_its_quota() {
    let engine = Engine::start(40, 64);
    for letter in 0..9 {
        assert_eq!(engine.cached(&[letter; 60], secret(1)), 0);
    }
    assert_eq!(engine.cached(&[8; 60], secret(1)), 48);
    assert_eq!(engine.cached(&[0; 60], secret(1)), 0, "long unused");
    assert_eq!(engine.end(), (4, false));
    let none = Engine::start(40, 0);
    assert_eq!(none.cached(&PROMPT, secret(1)), 0);
    assert_eq!(none.cached(&PROMPT, secret(1)), 0);
    assert_eq!(none.end(), (0, false));
}

#[test]
fn one_secret_does_not_drive_out_another() {
    let engine = Engine::start(40, 64);
    assert_eq!(engine.cached(&PROMPT, secret(1)), 0);
    for letter in 0..20 {
        engine.cached(&[letter; 60], secret(2));
    }
    assert_eq!(engine.cached(&PROMPT, secret(1)), 48);
}

#[test]
fn a_tenant_with_many_secrets_does_not_drive_out_another() {
    let engine = Engine::start(16, 96);
    let of = |tenant: u8, byte| {
        let mut job = sharing(&PROMPT, secret(byte));
        job.tenant = TenantId([tenant; 32]);
        engine.told(job).begun
    };
    assert_eq!(of(1, 1), 0);
    for byte in 2..40 {
        assert_eq!(of(2, byte), 0, "another secret");
    }
    assert_eq!(of(1, 1), 48, "the other tenant's stays");
    assert_eq!(of(2, 39), 48, "who has many keeps the latest");
    let (held, unwiped) = engine.end();
    assert!(held <= 4 + 8 && !unwiped, "half of all for one: {held}");
}

#[test]
fn who_shares_a_secret_keeps_on_an_account_of_their_own() {
    let engine = Engine::start(40, 64);
    let of = |tenant: u8, letter: u32| {
        let mut job = sharing(&[letter; 60], secret(1));
        job.tenant = TenantId([tenant; 32]);
        engine.told(job).begun
    };
    assert_eq!(of(1, 0), 0);
    for letter in 1..9 {
        assert_eq!(of(2, letter), 0);
    }
    assert_eq!(of(2, 0), 48, "the first tenant's stays, and serves both");
    assert_eq!(engine.end(), (8, false));
}

#[test]
fn kept_pages_make_way_and_are_wiped() {
    let engine = Engine::start(7, 96);
    assert_eq!(engine.cached(&PROMPT, secret(1)), 0);
    assert_eq!(engine.cached(&[5; 70], None), 0, "six of seven pages");
    assert_eq!(
        engine.cached(&PROMPT, secret(1)),
        16,
        "what was not needed stayed"
    );
    assert_eq!(engine.end(), (4, false));
}
