//! The first tokens of a loaded model.

mod near;
mod trial;

use std::sync::Arc;

use engine::{
    decoder::{Decoder, KvCache, PAGE_TOKENS},
    local::Forward,
    model::Model,
};

use super::{SelfTestError, noise::Noise};
use crate::{Arithmetic, Device, GpuDecoder};
use near::Bound;
use trial::{Answers, bits, run};

/// A page and some more.
const TOKENS: usize = PAGE_TOKENS + 5;

/// Holds a prompt and two tokens after it against the CPU's decoder, logit by logit: bit for bit, or in the fast arithmetic within
/// [`Bound`]. There the same tokens then have to give the same bits again, which tells of errors that no bound sees.
pub(crate) fn model<D: Device>(
    decoder: &mut GpuDecoder<D>,
    model: &Arc<Model>,
    arithmetic: Arithmetic,
) -> Result<(), SelfTestError> {
    let tokens = tokens(model, decoder.context_tokens());
    let (prompt, after) = prompt_and_after(&tokens);
    let pieces: Vec<_> = [prompt].into_iter().chain(after.chunks(1)).collect();
    let first = run(decoder, std::slice::from_ref(&pieces))?;
    let first = first.first().ok_or(SelfTestError::WrongLogits)?;
    let mut reference = Decoder::new(Arc::clone(model), 0);
    let mut cache = KvCache::new(model, tokens.len());
    for (tokens, row) in pieces.iter().zip(&first.logits) {
        let expected = reference.forward(tokens, &mut cache)?;
        let agree = match arithmetic {
            Arithmetic::Exact => *row == bits(expected),
            Arithmetic::Fast => Bound::of(model.config()).holds(row, expected),
        };
        if !agree {
            return Err(SelfTestError::WrongLogits);
        }
    }
    match arithmetic {
        Arithmetic::Exact => Ok(()),
        Arithmetic::Fast => again(decoder, &tokens, first),
    }
}

/// As many tokens of the vocabulary as fit the context.
fn tokens(model: &Model, context_tokens: usize) -> Vec<u32> {
    let (mut noise, config) = (Noise::new(7), model.config());
    let mut token = || u32::from_le_bytes([noise.byte(), noise.byte(), noise.byte(), 0]);
    let count = TOKENS.min(context_tokens).min(config.context_tokens);
    let vocabulary = u32::try_from(config.vocabulary).unwrap_or(u32::MAX);
    (0..count).map(|_| token() % vocabulary).collect()
}

fn prompt_and_after(tokens: &[u32]) -> (&[u32], &[u32]) {
    tokens.split_at(tokens.len().saturating_sub(2).max(1))
}

/// The same tokens, the prompt in two pieces and where there is room beside another sequence: other launches, other rows, other pages,
/// the same bits of every logit, key and value. The other sequence is gone through alone before, so that it is held to the same.
fn again<D: Device>(
    decoder: &mut GpuDecoder<D>,
    tokens: &[u32],
    first: &Answers,
) -> Result<(), SelfTestError> {
    let pieces = in_smaller_pieces(tokens);
    let others: Vec<u32> = tokens.iter().rev().copied().take(pieces.len()).collect();
    let others: Vec<_> = others.chunks(1).collect();
    let pages = tokens.len().div_ceil(PAGE_TOKENS) + others.len().div_ceil(PAGE_TOKENS);
    let has_room = decoder.most_sequences() > 1 && decoder.pool().free_pages() >= pages;
    let alone = match has_room {
        true => run(decoder, std::slice::from_ref(&others))?,
        false => Vec::new(),
    };
    // It goes before: all rows are others than alone.
    let sequences = alone.iter().map(|_| others.clone()).chain([pieces]);
    let all = run(decoder, &sequences.collect::<Vec<_>>())?;
    let expected = alone.iter().chain([first]);
    let same = |(all, expected): (&Answers, &Answers)| all.ends_as(expected);
    match all.len() == alone.len() + 1 && all.iter().zip(expected).all(same) {
        true => Ok(()),
        false => Err(SelfTestError::OtherBits),
    }
}

/// The prompt in two pieces, as far as both have several tokens: a single one is computed by other operations.
fn in_smaller_pieces(tokens: &[u32]) -> Vec<&[u32]> {
    let (prompt, after) = prompt_and_after(tokens);
    let cut = if prompt.len() < 4 {
        0
    } else {
        prompt.len() / 2
    };
    let (begin, rest) = prompt.split_at(cut);
    let pieces = [begin, rest].into_iter().chain(after.chunks(1));
    pieces.filter(|piece| !piece.is_empty()).collect()
}
