//! SentencePiece's byte-pair encoding (`llama`): characters join into the token with the best score; what is no token becomes bytes.

use zeroize::Zeroizing;

use super::{
    TokenizerError,
    symbols::{Join, Symbols},
    vocabulary::{SPACE, Vocabulary},
};

/// Scores of a model, and what it does to the beginning of a text.
pub(super) struct SentencePiece {
    /// By id; the best score has rank 0, equal scores the same rank.
    ranks: Vec<u32>,
    prefix: &'static str,
}

impl SentencePiece {
    /// `prefixed`: a text begins with a space that it does not have.
    pub(super) fn new(
        scores: &[f32],
        prefix: SpacePrefix,
        vocabulary: &Vocabulary,
    ) -> Result<Self, TokenizerError> {
        if scores.len() != vocabulary.len() || scores.iter().any(|score| score.is_nan()) {
            return Err(TokenizerError::Scores);
        }
        if !vocabulary.has_all_bytes() {
            return Err(TokenizerError::ByteTokens);
        }
        Ok(Self {
            ranks: ranks(scores),
            prefix: match prefix {
                SpacePrefix::Added => SPACE,
                SpacePrefix::None => "",
            },
        })
    }

    /// Appends the tokens of `text`.
    pub(super) fn encode(&self, text: &str, vocabulary: &Vocabulary, ids: &mut Vec<u32>) {
        if text.is_empty() {
            return;
        }
        let spaced = self.spaced(text);
        let token = |len: usize, start: usize| {
            let range = start..start.saturating_add(len);
            vocabulary.normal(spaced.get(range)?)
        };
        let parts = spaced
            .char_indices()
            .map(|(at, c)| (token(c.len_utf8(), at), c.len_utf8()));
        let mut symbols = Symbols::default();
        let joined = symbols.join(parts, |left, right| {
            let text = spaced.get(left.range().start..right.range().end)?;
            let id = vocabulary.normal(text)?;
            let rank = *self.ranks.get(id as usize)?;
            Some(Join { rank, id })
        });
        for symbol in joined {
            match symbol.token() {
                Some(id) => ids.push(id),
                None => {
                    let bytes = spaced.as_bytes().get(symbol.range()).unwrap_or_default();
                    ids.extend(bytes.iter().filter_map(|b| vocabulary.byte_token(*b)));
                }
            }
        }
    }

    /// `text` as the vocabulary spells it; made at its full size, so that it never moves and leaves no copy behind.
    fn spaced(&self, text: &str) -> Zeroizing<String> {
        let spaces = text.bytes().filter(|b| *b == b' ').count();
        let grown = spaces.saturating_mul(SPACE.len().saturating_sub(1));
        let len = text.len().saturating_add(grown);
        let mut spaced =
            Zeroizing::new(String::with_capacity(len.saturating_add(self.prefix.len())));
        spaced.push_str(self.prefix);
        for (part, at) in text.split(' ').zip(0usize..) {
            if at > 0 {
                spaced.push_str(SPACE);
            }
            spaced.push_str(part);
        }
        spaced
    }

    /// Whether the first space of a decoded text was added by encoding it.
    pub(super) fn adds_space(&self) -> bool {
        !self.prefix.is_empty()
    }
}

/// Whether a text is read as if a space stood before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SpacePrefix {
    /// As it is.
    #[default]
    None,
    /// With a space before it, and behind every special token.
    Added,
}

fn ranks(scores: &[f32]) -> Vec<u32> {
    let mut best_first: Vec<f32> = scores.to_vec();
    best_first.sort_unstable_by(|a, b| b.total_cmp(a));
    // 0.0 and -0.0 are the same score.
    best_first.dedup_by(|a, b| a == b);
    let rank = |score: &f32| best_first.partition_point(|better| better > score);
    let rank = |score: &f32| u32::try_from(rank(score)).unwrap_or(u32::MAX);
    scores.iter().map(rank).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn better_scores_are_more_urgent() {
        assert_eq!(ranks(&[-3.0, 0.0, -1.0, -0.0, -3.0]), [2, 0, 1, 0, 2]);
        assert_eq!(ranks(&[f32::NEG_INFINITY, f32::INFINITY]), [1, 0]);
    }
}
