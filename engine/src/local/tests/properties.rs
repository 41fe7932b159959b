//! Whatever comes and goes: everybody who stays gets exactly their answer, and nothing is left behind.

use proptest::prelude::*;

use super::{alphabet::Alphabet, fairness::mixed, *};
use crate::{CacheSecret, TenantId};

const CONTEXT: usize = 96;

#[derive(Clone, Debug)]
struct Arrival {
    letter: u32,
    /// Equal letters are equal prompts as far as both go.
    length: usize,
    answer: usize,
    tenant: u8,
    secret: Option<u8>,
    /// Steps after which the receiver goes away.
    patience: Option<usize>,
}

fn arrival() -> impl Strategy<Value = Arrival> {
    let sizes = (0..3_u32, 1..110_usize, 0..40_usize);
    let who = (0..3_u8, prop::option::of(0..2_u8));
    let patience = prop::option::weighted(0.3, 0..12_usize);
    (sizes, who, patience).prop_map(|(sizes, who, patience)| Arrival {
        letter: sizes.0,
        length: sizes.1,
        answer: sizes.2,
        tenant: who.0,
        secret: who.1,
        patience,
    })
}

fn limits() -> impl Strategy<Value = (Limits, usize)> {
    let pages = CONTEXT.div_ceil(16);
    (1..6_usize, 1..=256_usize, 0..100_usize, pages..4 * pages).prop_map(
        |(sequences, step_tokens, cached_tokens_per_secret, pages)| {
            let limits = Limits {
                sequences,
                queue: 100,
                context_tokens: CONTEXT,
                tenant_jobs: 100,
                step_tokens,
                cached_tokens_per_secret,
                ..LIMITS
            };
            (limits, pages)
        },
    )
}

impl Arrival {
    fn prompt(&self) -> Vec<u32> {
        let letter = |i: u32| (i / 7 + self.letter * 5) % 26;
        (0..self.length as u32).map(letter).collect()
    }

    fn job(&self) -> Job {
        let mut job = job(&self.prompt(), self.answer as u32);
        job.tenant = TenantId([self.tenant; 32]);
        job.cache_secret = self.secret.map(|byte| CacheSecret([byte; 32]));
        job
    }

    fn fits(&self) -> bool {
        self.length + self.answer.max(1) <= CONTEXT
    }

    /// Listens to the end, or as long as there is patience.
    fn check(&self, mut steps: Receiver<Step>) -> Result<(), TestCaseError> {
        let Some(patience) = self.patience else {
            let (_, ids, reason) = outcome(steps);
            prop_assert_eq!(reason, Some(FinishReason::Length));
            prop_assert_eq!(ids, mixed(&self.prompt(), self.answer));
            return Ok(());
        };
        for _ in 0..patience {
            let _ = steps.blocking_recv();
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn everybody_ends_and_nothing_is_left(
        arrivals in prop::collection::vec(arrival(), 1..60),
        (limits, pages) in limits(),
    ) {
        let forward = Alphabet::mixing(pages);
        let seen = forward.seen();
        let scheduler = start_with(forward, limits);
        let mut taken = Vec::new();
        for arrival in &arrivals {
            match submit(&scheduler, arrival.job()) {
                Ok(steps) => taken.push((arrival, steps)),
                Err(refused) => {
                    prop_assert!(!arrival.fits(), "{refused}");
                    prop_assert_eq!(refused.code(), "engine.context_overflow");
                }
            }
        }
        prop_assert_eq!(taken.len(), arrivals.iter().filter(|arrival| arrival.fits()).count());
        for (arrival, steps) in taken {
            arrival.check(steps)?;
        }
        wait_for_capacity(&scheduler, limits.sequences + limits.queue);
        drop(scheduler);
        let seen = seen.lock().unwrap();
        prop_assert!(seen.ended && !seen.unwiped);
        // Three tenants under two secrets each.
        prop_assert!(seen.held <= 6 * (limits.cached_tokens_per_secret / 16));
    }
}
