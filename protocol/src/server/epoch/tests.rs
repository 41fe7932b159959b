//! Several epochs open at once, and envelopes under way while one of them ends.

use super::*;
use crate::{
    Receiver, RequestOpener,
    secret::KeptSecret,
    test_exchange::{Node, X25519_CONFIG_AT},
};
use proptest::prelude::*;
use std::sync::atomic::{AtomicUsize, Ordering};

const FIRST: u64 = 0x107;
/// Bytes of header and encapsulation of an envelope for X25519.
const PREAMBLE: usize = HEADER_LEN + 32;

/// Installs epoch `number` beside what is open; the node's list carries it from now on.
fn begin(node: &mut Node, number: u64) {
    begin_in(node, number, &Heap);
}

fn begin_in(node: &mut Node, number: u64, memory: &dyn SecretMemory) {
    let epoch = KeyEpoch::generate_in(memory, number, 100);
    node.configs.epoch = number;
    node.configs.configs = epoch.ohttp_keys().split_off(X25519_CONFIG_AT);
    node.receiver.install(epoch);
}

/// An opener that was given `bytes`.
fn given(receiver: &Receiver, bytes: &[u8]) -> Result<RequestOpener, ReceiverError> {
    let mut opener = receiver.open();
    opener.push(bytes).map(|()| opener)
}

/// The epoch of the request in `envelope`.
fn open(receiver: &Receiver, envelope: &[u8]) -> Result<u64, ReceiverError> {
    let opened = given(receiver, envelope)?.finish();
    opened.map(|(_, responder)| responder.epoch())
}

#[test]
fn each_epoch_that_is_open_opens_its_own_envelopes() {
    let mut node = Node::with_x25519_only();
    let old = node.seal().0;
    begin(&mut node, FIRST + 1);
    let new = node.seal().0;
    assert_eq!(open(&node.receiver, &new), Ok(FIRST + 1));
    assert_eq!(open(&node.receiver, &old), Ok(FIRST));
}

/// R6.8: what was accepted stays known while its epoch is open, whichever epoch is current.
#[test]
fn a_duplicate_across_a_rotation_is_refused() {
    let mut node = Node::with_x25519_only();
    let envelope = node.seal().0;
    assert_eq!(open(&node.receiver, &envelope), Ok(FIRST));
    begin(&mut node, FIRST + 1);
    let again = open(&node.receiver, &envelope);
    assert_eq!(again, Err(ReceiverError::Replayed));
}

/// R9.6: the key problem of RFC 9458 section 5.3, whether it was accepted before or not.
#[test]
fn envelopes_of_an_epoch_that_is_gone_get_the_key_problem() {
    let mut node = Node::with_x25519_only();
    let (accepted, fresh) = (node.seal().0, node.seal().0);
    assert_eq!(open(&node.receiver, &accepted), Ok(FIRST));
    begin(&mut node, FIRST + 1);
    node.receiver.retire(FIRST);
    for envelope in [accepted, fresh] {
        let error = open(&node.receiver, &envelope).unwrap_err();
        assert_eq!(error, ReceiverError::UnknownKey);
        assert!(error.problem_type().is_some());
    }
    assert!(open(&node.receiver, &node.seal().0).is_ok());
}

#[test]
fn an_encapsulation_that_comes_in_while_its_epoch_ends_gets_the_key_problem() {
    for cut in [0, HEADER_LEN, PREAMBLE - 1] {
        let node = Node::with_x25519_only();
        let envelope = node.seal().0;
        let mut opener = given(&node.receiver, &envelope[..cut]).unwrap();
        node.receiver.retire(FIRST);
        assert_eq!(
            opener.push(&envelope[cut..]),
            Err(ReceiverError::UnknownKey)
        );
    }
}

#[test]
fn of_duplicates_under_way_while_their_epoch_ends_one_finishes() {
    let node = Node::with_x25519_only();
    let envelope = node.seal().0;
    let (begun, rest) = envelope.split_at(PREAMBLE);
    let openers = [(); 3].map(|()| given(&node.receiver, begun).unwrap());
    node.receiver.retire(FIRST);
    let finished = openers.map(|mut opener| {
        opener.push(rest).unwrap();
        opener.finish().map(|(_, responder)| responder.epoch())
    });
    let replayed = Err(ReceiverError::Replayed);
    assert_eq!(finished, [Ok(FIRST), replayed, replayed]);
}

#[test]
fn an_epoch_makes_room_for_the_next_of_its_key_id() {
    let mut node = Node::with_x25519_only();
    let old = node.seal().0;
    begin(&mut node, FIRST + 256);
    let error = open(&node.receiver, &old).unwrap_err();
    assert_eq!(error, ReceiverError::Authentication);
    assert_eq!(open(&node.receiver, &node.seal().0), Ok(FIRST + 256));
}

/// Counts the secrets that rest in it.
#[derive(Clone, Default)]
struct Counting(Arc<AtomicUsize>);

struct Counted(Box<dyn KeptSecret>, Arc<AtomicUsize>);

impl SecretMemory for Counting {
    fn keep(&self, secret: &[u8]) -> Box<dyn KeptSecret> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Box::new(Counted(Heap.keep(secret), Arc::clone(&self.0)))
    }
}

impl KeptSecret for Counted {
    fn expose(&self) -> &[u8] {
        self.0.expose()
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.1.fetch_sub(1, Ordering::SeqCst);
    }
}

