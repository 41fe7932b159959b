//! Epochs by hand-turned clocks: the monotonic one moves in every test, the wall clock is the host's.

use super::*;
use attestation::IdentityKey;
use protocol::{PaddingProfile, ReceiverError, secret::Heap};
use std::sync::atomic::{AtomicUsize, Ordering};

const WALL: UnixTime = UnixTime(1_795_305_600);
const YEAR: u64 = 365 * 24 * 3600;
const MANIFEST: Digest = [2; 32];
const WINDOW: u64 = 1200;
const GRACE: u64 = 60;
const POLICY: StatedPolicy = StatedPolicy {
    version: 5,
    digest: [5; 32],
    expires: UnixTime(WALL.0 + 2 * YEAR),
};

/// Epochs, the two clocks that they see, and the identity that signs their lists.
struct Rig {
    epochs: Epochs,
    identity: IdentitySecret,
    resting: Arc<AtomicUsize>,
    start: Instant,
}

impl Rig {
    fn new() -> Self {
        Self::under(POLICY)
    }

    fn under(policy: StatedPolicy) -> Self {
        let identity = IdentitySecret::generate();
        let terms = terms(identity.public());
        let memory = Counting::default();
        let resting = Arc::clone(&memory.0);
        let start = Instant::now();
        let now = Moment {
            wall: WALL,
            monotonic: start,
        };
        Self {
            epochs: Epochs::start(terms, policy, Arc::new(memory), now),
            identity,
            resting,
            start,
        }
    }

    /// So many seconds after the start, by an honest host.
    fn at(&self, seconds: u64) -> Moment {
        self.with_wall(seconds, WALL.plus(seconds))
    }

    /// So many seconds after the start, while the host says that it is `wall`.
    fn with_wall(&self, seconds: u64, wall: UnixTime) -> Moment {
        Moment {
            wall,
            monotonic: self.start + Duration::from_secs(seconds),
        }
    }

    fn list(&self, now: Moment) -> KeyConfigs {
        let list = self.epochs.signed_list(&self.identity, now);
        let list = list.expect("the runtime is not halted");
        let inside = UnixTime(now.wall.0.min(WALL.0 + YEAR));
        let verified = list.verify(&self.identity.public(), &MANIFEST, inside);
        verified.expect("a list is valid when it is handed out")
    }

    /// Whether an envelope for `epoch` is let in at `now`: its header is accepted.
    fn opens(&self, epoch: u64, now: Moment) -> bool {
        let [key_id, ..] = epoch.to_le_bytes();
        let header = [key_id, 0, 0x20, 0, 1, 0, 1];
        match self.epochs.open(Form::Chunked, now).push(&header) {
            Ok(()) => true,
            Err(ReceiverError::UnknownKey) => false,
            Err(other) => panic!("{other}"),
        }
    }

    /// Epochs whose private keys are in memory.
    fn alive(&self) -> usize {
        self.resting.load(Ordering::SeqCst) / 2
    }
}

fn terms(identity: IdentityKey) -> KeyListTerms {
    KeyListTerms {
        identity: identity.digest(),
        manifest: MANIFEST,
        node: "node-1".to_owned(),
        window: Duration::from_secs(WINDOW),
        grace: Duration::from_secs(GRACE),
        replay_capacity: 8,
        exchange: Terms {
            max_request_bytes: 1024,
            padding: PaddingProfile::Off,
        },
    }
}

/// Counts the secrets that rest in it.
#[derive(Default)]
struct Counting(Arc<AtomicUsize>);

struct Counted(Box<dyn protocol::secret::KeptSecret>, Arc<AtomicUsize>);

impl SecretMemory for Counting {
    fn keep(&self, secret: &[u8]) -> Box<dyn protocol::secret::KeptSecret> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Box::new(Counted(Heap.keep(secret), Arc::clone(&self.0)))
    }
}

impl protocol::secret::KeptSecret for Counted {
    fn expose(&self) -> &[u8] {
        self.0.expose()
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.1.fetch_sub(1, Ordering::SeqCst);
    }
}

/// R9.5
#[test]
fn a_list_is_valid_for_its_window_and_backdated() {
    let rig = Rig::new();
    let list = rig.list(rig.at(0));
    assert_eq!(list.epoch, WALL.0);
    assert_eq!(list.not_before, UnixTime(WALL.0 - BACKDATED_SECONDS));
    assert_eq!(list.expires, WALL.plus(WINDOW));
}

