//! A platform that answers when it is told to: who waits meanwhile shares the next quote (R1.2, R9.3).

use super::*;
use crate::{
    Clock,
    node::tests::{NOW, engine, parts},
};
use attestation::{Binding, CpuEvidence, EvidenceProvider, Verifier, snp::Product};
use std::sync::{LazyLock, mpsc};
use tee_sim::{Machine, Vendor};
use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    task::{JoinHandle, yield_now},
};

/// Inventing a vendor takes a while: once.
static VENDOR: LazyLock<Vendor> = LazyLock::new(|| Vendor::invent(Product::Genoa));

/// What the platform is told to do.
enum Word {
    Quote,
    Fail,
    Panic,
}

/// Tells that it was asked, then waits for the word.
struct Platform {
    machine: Machine,
    asked: UnboundedSender<()>,
    words: Mutex<mpsc::Receiver<Word>>,
}

impl EvidenceProvider for Platform {
    fn evidence(&self, binding: &Binding) -> Result<CpuEvidence, EvidenceError> {
        let absent = || EvidenceError::Unavailable("the platform is silent".to_owned());
        self.asked.send(()).map_err(|_| absent())?;
        let word = self.words.lock().unwrap().recv();
        match word {
            Ok(Word::Quote) => self.machine.evidence(binding),
            Ok(Word::Fail) | Err(_) => Err(absent()),
            Ok(Word::Panic) => panic!("the platform's driver panicked"),
        }
    }
}

struct Bench {
    node: Arc<Node>,
    verifier: Verifier,
    asked: UnboundedReceiver<()>,
    words: mpsc::Sender<Word>,
}

type Asked = JoinHandle<Result<Vec<u8>, Problem>>;

impl Bench {
    fn new(capacity: usize) -> Self {
        let machine = Machine::new(&VENDOR);
        let verifier = machine.verifier();
        let ((asked, was_asked), (words, heard)) = (unbounded_channel(), mpsc::channel());
        let platform = Platform {
            machine,
            asked,
            words: Mutex::new(heard),
        };
        let mut parts = parts();
        parts.limits.max_challenges = capacity;
        let clock = Clock::from_source(|| NOW);
        // The first quote is the runtime's own, at its start.
        words.send(Word::Quote).unwrap();
        let node = Node::new(parts, engine(), Arc::new(platform), clock).unwrap();
        let mut bench = Self {
            node: Arc::new(node),
            verifier,
            asked: was_asked,
            words,
        };
        assert_eq!(bench.times_asked(), 1);
        bench
    }

    /// Sends a challenge that finds the platform idle, and returns once the platform is at work on it.
    async fn first(&mut self, byte: u8) -> Asked {
        let asked = self.ask(byte);
        self.asked.recv().await.unwrap();
        asked
    }

    /// Sends a challenge while the platform is at work, and returns once `waiting` wait.
    async fn next(&self, byte: u8, waiting: usize) -> Asked {
        let asked = self.ask(byte);
        while self.node.challenges.lock().waiting.len() != waiting {
            yield_now().await;
        }
        asked
    }

    fn ask(&self, byte: u8) -> Asked {
        tokio::spawn(answer(Arc::clone(&self.node), nonce(byte)))
    }

    fn say(&self, word: Word) {
        self.words.send(word).unwrap();
    }

    /// How often the platform was asked since the last time.
    fn times_asked(&mut self) -> usize {
        let mut times = 0;
        while self.asked.try_recv().is_ok() {
            times += 1;
        }
        times
    }

    fn verify(&self, bundle: &[u8], nonce: &Nonce) -> Result<(), &'static str> {
        let bundle = EvidenceBundle::from_cbor(bundle).unwrap();
        let verified = self.verifier.verify(&bundle, Some(nonce), NOW);
        let verified = verified.map_err(|error| error.code())?;
        let id = &verified.claims().binding_id;
        assert!(self.node.issued.honours(id, NOW, 1));
        Ok(())
    }
}

const fn nonce(byte: u8) -> Nonce {
    Nonce([byte; 32])
}

fn path(bundle: &[u8]) -> NoncePath {
    let bundle = EvidenceBundle::from_cbor(bundle).unwrap();
    bundle.nonce_path.unwrap()
}