/// R9.6: no envelope under way keeps the private keys of an epoch that has ended.
#[test]
fn the_end_of_an_epoch_wipes_its_keys_at_once() {
    let memory = Counting::default();
    let mut node = Node::with_x25519_only();
    begin_in(&mut node, FIRST + 1, &memory);
    let envelope = node.seal().0;
    let cuts = [1, HEADER_LEN, PREAMBLE - 1, PREAMBLE, envelope.len()];
    let under_way = cuts.map(|cut| given(&node.receiver, &envelope[..cut]).unwrap());
    assert_eq!(memory.0.load(Ordering::SeqCst), 2, "one for each KEM");
    node.receiver.retire(FIRST + 1);
    assert_eq!(memory.0.load(Ordering::SeqCst), 0);
    let finished = under_way.map(|opener| opener.finish().is_ok());
    assert_eq!(finished, [false, false, false, false, true]);
}

/// What happens next to envelopes and epochs.
#[derive(Clone, Copy, Debug)]
enum Happening {
    /// Another copy of an envelope begins to arrive.
    Arrives(prop::sample::Index),
    /// So many bytes more of one that is under way.
    GoesOn(prop::sample::Index, usize),
    /// One that is under way ends, whole or not.
    Ends(prop::sample::Index),
    /// The next epoch begins.
    Begins,
    /// The oldest epoch that is open ends.
    Retires,
}

fn happening() -> impl Strategy<Value = Happening> {
    use Happening::{Arrives, Begins, Ends, GoesOn, Retires};
    let index = any::<prop::sample::Index>;
    prop_oneof![
        4 => index().prop_map(Arrives),
        8 => (index(), 1..400_usize).prop_map(|(which, bytes)| GoesOn(which, bytes)),
        3 => index().prop_map(Ends),
        1 => Just(Begins),
        1 => Just(Retires),
    ]
}

/// One copy of an envelope under way.
struct UnderWay {
    envelope: usize,
    arrived: usize,
    opener: RequestOpener,
}

/// A node, every envelope ever sealed to it, and how often each was accepted.
struct World {
    node: Node,
    open: std::ops::Range<u64>,
    envelopes: Vec<(u64, Vec<u8>)>,
    accepted: Vec<usize>,
    under_way: Vec<UnderWay>,
}

impl World {
    fn new() -> Self {
        let node = Node::with_x25519_only();
        let mut world = Self {
            node,
            open: FIRST..FIRST + 1,
            envelopes: Vec::new(),
            accepted: Vec::new(),
            under_way: Vec::new(),
        };
        world.seal_some();
        world
    }

    fn seal_some(&mut self) {
        for _ in 0..2 {
            let sealed = (self.open.end - 1, self.node.seal().0);
            self.envelopes.push(sealed);
            self.accepted.push(0);
        }
    }

    fn happens(&mut self, what: Happening) {
        match what {
            Happening::Arrives(which) => self.under_way.push(UnderWay {
                envelope: which.index(self.envelopes.len()),
                arrived: 0,
                opener: self.node.receiver.open(),
            }),
            Happening::GoesOn(which, bytes) if !self.under_way.is_empty() => {
                let at = which.index(self.under_way.len());
                self.goes_on(at, bytes);
            }
            Happening::Ends(which) if !self.under_way.is_empty() => {
                let ended = self
                    .under_way
                    .swap_remove(which.index(self.under_way.len()));
                self.ends(ended);
            }
            Happening::Begins => {
                let number = self.open.end;
                begin(&mut self.node, number);
                self.open.end += 1;
                self.seal_some();
            }
            Happening::Retires if self.open.start + 1 < self.open.end => {
                self.node.receiver.retire(self.open.start);
                self.open.start += 1;
            }
            _ => {}
        }
    }

    fn goes_on(&mut self, at: usize, bytes: usize) {
        let one = &mut self.under_way[at];
        let (epoch, whole) = &self.envelopes[one.envelope];
        let end = whole.len().min(one.arrived + bytes);
        let had_preamble = one.arrived >= PREAMBLE;
        let result = one.opener.push(&whole[one.arrived..end]);
        one.arrived = end;
        if !had_preamble && end >= PREAMBLE && !self.open.contains(epoch) {
            assert_eq!(result, Err(ReceiverError::UnknownKey));
        }
    }

    fn ends(&mut self, ended: UnderWay) {
        let (epoch, whole) = &self.envelopes[ended.envelope];
        let is_whole = ended.arrived == whole.len();
        if let Ok((_, responder)) = ended.opener.finish() {
            assert!(is_whole);
            assert_eq!(responder.epoch(), *epoch);
            self.accepted[ended.envelope] += 1;
        }
    }

    /// Everything that is under way arrives and ends.
    fn comes_to_rest(&mut self) {
        while let Some(at) = self.under_way.len().checked_sub(1) {
            self.goes_on(at, usize::MAX / 2);
            let ended = self.under_way.swap_remove(at);
            self.ends(ended);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// R6.8, R9.6: whatever arrives, in whatever pieces and order, while epochs come and go.
    #[test]
    fn no_envelope_is_ever_accepted_twice(happenings in prop::collection::vec(happening(), 1..120)) {
        let mut world = World::new();
        for what in happenings {
            world.happens(what);
        }
        world.comes_to_rest();
        prop_assert!(world.accepted.iter().all(|times| *times <= 1), "{:?}", world.accepted);
        let last = world.envelopes.len() - 1;
        let again = open(&world.node.receiver, &world.envelopes[last].1);
        prop_assert_eq!(again.is_ok(), world.accepted[last] == 0, "the walk can accept");
    }
}