/// R9.5
#[test]
fn at_half_of_the_window_lists_carry_the_next_epoch() {
    let rig = Rig::new();
    let first = rig.list(rig.at(0));
    assert_eq!(rig.list(rig.at(WINDOW / 2 - 1)), first, "signed once");
    let second = rig.list(rig.at(WINDOW / 2));
    assert_eq!(second.epoch, first.epoch + 1);
    assert_eq!(second.expires, WALL.plus(WINDOW / 2 + WINDOW));
    assert_ne!(second.configs, first.configs, "fresh keys");
}

/// R9.5
#[test]
fn every_list_has_half_of_its_window_left() {
    let rig = Rig::new();
    for seconds in 0..3 * WINDOW {
        let now = rig.at(seconds);
        let left = rig.list(now).expires.0 - now.wall.0;
        assert!((WINDOW / 2 + 1..=WINDOW).contains(&left), "{seconds}");
    }
}

/// R9.6
#[test]
fn an_epoch_opens_envelopes_until_its_list_and_the_grace_are_over() {
    let rig = Rig::new();
    let first = WALL.0;
    let end = WINDOW + GRACE;
    for seconds in [0, WINDOW / 2, WINDOW - 1, WINDOW, end - 1] {
        assert!(rig.opens(first, rig.at(seconds)), "{seconds}");
    }
    assert!(!rig.opens(first, rig.at(end)));
    assert!(rig.opens(first + 1, rig.at(end)));
}

/// R9.6
#[test]
fn keys_are_wiped_with_their_epoch_though_nobody_asks() {
    let rig = Rig::new();
    assert_eq!(rig.alive(), 1);
    let next = rig.epochs.turn(rig.at(1));
    assert_eq!(next, rig.start + Duration::from_secs(WINDOW / 2));
    let mut most = 0;
    let mut now = next;
    for _ in 0..20 {
        now = rig.epochs.turn(Moment {
            wall: WALL,
            monotonic: now,
        });
        most = most.max(rig.alive());
    }
    assert_eq!(most, 3, "current, overlapping, in its grace");
    let long_after = rig.at(100 * WINDOW);
    rig.epochs.turn(long_after);
    let end = rig.at(102 * WINDOW);
    rig.epochs.turn(end);
    assert_eq!(rig.alive(), 2 - 1);
}

/// R9.6: the host turns the wall clock a year on and back again.
#[test]
fn the_wall_clock_neither_prolongs_nor_revives_a_key() {
    let rig = Rig::new();
    let (first, ahead) = (WALL.0, WALL.plus(YEAR));
    rig.epochs.turn(rig.with_wall(10, ahead));
    assert!(rig.opens(first, rig.with_wall(11, ahead)), "nor ends it");
    for seconds in (20..WINDOW + GRACE).step_by(50) {
        let wall = [WALL, ahead][usize::from(seconds % 100 == 0)];
        rig.epochs.turn(rig.with_wall(seconds, wall));
    }
    for wall in [UnixTime(0), WALL, ahead] {
        let now = rig.with_wall(WINDOW + GRACE, wall);
        assert!(!rig.opens(first, now), "{wall:?}");
    }
    assert!(rig.alive() <= 2);
}

/// A list that a turned clock dates wrongly is no longer valid than any other.
#[test]
fn no_list_is_longer_than_its_window_wherever_the_wall_clock_stands() {
    let rig = Rig::new();
    let hands = [WALL.0, WALL.0 + YEAR, WALL.0 + 5, 0];
    for (turn, wall) in (0_u64..).zip(hands) {
        let now = rig.with_wall(turn * WINDOW, UnixTime(wall));
        let list = rig.epochs.configs(&current(&rig, now), POLICY);
        let length = list.expires.0 - list.not_before.0;
        assert!(length <= WINDOW + BACKDATED_SECONDS, "{wall}");
    }
}

fn current(rig: &Rig, now: Moment) -> Current {
    rig.epochs.turn(now);
    let ages = rig.epochs.lock();
    Current {
        number: ages.number,
        ohttp_keys: Vec::new(),
        began: ages.current.as_ref().expect("not halted").began,
        list: None,
    }
}

