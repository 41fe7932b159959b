//! Byte-level byte-pair encoding (`gpt2`): text is cut by a pre-tokenizer, the bytes of each piece merge by rank.

use std::collections::HashMap;

use super::{
    Normalization, TokenizerError,
    pretokenizer::PreTokenizer,
    symbols::{Join, Symbol, Symbols},
    vocabulary::Vocabulary,
};

/// Normalization, pre-tokenizer and merges of a model.
pub(super) struct BytePair {
    normalization: Normalization,
    pre_tokenizer: PreTokenizer,
    by_pair: HashMap<(u32, u32), Join>,
}

impl BytePair {
    pub(super) fn new(
        normalization: Normalization,
        pre_tokenizer: PreTokenizer,
        merges: &[&str],
        vocabulary: &Vocabulary,
    ) -> Result<Self, TokenizerError> {
        let mut by_pair = HashMap::with_capacity(merges.len());
        for (text, rank) in merges.iter().zip(0u32..) {
            let fault = TokenizerError::Merge(rank as usize);
            let (pair, id) = parse(text, vocabulary).ok_or(fault.clone())?;
            if by_pair.insert(pair, Join { rank, id }).is_some() {
                return Err(fault);
            }
        }
        Ok(Self {
            normalization,
            pre_tokenizer,
            by_pair,
        })
    }

    /// What becomes of text before it is cut.
    pub(super) fn normalization(&self) -> Normalization {
        self.normalization
    }

    /// Appends the tokens of `text`, until there are more than `most`. A byte that is no token separates its neighbours and is left out.
    pub(super) fn encode(
        &self,
        text: &str,
        vocabulary: &Vocabulary,
        ids: &mut Vec<u32>,
        most: usize,
    ) {
        let changed = self.normalization.changed(text);
        let text = changed.as_ref().map_or(text, |changed| changed.as_str());
        let mut symbols = Symbols::default();
        for piece in self.pre_tokenizer.pieces(text) {
            if ids.len() > most {
                return;
            }
            if self.pre_tokenizer.takes_whole_pieces()
                && let Some(id) = vocabulary.normal_of_bytes(piece)
            {
                ids.push(id);
                continue;
            }
            let parts = piece.bytes().map(|byte| (vocabulary.byte_token(byte), 1));
            let joined = symbols.join(parts, |l, r| self.by_pair.get(&(l.id, r.id)).copied());
            ids.extend(joined.filter_map(Symbol::token));
        }
    }
}

/// The two ids that a line of the merge list joins, and what they become.
fn parse(text: &str, vocabulary: &Vocabulary) -> Option<((u32, u32), u32)> {
    let (left, right) = text.split_once(' ')?;
    let pair = (vocabulary.normal(left)?, vocabulary.normal(right)?);
    let merged = vocabulary.normal(&[left, right].concat())?;
    Some((pair, merged))
}
