//! One seed: the fleet is set up, the scenario played, the invariants looked at.

use super::{
    dice::Dice,
    network::{self, Socket},
    relay::{FIRST_PORT, Ledger, Relay},
    scenario::{Act, CLIENT, CLOCKS, GATEWAY, HEAL, NODES, RELAY, Scenario},
};
use crate::composed::{
    Deaf, HandClock, NOW,
    asked::{End, ask},
    engine::{Synthetic, Tally},
    site,
};
use attestation::UnixTime;
use client::Client;
use enclave_runtime::Limits;
use gateway::Listeners;
use std::{
    collections::BTreeMap,
    future::pending,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use turmoil::Sim;

/// What was counted.
pub(crate) type Outcome = BTreeMap<String, usize>;

const TICK: Duration = Duration::from_millis(20);
const KEY_WINDOW: Duration = Duration::from_secs(8);
const KEY_GRACE: Duration = Duration::from_secs(4);
/// From its sealing on, an envelope's keys are gone for certain: longer than window and grace.
const KEYS_GONE: Duration = Duration::from_secs(15);
/// A request ends within this time, whatever happens.
const REQUEST_BOUND: Duration = Duration::from_secs(1000);
/// The gateway appraises its nodes again within this time after the faults are over.
const SETTLE: Duration = Duration::from_secs(20);
const SIMULATION_BOUND: Duration = Duration::from_secs(3000);
const GATEWAY_SETTINGS: &str = r#"
[appraisal]
interval_seconds = 5
timeout_ms = 5000
retry_min_ms = 200
retry_max_ms = 2000
[relay]
answer_timeout_ms = 15000
stall_timeout_ms = 15000
request_timeout_ms = 10000
"#;

/// What the hosts of one simulation share with their director.
#[derive(Clone)]
struct World {
    seed: u64,
    clocks: BTreeMap<&'static str, Arc<HandClock>>,
    tally: Arc<Tally>,
    ledger: Arc<Mutex<Ledger>>,
    ends: Arc<Mutex<Vec<End>>>,
}

/// Plays `seed`; panics if an invariant does not hold.
pub(crate) fn run(seed: u64) -> Outcome {
    let mut dice = Dice::new(seed);
    let scenario = Scenario::draw(&mut dice);
    let world = World {
        seed,
        clocks: CLOCKS.map(|host| (host, HandClock::new())).into(),
        tally: Arc::default(),
        ledger: Arc::default(),
        ends: Arc::default(),
    };
    let mut sim = turmoil::Builder::new()
        .rng_seed(seed)
        .tick_duration(TICK)
        .min_message_latency(Duration::from_millis(1))
        .max_message_latency(scenario.max_latency)
        .simulation_duration(SIMULATION_BOUND)
        .enable_random_order()
        .build();
    world.populate(&mut sim, &scenario, dice.split());
    let mut outcome = world.direct(&mut sim, &scenario);
    world.judge(&mut outcome);
    outcome
}

impl World {
    fn populate(&self, sim: &mut Sim<'_>, scenario: &Scenario, dice: Dice) {
        for node in NODES {
            let (world, limits) = (self.clone(), limits(scenario));
            let pace = scenario.pace;
            sim.host(node, move || world.clone().node(node, pace, limits));
        }
        let dice = Mutex::new(Some(dice));
        let ledger = Arc::clone(&self.ledger);
        sim.host(RELAY, move || {
            let dice = dice.lock().unwrap().take().expect("the relay starts once");
            Relay::new(dice, KEYS_GONE, Arc::clone(&ledger)).serve()
        });
        let world = self.clone();
        sim.host(GATEWAY, move || world.clone().gateway());
        sim.client(CLIENT, self.clone().client(scenario.requests.clone()));
    }

    async fn node(self, node: &'static str, pace: Duration, limits: Limits) -> turmoil::Result {
        let engine = Synthetic::new(pace, Arc::clone(&self.tally));
        let runtime = site().runtime(node, engine, &self.clocks[node], limits);
        runtime.serve(Socket::bind(80).await?, pending()).await;
        Ok(())
    }

    async fn gateway(self) -> turmoil::Result {
        let upstream = |(node, port): (&str, u16)| (node.to_owned(), format!("{RELAY}:{port}"));
        let nodes: Vec<_> = NODES.into_iter().zip(FIRST_PORT..).map(upstream).collect();
        let config = site().gateway_config(&nodes, GATEWAY_SETTINGS);
        let clock = Arc::clone(&self.clocks[GATEWAY]);
        let gateway = site().gateway(&config, network::connector(), clock);
        let (public, admin) = (Socket::bind(443).await?, Socket::bind(9464).await?);
        gateway
            .run(Listeners::bound(&config, public, admin)?, pending())
            .await;
        Ok(())
    }

    /// Sends each request at its time, then one more when all faults are over.
    async fn client(self, times: Vec<Duration>) -> turmoil::Result {
        let begun = Instant::now();
        let client = Arc::new(self.connect().await);
        let mut asking = tokio::task::JoinSet::new();
        for (index, at) in times.into_iter().enumerate() {
            let (client, prompt) = (Arc::clone(&client), self.prompt(index));
            asking.spawn(async move {
                sleep_until(begun + at).await;
                bounded(&client, &prompt).await
            });
        }
        let ends = asking.join_all().await;
        sleep_until(begun + HEAL + SETTLE).await;
        let last = bounded(&client, "after all").await;
        assert!(matches!(last, End::Whole(_)), "healed, and yet: {last:?}");
        self.ends
            .lock()
            .unwrap()
            .extend(ends.into_iter().chain([last]));
        Ok(())
    }

    /// The gateway appraises its first node in the first seconds; nothing is wrong yet.
    async fn connect(&self) -> Client {
        loop {
            let (clock, observer) = (Arc::clone(&self.clocks[CLIENT]), Arc::new(Deaf));
            match site()
                .client(network::connector_to(GATEWAY, 443), clock, observer)
                .await
            {
                Ok(client) => return client,
                Err(_) => sleep(Duration::from_millis(100)).await,
            }
        }
    }

    fn prompt(&self, index: usize) -> String {
        format!("request {index} of seed {}", self.seed)
    }

    /// Steps through virtual time; an error of `step` is a simulation that does not end.
    fn direct(&self, sim: &mut Sim<'_>, scenario: &Scenario) -> Outcome {
        let mut outcome = Outcome::new();
        let mut acts = scenario.acts.iter().peekable();
        let mut ahead: BTreeMap<&str, i64> = CLOCKS.map(|host| (host, 0)).into();
        loop {
            while let Some((_, act)) = acts.next_if(|(at, _)| *at <= sim.elapsed()) {
                *outcome.entry(act.name().to_owned()).or_default() += 1;
                act.play(sim, &mut ahead);
            }
            for (host, clock) in &self.clocks {
                let elapsed = i64::try_from(sim.elapsed().as_secs()).unwrap();
                clock.set(UnixTime(NOW.0.saturating_add_signed(elapsed + ahead[host])));
            }
            if sim.step().unwrap_or_else(|error| panic!("{error}")) {
                return outcome;
            }
        }
    }

    fn judge(&self, outcome: &mut Outcome) {
        let ledger = self.ledger.lock().unwrap();
        let mut count = |what: &str, n: usize| *outcome.entry(what.to_owned()).or_default() += n;
        for envelope in ledger.envelopes.values() {
            assert!(envelope.answered <= 1, "answered twice: {envelope:?}");
            count("posted twice", usize::from(envelope.posted > 1));
        }
        let answered: usize = ledger
            .envelopes
            .values()
            .map(|envelope| envelope.answered)
            .sum();
        assert!(
            self.tally.total() <= answered,
            "{} runs, {answered} answers",
            self.tally.total()
        );
        let outlived = ledger.after_grace.contains(&true);
        assert!(!outlived, "an envelope outlived its keys");
        count("posted after grace", ledger.after_grace.len());
        for (code, n) in &ledger.refusals {
            count(&format!("refused {code}"), *n);
        }
        for end in self.ends.lock().unwrap().iter() {
            end.judge();
            count(end.name(), 1);
        }
    }
}

/// Panics where a request does not end.
async fn bounded(client: &Client, prompt: &str) -> End {
    let asked = timeout(REQUEST_BOUND, ask(client, prompt));
    asked.await.expect("the request hangs")
}

fn limits(scenario: &Scenario) -> Limits {
    Limits {
        key_window: KEY_WINDOW,
        key_grace: KEY_GRACE,
        replay_capacity: scenario.replay_capacity,
        answer_timeout: Duration::from_secs(20),
        ..Limits::default()
    }
}

impl Act {
    const fn name(&self) -> &'static str {
        match self {
            Self::Crash(_) => "crash",
            Self::Start(_) => "restart",
            Self::Hold(..) => "hold",
            Self::Release(..) => "release",
            Self::Slow(..) => "slow",
            Self::Clock(..) => "clock",
        }
    }

    fn play(self, sim: &mut Sim<'_>, ahead: &mut BTreeMap<&str, i64>) {
        match self {
            Self::Crash(node) => sim.crash(node),
            Self::Start(node) => sim.bounce(node),
            Self::Hold(a, b) => sim.hold(a, b),
            Self::Release(a, b) => sim.release(a, b),
            Self::Slow(a, b, ms) => sim.set_link_latency(a, b, Duration::from_millis(ms)),
            Self::Clock(host, seconds) => {
                if let Some(known) = ahead.get_mut(host) {
                    *known = seconds;
                }
            }
        }
    }
}
