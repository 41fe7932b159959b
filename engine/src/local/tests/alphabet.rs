//! A decoder that says the alphabet: after `a` comes `b`, after `z` the end.

use std::{
    slice::ChunksExact,
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, Sender, channel},
    },
};

use kernels::attention::page_len;

use crate::{
    decoder::{DecoderError, KvPool, PAGE_TOKENS, Pages, Part, Shape},
    local::forward::Forward,
    tokenizer::{Tokenizer, TokenizerSource},
};

/// The token after `z`.
pub(super) const END: u32 = 26;
/// Prompts that end with these make the decoder fail.
pub(super) const ERROR: u32 = 27;
pub(super) const NAN: u32 = 28;
pub(super) const PANIC: u32 = 29;
/// Its own successor.
pub(super) const LOOP: u32 = 30;
pub(super) const VOCABULARY: usize = 31;

const LETTERS: [&str; 26] = [
    "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q", "r", "s",
    "t", "u", "v", "w", "x", "y", "z",
];

pub(super) fn tokenizer() -> Tokenizer {
    let control = ["<end>", "<error>", "<nan>", "<panic>", "<loop>"];
    let source = TokenizerSource {
        model: "gpt2",
        pre_tokenizer: "smollm",
        tokens: LETTERS.into_iter().chain(control).collect(),
        kinds: [vec![1; 26], vec![3; 5]].concat(),
        eos: Some(END),
        ..TokenizerSource::default()
    };
    Tokenizer::new(&source).unwrap()
}

/// The decoder. It waits at its gate before each step, if it has one that is not yet dropped. Of a sequence it knows what is in its
/// pages, nothing else.
pub(super) struct Alphabet {
    pool: KvPool,
    follow: fn(&[u32]) -> u32,
    logits: Vec<f32>,
    gate: Option<Receiver<()>>,
    /// What an error makes of it, for good.
    failing: Option<&'static str>,
    failure: Option<&'static str>,
    seen: Arc<Mutex<Seen>>,
}

/// What was seen of a decoder.
#[derive(Default)]
pub(super) struct Seen {
    /// The tokens of every part of every step.
    pub(super) parts: Vec<Vec<u32>>,
    pub(super) steps: usize,
    /// Most pages that were held during a step.
    pub(super) most_held: usize,
    /// Pages held at the end.
    pub(super) held: usize,
    /// Whether at the end a page that nobody held was not blank.
    pub(super) unwiped: bool,
    pub(super) ended: bool,
}

/// More steps than any test takes: whoever takes so many does not get on.
const MOST_STEPS: usize = 200_000;

const SHAPE: Shape = Shape {
    layers: 1,
    kv_heads: 1,
    head_width: 1,
};

impl Alphabet {
    /// Says the alphabet.
    pub(super) fn free() -> Self {
        Self::with_pages(2 * 300_usize.div_ceil(PAGE_TOKENS))
    }

    pub(super) fn with_pages(pages: usize) -> Self {
        Self {
            pool: KvPool::of_shape(SHAPE, pages),
            follow: successor,
            logits: Vec::new(),
            gate: None,
            failing: None,
            failure: None,
            seen: Arc::default(),
        }
    }

    /// Says what [`mixture`] gives.
    pub(super) fn mixing(pages: usize) -> Self {
        let mut mixing = Self::with_pages(pages);
        mixing.follow = mixture;
        mixing
    }

    /// The first error is the last step: it fails with `code`.
    pub(super) fn failing(mut self, code: &'static str) -> Self {
        self.failing = Some(code);
        self
    }

    /// One message through the gate is one step; dropping it opens it for good.
    pub(super) fn gated(mut self) -> (Sender<()>, Self) {
        let (sender, gate) = channel();
        self.gate = Some(gate);
        (sender, self)
    }

    pub(super) fn seen(&self) -> Arc<Mutex<Seen>> {
        Arc::clone(&self.seen)
    }

    /// Writes a part's tokens to its pages; gives all tokens that its pages hold.
    fn take(&mut self, part: &mut Part<'_>) -> Vec<u32> {
        let cell = |position: usize| {
            let page = part.table.pages()[position / PAGE_TOKENS] as usize;
            page * page_len(1) + position % PAGE_TOKENS
        };
        let memory = self.pool.layer(0);
        for (position, token) in (part.table.len()..).zip(part.tokens) {
            memory[cell(position)] = *token as f32 + 1.0;
        }
        let end = part.table.len() + part.tokens.len();
        let held = (0..end).map(|position| memory[cell(position)] as u32 - 1);
        let held = held.collect();
        part.table.extend(part.tokens.len());
        held
    }

    fn note(&self, parts: &[Part<'_>]) {
        let mut seen = self.seen.lock().unwrap();
        seen.steps += 1;
        assert!(seen.steps < MOST_STEPS, "the scheduler does not get on");
        seen.parts
            .extend(parts.iter().map(|part| part.tokens.to_vec()));
        seen.most_held = seen
            .most_held
            .max(self.pool.pages() - self.pool.free_pages());
    }
}

impl Forward for Alphabet {
    fn pool(&mut self) -> &mut Pages {
        &mut self.pool
    }

    fn step(&mut self, parts: &mut [Part<'_>]) -> Result<ChunksExact<'_, f32>, DecoderError> {
        if let Some(gate) = &self.gate {
            let _ = gate.recv();
        }
        self.note(parts);
        self.logits.clear();
        for part in parts {
            let held = self.take(part);
            let last = *held.last().unwrap();
            assert!(last != PANIC, "the decoder was told to panic");
            if last == ERROR {
                self.failure = self.failing;
                return Err(DecoderError::UnknownToken);
            }
            if part.wants_logits {
                let mut logits = [0.0; VOCABULARY];
                logits[(self.follow)(&held) as usize] = if last == NAN { f32::NAN } else { 1.0 };
                self.logits.extend(logits);
            }
        }
        Ok(self.logits.chunks_exact(VOCABULARY))
    }

    fn failure(&self) -> Option<&'static str> {
        self.failure
    }
}

impl Drop for Alphabet {
    fn drop(&mut self) {
        let free = |page: &usize| self.pool.holders(*page as u32) == 0;
        let free: Vec<usize> = (0..self.pool.pages()).filter(free).collect();
        let memory = self.pool.layer(0);
        let page = |page: &usize| &memory[page * page_len(1)..][..page_len(1)];
        let blank = |page: &[f32]| page.iter().all(|value| value.to_bits() == 0);
        let unwiped = !free.iter().map(page).all(blank);
        let mut seen = self.seen.lock().unwrap();
        seen.held = self.pool.pages() - self.pool.free_pages();
        seen.unwiped = unwiped;
        seen.ended = true;
    }
}

/// A letter that depends on every token and its place.
pub(super) fn mixture(tokens: &[u32]) -> u32 {
    let mix = |sum: u32, token: &u32| (sum ^ token).wrapping_mul(0x0100_0193);
    tokens.iter().fold(0x811c_9dc5, mix) % END
}

fn successor(tokens: &[u32]) -> u32 {
    match tokens.last() {
        Some(&LOOP) => LOOP,
        letter => letter.map_or(0, |letter| (letter + 1).min(END)),
    }
}
