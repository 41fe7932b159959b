//! Byte-level byte-pair encoding from a model file's metadata: text to token ids, token ids to bytes.
//!
//! Text becomes special tokens only where the caller says that the model's own template wrote it ([`SpecialTokens`]);
//! every other text becomes ordinary tokens whatever it spells. Nothing of a text is kept after the call: there is no
//! word cache, and scratch memory is wiped.

mod byte_alphabet;
mod digest;
mod error;
mod merge;
mod pretokenizer;
mod source;
mod special;
mod vocabulary;

use std::ops::Range;

pub use error::TokenizerError;
pub use source::TokenizerSource;

use merge::Merges;
use special::SpecialMatcher;
use vocabulary::Vocabulary;

use crate::gguf::Gguf;

/// Where a text may name special tokens such as `<|im_end|>`.
#[derive(Clone, Copy)]
pub enum SpecialTokens<'a> {
    /// Nowhere: all of it is somebody's words.
    Never,
    /// Anywhere but in these byte ranges of the text, which are somebody's words.
    Outside(&'a [Range<usize>]),
}

/// A model's tokenizer.
pub struct Tokenizer {
    vocabulary: Vocabulary,
    merges: Merges,
    special: SpecialMatcher,
    ends: Vec<u32>,
    bos: Option<u32>,
    eos: Option<u32>,
    starts_with_bos: bool,
    digest: [u8; 32],
}

impl Tokenizer {
    /// The tokenizer that a model file describes.
    pub fn from_gguf(gguf: &Gguf) -> Result<Self, TokenizerError> {
        Self::new(&TokenizerSource::from_gguf(gguf)?)
    }

    /// The tokenizer of these parts.
    pub fn new(source: &TokenizerSource<'_>) -> Result<Self, TokenizerError> {
        source.check_supported()?;
        let vocabulary = Vocabulary::new(&source.tokens, &source.kinds)?;
        let merges = Merges::new(&source.merges, &vocabulary)?;
        source.check_special_ids(vocabulary.len())?;
        let special = SpecialMatcher::new(&vocabulary);
        let ends = special::end_tokens(source, &vocabulary);
        Ok(Self {
            digest: digest::canonical(source),
            vocabulary,
            merges,
            special,
            ends,
            bos: source.bos,
            eos: source.eos,
            starts_with_bos: source.add_bos,
        })
    }

    /// SHA-256 of tokens, kinds, merges and special ids in a canonical form.
    pub fn digest(&self) -> [u8; 32] {
        self.digest
    }

    /// Tokens of the vocabulary.
    pub fn vocabulary_len(&self) -> usize {
        self.vocabulary.len()
    }

    /// Whether this token ends an answer.
    pub fn is_end(&self, id: u32) -> bool {
        self.ends.contains(&id)
    }

    /// The bytes a token stands for; none for special tokens and unknown ids.
    pub fn token_bytes(&self, id: u32) -> &[u8] {
        self.vocabulary.bytes(id)
    }

    /// Text of the beginning-of-sequence token, for templates.
    pub fn bos_text(&self) -> &str {
        self.bos.map_or("", |id| self.vocabulary.special_text(id))
    }

    /// Text of the end-of-sequence token, for templates.
    pub fn eos_text(&self) -> &str {
        self.eos.map_or("", |id| self.vocabulary.special_text(id))
    }

    /// A whole prompt: [`Self::encode`] behind the beginning-of-sequence token, where the model wants one and the text has none.
    pub fn encode_prompt(&self, text: &str, special: SpecialTokens<'_>) -> Vec<u32> {
        let mut ids = Vec::with_capacity(text.len().saturating_add(1));
        if let (true, Some(bos)) = (self.starts_with_bos, self.bos) {
            ids.push(bos);
        }
        self.encode_into(text, special, &mut ids);
        drop_doubled_bos(&mut ids, self.bos.filter(|_| self.starts_with_bos));
        ids
    }

    /// Token ids of `text`. A byte that the vocabulary has no token for is left out, as in llama.cpp.
    pub fn encode(&self, text: &str, special: SpecialTokens<'_>) -> Vec<u32> {
        let mut ids = Vec::with_capacity(text.len());
        self.encode_into(text, special, &mut ids);
        ids
    }

    /// `ids` must have room for one id a byte, so that it never moves and leaves no copy behind.
    fn encode_into(&self, text: &str, special: SpecialTokens<'_>, ids: &mut Vec<u32>) {
        let SpecialTokens::Outside(words) = special else {
            return self.encode_words(text, ids);
        };
        let mut rest = 0;
        for found in self.special.find_all(text, words) {
            self.encode_words(text.get(rest..found.start).unwrap_or_default(), ids);
            ids.push(found.id);
            rest = found.end;
        }
        self.encode_words(text.get(rest..).unwrap_or_default(), ids);
    }

    fn encode_words(&self, text: &str, ids: &mut Vec<u32>) {
        let mut scratch = merge::Scratch::default();
        for piece in pretokenizer::pieces(text) {
            let parts = piece.bytes().map(|byte| self.vocabulary.byte_token(byte));
            self.merges.apply(parts, &mut scratch, ids);
        }
    }
}

fn drop_doubled_bos(ids: &mut Vec<u32>, bos: Option<u32>) {
    if let (Some(bos), [first, second, ..]) = (bos, ids.as_slice())
        && (*first, *second) == (bos, bos)
    {
        ids.remove(0);
    }
}
