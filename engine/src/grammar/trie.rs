//! The model's tokens as the library wants them: a trie of their bytes.

use std::sync::Arc;

use llguidance::earley::SlicedBiasComputer;
use llguidance::{
    ParserFactory,
    toktrie::{
        ApproximateTokEnv, INVALID_TOKEN, InferenceCapabilities, TokEnv, TokRxInfo, TokTrie,
    },
};

use super::limits;
use crate::tokenizer::Tokenizer;

/// Longer tokens are never allowed: a node of the trie counts its parents with ten bits.
const MAX_TOKEN_BYTES: usize = 1000;
/// A node counts what is below it with 22 bits.
const MAX_TRIE_BYTES: usize = (1 << 22) - 1;

/// A factory of parsers over the tokens of `tokenizer`. None: they are too many or too long.
///
/// Tokens without bytes, all control tokens among them, are never allowed but for the end tokens. Text that the grammar forces is
/// not tokenized for the model: it chooses among all tokens that spell it.
pub(super) fn factory(tokenizer: &Tokenizer) -> Option<ParserFactory> {
    let count = u32::try_from(tokenizer.vocabulary_len()).ok()?;
    let words: Vec<Vec<u8>> = (0..count).map(|id| word(tokenizer, id)).collect();
    if words.iter().map(Vec::len).sum::<usize>() > MAX_TRIE_BYTES {
        return None;
    }
    let ends: Vec<u32> = (0..count).filter(|id| tokenizer.is_end(*id)).collect();
    let first_end = ends.first().copied().unwrap_or(INVALID_TOKEN);
    let mut trie = TokTrie::from(&TokRxInfo::new(count, first_end), &words);
    if !ends.is_empty() {
        trie = trie.with_eos_tokens(&ends);
    }
    let tokens: TokEnv = Arc::new(ApproximateTokEnv::new(trie));
    let slices = SlicedBiasComputer::general_slices();
    let mut factory =
        ParserFactory::new(&tokens, InferenceCapabilities::default(), &slices).ok()?;
    factory.quiet();
    *factory.limits_mut() = limits::of_parser();
    Some(factory)
}

fn word(tokenizer: &Tokenizer, id: u32) -> Vec<u8> {
    let bytes = tokenizer.token_bytes(id);
    match bytes.len() > MAX_TOKEN_BYTES || tokenizer.is_end(id) {
        true => Vec::new(),
        false => bytes.to_vec(),
    }
}