/// R9.7
#[test]
fn no_list_outlives_the_policy() {
    let rig = Rig::under(StatedPolicy {
        expires: WALL.plus(700),
        ..POLICY
    });
    for seconds in [0, 699] {
        assert_eq!(rig.list(rig.at(seconds)).expires, WALL.plus(700));
    }
}

/// R6.9
#[test]
fn an_epoch_whose_replay_set_is_full_ends_at_once() {
    let rig = Rig::new();
    let first = WALL.0;
    rig.epochs.end_full(first, rig.at(5));
    assert!(!rig.opens(first, rig.at(5)));
    assert_eq!(rig.list(rig.at(5)).epoch, first + 1);
    assert_eq!(rig.alive(), 1);
    rig.epochs.end_full(first, rig.at(6));
    assert_eq!(
        rig.list(rig.at(6)).epoch,
        first + 1,
        "told twice, ended once"
    );
}

/// R6.9
#[test]
fn an_older_epoch_that_is_full_ends_alone() {
    let rig = Rig::new();
    let first = WALL.0;
    rig.epochs.turn(rig.at(WINDOW / 2));
    rig.epochs.end_full(first, rig.at(WINDOW / 2 + 1));
    assert!(!rig.opens(first, rig.at(WINDOW / 2 + 1)));
    assert_eq!(rig.list(rig.at(WINDOW / 2 + 1)).epoch, first + 1);
    assert_eq!(rig.alive(), 1);
}

#[test]
fn an_epoch_that_began_late_lives_as_long_as_any() {
    let rig = Rig::new();
    let late = 10 * WINDOW;
    let list = rig.list(rig.at(late));
    assert_eq!(
        list.epoch,
        WALL.0 + 1,
        "no epoch is made for time that has passed"
    );
    assert_eq!(list.expires, WALL.plus(late + WINDOW));
    assert!(rig.opens(list.epoch, rig.at(late + WINDOW + GRACE - 1)));
    assert!(!rig.opens(list.epoch, rig.at(late + WINDOW + GRACE)));
}

/// R9.8
#[test]
fn another_policy_gives_another_list_of_the_same_keys() {
    let rig = Rig::new();
    let first = rig.list(rig.at(5));
    rig.epochs.state(POLICY);
    assert_eq!(rig.list(rig.at(6)), first, "nothing has changed");
    let (version, digest) = (6, [6; 32]);
    rig.epochs.state(StatedPolicy {
        version,
        digest,
        ..POLICY
    });
    let second = rig.list(rig.at(6));
    assert_eq!((second.policy_version, second.policy_digest), (6, [6; 32]));
    assert_eq!(
        (second.epoch, second.configs),
        (first.epoch, first.configs),
        "the keys stay"
    );
}

/// R9.9
#[test]
fn a_halt_wipes_all_keys_at_once_and_none_begins() {
    let rig = Rig::new();
    rig.epochs.turn(rig.at(WINDOW / 2));
    assert_eq!(rig.alive(), 2);
    rig.epochs.halt();
    assert_eq!(rig.alive(), 0);
    for seconds in [WINDOW / 2 + 1, 10 * WINDOW] {
        let now = rig.at(seconds);
        let next = rig.epochs.turn(now);
        assert!(next > now.monotonic, "nothing is due");
        rig.epochs.end_full(WALL.0 + 1, now);
        assert_eq!(rig.alive(), 0);
        assert!(rig.epochs.signed_list(&rig.identity, now).is_none());
        assert!(!rig.opens(WALL.0, now) && !rig.opens(WALL.0 + 1, now));
    }
}

/// R9.9
#[test]
fn after_a_halt_an_epoch_with_fresh_keys_begins() {
    let rig = Rig::new();
    let first = rig.list(rig.at(1));
    rig.epochs.resume(rig.at(1));
    assert_eq!(rig.list(rig.at(1)), first, "it was not halted");
    rig.epochs.halt();
    rig.epochs.halt();
    rig.epochs.resume(rig.at(9));
    let second = rig.list(rig.at(9));
    assert_eq!(second.epoch, first.epoch + 1);
    assert_ne!(second.configs, first.configs);
    assert!(
        !rig.opens(first.epoch, rig.at(9)),
        "what was wiped stays so"
    );
    assert_eq!(rig.alive(), 1);
}
