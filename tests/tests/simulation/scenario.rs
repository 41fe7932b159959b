//! What a seed does to a fleet: when requests are sent, nodes die and come back, links are slow or silent, clocks are set.

use super::dice::Dice;
use std::time::Duration;

pub(crate) const NODES: [&str; 2] = ["node-1", "node-2"];
pub(crate) const RELAY: &str = "relay";
pub(crate) const GATEWAY: &str = "gateway";
pub(crate) const CLIENT: &str = "client";
/// Hosts that read a wall clock.
pub(crate) const CLOCKS: [&str; 4] = [NODES[0], NODES[1], GATEWAY, CLIENT];
/// Pairs that talk to each other.
const LINKS: [(&str, &str); 4] = [
    (CLIENT, GATEWAY),
    (GATEWAY, RELAY),
    (RELAY, NODES[0]),
    (RELAY, NODES[1]),
];

/// When faults and requests begin, and when both are over.
pub(crate) const BEGIN: Duration = Duration::from_secs(3);
pub(crate) const HEAL: Duration = Duration::from_secs(25);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Act {
    /// The node is gone, with all it held in memory.
    Crash(&'static str),
    /// It starts again: another identity, other keys.
    Start(&'static str),
    /// Nothing passes between the two, and nothing is lost.
    Hold(&'static str, &'static str),
    /// What was held arrives.
    Release(&'static str, &'static str),
    /// The link's latency, in milliseconds.
    Slow(&'static str, &'static str, u64),
    /// The host's wall clock is set this many seconds ahead of true time.
    Clock(&'static str, i64),
}

pub(crate) struct Scenario {
    /// In the order of their times.
    pub(crate) acts: Vec<(Duration, Act)>,
    /// When each request is sent.
    pub(crate) requests: Vec<Duration>,
    /// Between two tokens.
    pub(crate) pace: Duration,
    /// Envelopes that an epoch can tell from replays.
    pub(crate) replay_capacity: usize,
    pub(crate) max_latency: Duration,
}

impl Scenario {
    pub(crate) fn draw(dice: &mut Dice) -> Self {
        let mut acts = Vec::new();
        for _ in 0..dice.number(1..6) {
            let at = moment(dice);
            acts.extend(draw_act(dice, at));
        }
        acts.extend(heal());
        acts.sort_by_key(|(at, _)| *at);
        let count = dice.number(3..7);
        Self {
            acts,
            requests: (0..count).map(|_| moment(dice)).collect(),
            pace: dice.millis(10..400),
            replay_capacity: *dice.pick(&[2, 3, 1000]),
            max_latency: dice.millis(2..150),
        }
    }
}

fn moment(dice: &mut Dice) -> Duration {
    BEGIN + dice.millis(0..18_000)
}

/// A fault and, later, its end.
fn draw_act(dice: &mut Dice, at: Duration) -> Vec<(Duration, Act)> {
    let end = (at + dice.millis(200..16_000)).min(HEAL);
    let node = *dice.pick(&NODES);
    let (a, b) = *dice.pick(&LINKS);
    match dice.number(0..10) {
        0..3 => vec![(at, Act::Crash(node)), (end, Act::Start(node))],
        3..5 => vec![(at, Act::Start(node))],
        5..7 => vec![(at, Act::Hold(a, b)), (end, Act::Release(a, b))],
        7 => vec![(at, Act::Slow(a, b, dice.number(200..3000)))],
        _ => vec![(at, Act::Clock(dice.pick::<&str>(&CLOCKS), draw_shift(dice)))],
    }
}

/// A little or a lot, forward or back.
fn draw_shift(dice: &mut Dice) -> i64 {
    let seconds = i64::try_from(dice.number(1..4000)).unwrap();
    *dice.pick(&[seconds, -seconds, seconds % 250, -(seconds % 250)])
}

/// Whatever was done is undone; the clocks agree, on a time that none of them has passed yet.
fn heal() -> Vec<(Duration, Act)> {
    let mut acts = Vec::new();
    for (a, b) in LINKS {
        acts.push((HEAL, Act::Release(a, b)));
        acts.push((HEAL, Act::Slow(a, b, 20)));
    }
    acts.extend(CLOCKS.map(|host| (HEAL, Act::Clock(host, 4000))));
    acts
}
