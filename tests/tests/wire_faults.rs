//! One fault at every byte of a sealed exchange, in both directions, on both wires of the product.
//!
//! Runtime, gateway and client are the shipped libraries; the network is pipes within the process and the clock is tokio's, paused, so
//! that a limit of minutes passes at once and an exchange that would wait for ever is seen to. The inner wire (gateway to runtime) is
//! plain HTTP/1.1, the outer one TLS 1.3 with HTTP/2; every case opens the wire's connection anew, so that offset 0 is the first byte of the
//! request's head, or of the TLS handshake.
//!
//! Seven harms (a bit flipped; the direction ended; the connection reset; 24 bytes repeated; 24 bytes exchanged with the next 24; one
//! second of delay; silence for ever) at each of the first 2,048 and the last 512 offsets of each direction, and at every 61st between.
//! With padding off that is about 9,600 offsets and 67,000 exchanges. `NARTHEX_FAULT_STRIDE=N` takes every Nth of them. Proves R6.10, R6.11 and R8.4.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, tells its counts and reads its environment"
)]

mod composed;

use attestation::UnixTime;
use client::Client;
use composed::{
    Deaf, HandClock, NOW,
    asked::{End, ask},
    engine::{Synthetic, WORDS},
    panics, pipes, site,
    wire::{Direction, Fault, Harm, Wire},
};
use enclave_runtime::Limits;
use gateway::Listeners;
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::time::{Instant, sleep, timeout};

/// In virtual time: longer than every limit of the product, and all its retries, together.
const HANG: Duration = Duration::from_secs(4 * 3600);
/// After a fault the gateway may have taken its node off offer, until it appraises it again.
const RECOVERY: Duration = Duration::from_secs(120);
/// A case after which an honest exchange must be whole again.
const PROBE_EVERY: usize = 32;

struct Stack {
    client: Client,
    inner: Wire,
    outer: Wire,
    clock: Arc<HandClock>,
    begun: Instant,
}

impl Stack {
    async fn start() -> Self {
        panics::count();
        let (to_runtime, runtime_socket) = pipes::address();
        let (to_gateway, gateway_socket) = pipes::address();
        let (_, admin_socket) = pipes::address();
        let (inner, outer) = (Wire::before(to_runtime), Wire::before(to_gateway));
        let clock = HandClock::new();
        let engine = Synthetic::new(Duration::ZERO, Arc::default());
        let runtime = site().runtime("node-1", engine, &clock, Limits::default());
        tokio::spawn(runtime.serve(runtime_socket, std::future::pending()));
        let nodes = [("node-1".to_owned(), "node-1:80".to_owned())];
        let config = site().gateway_config(&nodes, "");
        let gateway = site().gateway(&config, inner.connector(), Arc::clone(&clock));
        gateway.appraise_all().await;
        let sockets = Listeners::bound(&config, gateway_socket, admin_socket).unwrap();
        tokio::spawn(gateway.run(sockets, std::future::pending()));
        let (observer, hand) = (Arc::new(Deaf), Arc::clone(&clock));
        let client = site().client(outer.connector(), hand, observer).await;
        Self {
            client: client.unwrap(),
            inner,
            outer,
            clock,
            begun: Instant::now(),
        }
    }

    /// One exchange; panics if it hangs.
    async fn exchange(&self) -> End {
        let elapsed = self.begun.elapsed().as_secs();
        self.clock.set(UnixTime(NOW.0 + elapsed));
        let asked = timeout(HANG, ask(&self.client, "say it"));
        asked.await.expect("the exchange hangs")
    }

    async fn with(&self, wire: &Wire, fault: Option<Fault>) -> End {
        wire.arm(fault).await;
        self.exchange().await
    }

    /// Whole again: of the exchanges that begin after the recovery time, the first. One before it may be lost to a connection that fell
    /// silent when its own exchange was over, and takes as long as the client waits for an answer.
    async fn recovers(&self, honest: &End) {
        let deadline = Instant::now() + RECOVERY;
        loop {
            let begun = Instant::now();
            let end = self.with(&self.inner, None).await;
            if end == *honest {
                return;
            }
            assert!(begun < deadline, "no recovery: {end:?}");
            sleep(Duration::from_secs(1)).await;
        }
    }
}

/// The first 2,048, the last 512, every 61st between.
fn offsets(length: usize) -> Vec<usize> {
    let stride = std::env::var("NARTHEX_FAULT_STRIDE").map_or(1, |text| text.parse().unwrap());
    let (first, last) = (2048.min(length), length.saturating_sub(512));
    let all = (0..first)
        .chain((first..last).step_by(61))
        .chain(last.max(first)..length);
    all.step_by(stride).collect()
}

/// Ends by harm: whole, failed.
type Counts = BTreeMap<Harm, [usize; 2]>;

/// Every harm at every offset of `direction` of the wire that `pick` picks.
async fn walk(pick: fn(&Stack) -> &Wire, direction: Direction) {
    let stack = Stack::start().await;
    let wire = pick(&stack);
    let honest = stack.with(wire, None).await;
    let End::Whole(said) = &honest else {
        panic!("without a fault: {honest:?}")
    };
    assert!(said.len() > WORDS.len() && said.last().unwrap() == "[DONE]");
    let length = wire.passed(direction);
    let mut counts = Counts::new();
    for (case, offset) in offsets(length).into_iter().enumerate() {
        for harm in Harm::ALL {
            let fault = Fault {
                harm,
                direction,
                offset,
            };
            let end = stack.with(wire, Some(fault)).await;
            let failed = judge(&end, said, fault, wire.is_done());
            counts.entry(harm).or_default()[usize::from(failed)] += 1;
        }
        if case % PROBE_EVERY == 0 {
            stack.recovers(&honest).await;
        }
    }
    stack.recovers(&honest).await;
    tell(direction, length, &counts);
}

/// Whether the exchange failed; panics if it was given out as what it is not.
fn judge(end: &End, honest: &[String], fault: Fault, reached: bool) -> bool {
    match end {
        End::Whole(events) => {
            assert_eq!(events, honest, "{fault:?}: another text is complete");
            false
        }
        End::Failed(shown, code) => {
            assert!(honest.starts_with(shown), "{fault:?}: {shown:?} was shown");
            assert!(reached, "{fault:?} was not reached, and yet: {code}");
            assert!(!fault.harm.is_harmless(), "{fault:?}: {code}");
            true
        }
    }
}

/// The walk has looked at something: every harm but the harmless one made exchanges fail, and no task panicked.
fn tell(direction: Direction, length: usize, counts: &Counts) {
    println!("{direction:?}: {length} bytes");
    for (harm, [whole, failed]) in counts {
        println!("  {harm:?}: {whole} whole, {failed} failed");
        assert_eq!(*failed == 0, harm.is_harmless(), "{harm:?}");
    }
    assert_eq!(panics::counted(), 0, "a task panicked");
}

#[tokio::test(start_paused = true)]
async fn requests_on_the_inner_wire() {
    walk(|stack| &stack.inner, Direction::Request).await;
}

#[tokio::test(start_paused = true)]
async fn responses_on_the_inner_wire() {
    walk(|stack| &stack.inner, Direction::Response).await;
}

#[tokio::test(start_paused = true)]
async fn requests_on_the_outer_wire() {
    walk(|stack| &stack.outer, Direction::Request).await;
}

#[tokio::test(start_paused = true)]
async fn responses_on_the_outer_wire() {
    walk(|stack| &stack.outer, Direction::Response).await;
}
