//! Who has a place and whose turn it is, with a small encoder in the model's place.

use std::sync::{
    Mutex,
    mpsc::{Receiver, Sender, channel},
};

use super::*;

const ONE: TenantId = TenantId([1; 32]);
const OTHER: TenantId = TenantId([2; 32]);
/// A text that makes the encoder panic.
const PANIC: u32 = 99;
/// A text of which the encoder makes no numbers.
const NAN: u32 = 98;

/// Gives each text its first token. It waits at its gate before each turn, if that is not yet dropped.
struct Echo {
    gate: Receiver<()>,
    turns: Arc<Mutex<Vec<Vec<u32>>>>,
}

impl Embed for Echo {
    fn embed(&mut self, texts: &[&[u32]]) -> Result<Vec<Vec<f32>>, EncoderError> {
        let _ = self.gate.recv();
        let firsts: Vec<u32> = texts.iter().map(|text| text[0]).collect();
        assert!(!firsts.contains(&PANIC), "as asked");
        self.turns.lock().unwrap().push(firsts.clone());
        let vector = |first: &u32| match *first {
            NAN => vec![f32::NAN],
            first => vec![first as f32],
        };
        Ok(firsts.iter().map(vector).collect())
    }
}

struct Started {
    batches: Batches,
    gate: Sender<()>,
    turns: Arc<Mutex<Vec<Vec<u32>>>>,
}

fn start(places: usize, most_per_tenant: usize) -> Started {
    let (gate, waits) = channel();
    let turns = Arc::default();
    let echo = Echo {
        gate: waits,
        turns: Arc::clone(&turns),
    };
    let batches = Batches::start(echo, places, most_per_tenant).unwrap();
    Started {
        batches,
        gate,
        turns,
    }
}

impl Started {
    fn submit(
        &self,
        tenant: TenantId,
        texts: &[u32],
    ) -> Result<oneshot::Receiver<Embeddings>, EngineError> {
        let texts = texts.iter().map(|first| Zeroizing::new(vec![*first, 0]));
        let place = self.batches.place(tenant)?;
        self.batches.submit(texts.collect(), tenant, place)
    }

    /// Opens the gate and gives what was made.
    fn all(&mut self, replies: Vec<oneshot::Receiver<Embeddings>>) -> Vec<Embeddings> {
        self.gate = channel().0;
        let made = replies.into_iter().map(|reply| reply.blocking_recv());
        made.map(Result::unwrap).collect()
    }
}

#[test]
fn no_tenant_takes_all_places() {
    let mut started = start(4, 2);
    let mut held: Vec<_> = (0..2).map(|i| started.submit(ONE, &[i]).unwrap()).collect();
    assert_eq!(started.submit(ONE, &[3]).err(), Some(EngineError::Busy));
    held.extend((4..6).map(|i| started.submit(OTHER, &[i]).unwrap()));
    let third = started.submit(TenantId([3; 32]), &[7]);
    assert_eq!(third.err(), Some(EngineError::Busy), "no place is left");
    let made = started.all(held);
    assert_eq!(made[3].vectors, [[5.0]]);
    assert_eq!(started.batches.capacity(), 4);
    assert!(started.submit(ONE, &[1]).is_ok());
}

#[test]
fn tenants_take_turns_however_many_batches_they_have() {
    let mut started = start(9, 9);
    let first = started.submit(ONE, &[0]).unwrap();
    let many: Vec<u32> = (100..100 + 3 * TEXTS_PER_TURN as u32).collect();
    let mut replies = vec![first];
    for _ in 0..3 {
        replies.push(started.submit(ONE, &many).unwrap());
    }
    replies.push(started.submit(OTHER, &[5]).unwrap());
    let made = started.all(replies);
    let expected: Vec<[f32; 1]> = many.iter().map(|first| [*first as f32]).collect();
    assert_eq!(made[1].vectors, expected);
    assert_eq!(made[1].prompt_tokens as usize, 2 * many.len());
    let turns = started.turns.lock().unwrap();
    let place = turns.iter().position(|turn| turn == &[5]).unwrap();
    assert!(place <= 2, "the other tenant has turn {place}");
    assert!(turns.iter().all(|turn| turn.len() <= TEXTS_PER_TURN));
}

#[test]
fn batches_of_one_tenant_take_turns_too() {
    let mut started = start(9, 9);
    let long: Vec<u32> = vec![7; 3 * TEXTS_PER_TURN];
    let replies = [&long[..], &[8]].map(|texts| started.submit(ONE, texts).unwrap());
    started.all(replies.into());
    let turns = started.turns.lock().unwrap();
    assert!(turns[..2].contains(&vec![8]), "a long batch comes first");
}

#[test]
fn who_goes_away_has_no_turn() {
    let started = start(3, 3);
    let first = started.submit(ONE, &[1; 2 * TEXTS_PER_TURN]).unwrap();
    drop(started.submit(OTHER, &[2]).unwrap());
    started.gate.send(()).unwrap();
    started.gate.send(()).unwrap();
    first.blocking_recv().unwrap();
    drop(started.gate);
    drop(started.batches);
    let turns = started.turns.lock().unwrap();
    assert!(!turns.contains(&vec![2]), "nobody waits for it");
}

#[test]
fn what_is_no_vector_closes_the_channel() {
    let mut started = start(3, 3);
    let [faulty, sound] = [NAN, 1].map(|text| started.submit(ONE, &[text]).unwrap());
    started.gate = channel().0;
    assert!(faulty.blocking_recv().is_err());
    assert!(sound.blocking_recv().is_ok(), "the engine goes on");
}

#[test]
fn a_panic_closes_all_channels_and_takes_no_more() {
    let mut started = start(3, 3);
    let fatal = started.submit(ONE, &[PANIC]).unwrap();
    started.gate = channel().0;
    assert!(fatal.blocking_recv().is_err());
    while started.batches.capacity() > 0 {
        thread::yield_now();
    }
    assert_eq!(started.submit(ONE, &[1]).err(), Some(EngineError::Stopped));
}
