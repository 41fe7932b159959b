//! Tokens per second of a decoder: prompts, and the tokens that are chosen behind them on the device.

use std::time::Instant;

use engine::{
    decoder::{DecoderError, KvTable, MAX_STEP_TOKENS, PAGE_TOKENS, Part, Row},
    local::{Capacity, Forward},
    sampler::Plain,
};

use crate::{Rounds, Work, rounds::median};

/// The greatest logit.
const GREEDY: Plain = Plain {
    seed: 0,
    position: 0,
    inverse: 0.0,
    top_p: 1.0,
    min_p: 0.0,
    top_k: 0,
};

/// Tokens per second of all sequences together; medians of the rounds.
pub(crate) struct Rates {
    pub(crate) prefill: f64,
    pub(crate) decode: f64,
}

/// What a decoder needs for `work`.
pub(crate) fn capacity(work: &Work) -> Capacity {
    let pages = work.tokens().div_ceil(PAGE_TOKENS);
    Capacity {
        pages: work.batch * pages,
        context_tokens: pages * PAGE_TOKENS,
        sequences: work.batch,
    }
}

/// Each sequence has the same prompt, in pages of its own.
pub(crate) fn rates(
    decoder: &mut impl Forward,
    (work, rounds): (&Work, Rounds),
    prompt: &[u32],
) -> Result<Rates, DecoderError> {
    let mut decoded = Vec::new();
    let prompted = rounds.each(|| {
        let (prompted, seconds) = round(decoder, work, prompt)?;
        decoded.push(seconds);
        Ok::<_, DecoderError>(prompted)
    })?;
    // The round that warms up.
    decoded.remove(0);
    let rate = |tokens: usize, seconds| (work.batch * tokens) as f64 / median(seconds);
    Ok(Rates {
        prefill: rate(work.prompt_tokens, prompted),
        decode: rate(work.answer_tokens, decoded),
    })
}

/// Seconds that the prompts take, and the answers.
fn round(
    decoder: &mut impl Forward,
    work: &Work,
    prompt: &[u32],
) -> Result<(f64, f64), DecoderError> {
    let mut sequences: Vec<Sequence> = (0..work.batch).map(|_| Sequence::default()).collect();
    let start = Instant::now();
    for sequence in &mut sequences {
        sequence.read(decoder, prompt)?;
    }
    let prompted = start.elapsed().as_secs_f64();
    let start = Instant::now();
    for _ in 0..work.answer_tokens {
        advance(decoder, &mut sequences)?;
    }
    let answered = start.elapsed().as_secs_f64();
    for sequence in sequences {
        decoder.pool().release(sequence.table);
    }
    Ok((prompted, answered))
}

/// A sequence and the token that was chosen last.
#[derive(Default)]
pub(crate) struct Sequence {
    table: KvTable,
    pub(crate) token: u32,
}

impl Sequence {
    /// Takes a prompt in as few steps as it can.
    pub(crate) fn read(
        &mut self,
        decoder: &mut impl Forward,
        prompt: &[u32],
    ) -> Result<(), DecoderError> {
        decoder.pool().reserve(&mut self.table, prompt.len())?;
        let mut left = prompt.len();
        for tokens in prompt.chunks(MAX_STEP_TOKENS) {
            left -= tokens.len();
            let part = Part {
                tokens,
                table: &mut self.table,
                wants_logits: left == 0,
            };
            let choices: &[_] = if left == 0 { &[Some(GREEDY)] } else { &[] };
            let rows = decoder.choose(&mut [part], choices)?;
            if let Some(row) = rows.first() {
                self.token = chosen(row)?;
            }
        }
        Ok(())
    }
}

/// The next token of each sequence, all in one step.
pub(crate) fn advance(
    decoder: &mut impl Forward,
    sequences: &mut [Sequence],
) -> Result<(), DecoderError> {
    let tokens: Vec<u32> = sequences.iter().map(|sequence| sequence.token).collect();
    for sequence in &mut *sequences {
        decoder.pool().reserve(&mut sequence.table, 1)?;
    }
    let places = sequences.iter_mut().zip(tokens.chunks(1));
    let part = |(sequence, tokens)| {
        let sequence: &mut Sequence = sequence;
        Part {
            tokens,
            table: &mut sequence.table,
            wants_logits: true,
        }
    };
    let mut parts: Vec<_> = places.map(part).collect();
    let choices = vec![Some(GREEDY); parts.len()];
    let rows = decoder.choose(&mut parts, &choices)?;
    let next: Result<Vec<u32>, _> = rows.iter().map(chosen).collect();
    let next = next?;
    for (sequence, token) in sequences.iter_mut().zip(next) {
        sequence.token = token;
    }
    Ok(())
}

/// A device that chooses nothing has failed.
fn chosen(row: &Row<'_>) -> Result<u32, DecoderError> {
    match row {
        Row::Token(Some(token)) => Ok(*token),
        _ => Err(DecoderError::Device),
    }
}
