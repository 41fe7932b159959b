//! A fleet under seeds: runtimes, gateway and client of the shipped libraries on turmoil's network, its clock and its faults.
//!
//! A seed draws when requests are sent, nodes crash and come back with another identity, links hold everything back or become slow, and
//! wall clocks are set forward or back; and what a dishonest relay between gateway and nodes does with each envelope: it posts it twice
//! at once, again later, to another node, or keeps it back until its keys have to be gone. Key epochs rotate all the while. TLS and
//! HTTP are the product's own. Nonces and keys come from the system, so that a seed repeats schedule and faults, not bytes.
//!
//! What must hold: no envelope is answered twice; nothing is complete unless it is the whole answer under its verified receipt; what was
//! shown before an error is how the answer begins; every request ends; after the faults are over the next request is answered; no
//! envelope opens after its keys' grace; nothing panics. Proves R6.4, R6.8, R6.9, R6.11, R9.5, R9.6, R11.1 and R11.2.
//!
//! `NARTHEX_SIM_SEEDS=N` runs N seeds, `NARTHEX_SIM_SEED=S` only that one.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, tells its seeds and reads its environment"
)]

mod composed;
mod simulation {
    pub(crate) mod dice;
    pub(crate) mod fleet;
    pub(crate) mod network;
    pub(crate) mod relay;
    pub(crate) mod scenario;
}

use composed::panics;
use simulation::fleet::{self, Outcome};
use std::{
    collections::BTreeMap,
    env,
    panic::catch_unwind,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

/// Takes less than a minute on two cores.
const SEEDS: u64 = 500;

fn seeds() -> std::ops::Range<u64> {
    let number = |name| {
        env::var(name)
            .ok()
            .map(|text| text.parse::<u64>().expect("a number"))
    };
    match number("NARTHEX_SIM_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("NARTHEX_SIM_SEEDS").unwrap_or(SEEDS),
    }
}

#[test]
fn a_fleet_under_seeds() {
    panics::count();
    let seeds = seeds();
    let (next, total) = (AtomicU64::new(seeds.start), Mutex::new(BTreeMap::new()));
    let worker = || {
        while let seed @ 0.. = next.fetch_add(1, Ordering::SeqCst)
            && seed < seeds.end
        {
            let outcome = one(seed);
            add(&mut total.lock().unwrap(), outcome);
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(worker))));
    let total = total.into_inner().unwrap();
    println!("{} seeds: {total:?}", seeds.end - seeds.start);
    assert_eq!(panics::counted(), 0, "a task panicked");
    if seeds.end - seeds.start >= SEEDS {
        everything_happened(&total);
    }
}

fn add(total: &mut BTreeMap<String, usize>, outcome: Outcome) {
    for (what, count) in outcome {
        *total.entry(what).or_default() += count;
    }
}

/// One seed; says how to run it again if it fails.
fn one(seed: u64) -> Outcome {
    catch_unwind(|| fleet::run(seed)).unwrap_or_else(|panic| {
        eprintln!("seed {seed} fails; again: NARTHEX_SIM_SEED={seed} cargo test -p tests --test simulation");
        std::panic::resume_unwind(panic)
    })
}

/// The simulation looked at something: what it is about did happen.
fn everything_happened(total: &BTreeMap<String, usize>) {
    for what in [
        "whole",
        "failed",
        "posted twice",
        "refused runtime.envelope",
        "refused runtime.key",
        "posted after grace",
        "crash",
        "restart",
        "hold",
        "clock",
    ] {
        assert!(
            total.get(what).is_some_and(|count| *count > 0),
            "no {what} in {total:?}"
        );
    }
}