#[tokio::test]
async fn one_quote_answers_all_who_waited_each_for_itself() {
    let mut bench = Bench::new(8);
    let first = bench.first(0).await;
    let mut waiting = Vec::new();
    for byte in 1..=7 {
        waiting.push(bench.next(byte, usize::from(byte)).await);
    }
    bench.say(Word::Quote);
    bench.say(Word::Quote);
    let alone = first.await.unwrap().unwrap();
    assert_eq!(bench.verify(&alone, &nonce(0)), Ok(()));
    assert_eq!((path(&alone).size, path(&alone).index), (1, 0));
    for (byte, asked) in (1..).zip(waiting) {
        let bundle = asked.await.unwrap().unwrap();
        let place = path(&bundle);
        assert_eq!((place.size, place.index), (7, u64::from(byte) - 1));
        for other in 0..=7 {
            let expected = match other == byte {
                true => Ok(()),
                false => Err("freshness.nonce"),
            };
            assert_eq!(bench.verify(&bundle, &nonce(other)), expected);
        }
    }
    assert_eq!(bench.times_asked(), 1, "one quote for the seven");
}

#[tokio::test]
async fn the_platform_rests_when_nobody_waits() {
    let mut bench = Bench::new(8);
    for byte in 0..3 {
        let asked = bench.first(byte).await;
        bench.say(Word::Quote);
        let bundle = asked.await.unwrap().unwrap();
        assert_eq!(bench.verify(&bundle, &nonce(byte)), Ok(()));
        assert_eq!(bench.times_asked(), 0);
    }
}

#[tokio::test]
async fn the_same_nonce_twice_is_answered_twice() {
    let mut bench = Bench::new(8);
    let first = bench.first(0).await;
    let same = [bench.next(9, 1).await, bench.next(9, 2).await];
    bench.say(Word::Quote);
    bench.say(Word::Quote);
    assert!(first.await.unwrap().is_ok());
    for asked in same {
        let bundle = asked.await.unwrap().unwrap();
        assert_eq!(bench.verify(&bundle, &nonce(9)), Ok(()));
    }
}

#[tokio::test]
async fn a_failure_reaches_all_who_waited_and_nobody_after_them() {
    let mut bench = Bench::new(8);
    for fault in [Word::Fail, Word::Panic] {
        let first = bench.first(0).await;
        let failed = [bench.next(1, 1).await, bench.next(2, 2).await];
        bench.say(Word::Quote);
        bench.asked.recv().await.unwrap();
        let after = bench.next(3, 1).await;
        bench.say(fault);
        bench.say(Word::Quote);
        assert!(first.await.unwrap().is_ok());
        for asked in failed {
            assert_eq!(asked.await.unwrap(), Err(Problem::Evidence));
        }
        let bundle = after.await.unwrap().unwrap();
        assert_eq!(bench.verify(&bundle, &nonce(3)), Ok(()));
        assert_eq!(bench.times_asked(), 1);
    }
}

#[tokio::test]
async fn who_leaves_is_no_leaf_and_breaks_nothing() {
    let mut bench = Bench::new(8);
    let first = bench.first(0).await;
    let leaves = bench.next(1, 1).await;
    let stays = bench.next(2, 2).await;
    leaves.abort();
    assert!(leaves.await.unwrap_err().is_cancelled());
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    bench.say(Word::Quote);
    bench.say(Word::Quote);
    let bundle = stays.await.unwrap().unwrap();
    assert_eq!(bench.verify(&bundle, &nonce(2)), Ok(()));
    assert_eq!(path(&bundle).size, 1);
}

#[tokio::test]
async fn one_more_than_may_wait_is_told_so_until_somebody_leaves() {
    let mut bench = Bench::new(2);
    let _first = bench.first(0).await;
    let leaves = bench.next(1, 1).await;
    let stays = bench.next(2, 2).await;
    assert_eq!(bench.ask(3).await.unwrap(), Err(Problem::Busy));
    leaves.abort();
    assert!(leaves.await.unwrap_err().is_cancelled());
    let comes = bench.next(4, 2).await;
    bench.say(Word::Quote);
    bench.say(Word::Quote);
    for (byte, asked) in [(2, stays), (4, comes)] {
        let bundle = asked.await.unwrap().unwrap();
        assert_eq!(bench.verify(&bundle, &nonce(byte)), Ok(()));
        assert_eq!(path(&bundle).size, 2);
    }
}
