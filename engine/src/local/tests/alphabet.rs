//! A decoder that says the alphabet: after `a` comes `b`, after `z` the end.

use std::sync::{
    Arc, Mutex,
    mpsc::{Receiver, Sender, channel},
};

use crate::{
    decoder::DecoderError,
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

/// The decoder. It waits at its gate before each step, if it has one that is not yet dropped.
pub(super) struct Alphabet {
    logits: Vec<f32>,
    gate: Option<Receiver<()>>,
    log: Arc<Mutex<Vec<Vec<u32>>>>,
    wiped: Arc<Mutex<usize>>,
}

/// Tokens of one sequence, and where wiping is counted.
pub(super) struct Cache {
    tokens: Vec<u32>,
    wiped: Arc<Mutex<usize>>,
}

impl Alphabet {
    pub(super) fn free() -> Self {
        Self {
            logits: Vec::new(),
            gate: None,
            log: Arc::default(),
            wiped: Arc::default(),
        }
    }

    /// One message through the gate is one step; dropping it opens it for good.
    pub(super) fn gated() -> (Sender<()>, Self) {
        let (sender, gate) = channel();
        let gate = Some(gate);
        (
            sender,
            Self {
                gate,
                ..Self::free()
            },
        )
    }

    /// The tokens of every call.
    pub(super) fn log(&self) -> Arc<Mutex<Vec<Vec<u32>>>> {
        Arc::clone(&self.log)
    }

    /// How often a cache was wiped.
    pub(super) fn wiped(&self) -> Arc<Mutex<usize>> {
        Arc::clone(&self.wiped)
    }
}

impl Forward for Alphabet {
    type Cache = Cache;

    fn cache(&self) -> Cache {
        Cache {
            tokens: Vec::new(),
            wiped: Arc::clone(&self.wiped),
        }
    }

    fn wipe(cache: &mut Cache) {
        cache.tokens.clear();
        *cache.wiped.lock().unwrap() += 1;
    }

    fn forward(&mut self, tokens: &[u32], cache: &mut Cache) -> Result<&[f32], DecoderError> {
        if let Some(gate) = &self.gate {
            let _ = gate.recv();
        }
        self.log.lock().unwrap().push(tokens.to_vec());
        cache.tokens.extend(tokens);
        let last = *cache.tokens.last().unwrap();
        assert!(last != PANIC, "the decoder was told to panic");
        if last == ERROR {
            return Err(DecoderError::UnknownToken);
        }
        self.logits = vec![0.0; VOCABULARY];
        self.logits[successor(last)] = if last == NAN { f32::NAN } else { 1.0 };
        Ok(&self.logits)
    }
}

fn successor(token: u32) -> usize {
    match token {
        LOOP => LOOP as usize,
        letter => (letter as usize + 1).min(END as usize),
    }
}
