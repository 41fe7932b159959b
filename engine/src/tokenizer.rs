//! A model's tokenizer, from its file's metadata or the files of its folder: text to token ids, token ids to bytes.
//!
//! Three kinds: byte-level byte-pair encoding (`gpt2`), SentencePiece (`llama`) and WordPiece (`bert`); ids are those that llama.cpp gives.
//! Two things differ on purpose. Text becomes special tokens only where the caller says that the model's own template wrote it
//! ([`SpecialTokens`]); every other text becomes ordinary tokens whatever it spells. And WordPiece reads text as the models were trained
//! (Hugging Face's `BertNormalizer`), where llama.cpp drops vowels of Korean and marks of Indian scripts. Nothing of a text is kept after the call: there is no
//! word cache, and scratch memory is wiped.

mod bert_text;
mod byte_alphabet;
mod byte_pair;
mod digest;
mod error;
mod folder;
mod json;
mod normalization;
mod prefixes;
mod pretokenizer;
mod sentence_piece;
mod source;
mod special;
mod symbols;
mod vocabulary;
mod word_piece;

use std::ops::Range;

pub use bert_text::Case;
pub use error::TokenizerError;
pub(crate) use folder::TOKENIZER_CONFIG;
pub use json::TokenizerJson;
pub use normalization::Normalization;
pub use sentence_piece::SpacePrefix;
pub use source::TokenizerSource;

use byte_pair::BytePair;
use sentence_piece::SentencePiece;
use source::Model;
use special::SpecialMatcher;
use vocabulary::{Spelling, Vocabulary};
use word_piece::WordPiece;

use crate::gguf::Gguf;

/// Where a text may name special tokens such as `<|im_end|>`.
#[derive(Clone, Copy)]
pub enum SpecialTokens<'a> {
    /// Nowhere: all of it is somebody's words.
    Never,
    /// Anywhere but in these byte ranges of the text, which are somebody's words.
    Outside(&'a [Range<usize>]),
}

/// How ordinary text becomes tokens.
enum Encoder {
    BytePair(BytePair),
    SentencePiece(SentencePiece),
    WordPiece(WordPiece),
}

/// A model's tokenizer.
pub struct Tokenizer {
    vocabulary: Vocabulary,
    encoder: Encoder,
    special: SpecialMatcher,
    ends: Vec<u32>,
    bos: Option<u32>,
    eos: Option<u32>,
    starts_with_bos: bool,
    template_begins: bool,
    separator: Option<u32>,
    digest: [u8; 32],
}

impl Tokenizer {
    /// The tokenizer that a model file describes.
    pub fn from_gguf(gguf: &Gguf) -> Result<Self, TokenizerError> {
        Self::new(&TokenizerSource::from_gguf(gguf)?)
    }

    /// The tokenizer of these parts.
    pub fn new(source: &TokenizerSource<'_>) -> Result<Self, TokenizerError> {
        let model = source.check_supported()?;
        let spelling = match model {
            Model::BytePair(_) => Spelling::ByteAlphabet,
            Model::SentencePiece | Model::WordPiece => Spelling::Spaces,
        };
        let vocabulary = Vocabulary::new(spelling, &source.tokens, &source.kinds)?;
        let encoder = encoder(model, source, &vocabulary)?;
        source.check_special_ids(model)?;
        let special = SpecialMatcher::new(&vocabulary, model);
        let named = special::end_tokens(source, &vocabulary);
        let further = special::further_ends(source, &named);
        Ok(Self {
            digest: digest::canonical(source, &further),
            vocabulary,
            encoder,
            special,
            ends: [named, further].concat(),
            bos: source.bos,
            eos: source.eos,
            starts_with_bos: source.add_bos,
            template_begins: source.template_begins,
            separator: source.separator,
        })
    }

    /// SHA-256 of tokens, kinds, merges and special ids in a canonical form: the same whether a file or a folder has them.
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

    /// A whole prompt: [`Self::encode`] behind the beginning-of-sequence token, where the model wants one and the text has none, and before the
    /// separator, where the model ends texts with one.
    pub fn encode_prompt(&self, text: &str, special: SpecialTokens<'_>) -> Vec<u32> {
        self.encode_prompt_up_to(text, special, self.first(), usize::MAX)
    }

    /// As [`Self::encode_prompt`], if that is at most `most` tokens; none: it is more. A text that is far too long is not read to its end, most
    /// are not read at all.
    pub fn encode_prompt_within(
        &self,
        text: &str,
        special: SpecialTokens<'_>,
        most: usize,
    ) -> Option<Vec<u32>> {
        self.encode_within(text, special, self.first(), most)
    }

    /// As [`Self::encode_prompt_within`], of a chat that a template wrote but for `words`. In folders the template alone says what a chat begins
    /// with, as in transformers; in model files the beginning-of-sequence token is put before it all the same, as in llama.cpp.
    pub fn encode_chat_within(
        &self,
        text: &str,
        words: &[Range<usize>],
        most: usize,
    ) -> Option<Vec<u32>> {
        let first = self.first().filter(|_| !self.template_begins);
        self.encode_within(text, SpecialTokens::Outside(words), first, most)
    }

    /// The token that is put before a text.
    fn first(&self) -> Option<u32> {
        self.bos.filter(|_| self.starts_with_bos)
    }

    fn encode_within(
        &self,
        text: &str,
        special: SpecialTokens<'_>,
        first: Option<u32>,
        most: usize,
    ) -> Option<Vec<u32>> {
        // One of the text's own may be left out for the one that is put before it.
        let read = most.saturating_add(1);
        if self.least_tokens(text) > read {
            return None;
        }
        let ids = self.encode_prompt_up_to(text, special, first, read);
        (ids.len() <= most).then_some(ids)
    }

    /// Tokens that `text` has at least. A word of WordPiece may be any length, and so may what lies between two.
    fn least_tokens(&self, text: &str) -> usize {
        match &self.encoder {
            Encoder::BytePair(_) | Encoder::SentencePiece(_) if self.vocabulary.has_all_bytes() => {
                let least = self.normalization().least_len(text.len());
                least.div_ceil(self.vocabulary.longest_of_all())
            }
            _ => 0,
        }
    }

    /// As [`Self::encode_prompt`], behind `first`; where that is more than `most` tokens, its beginning, which is more than `most` too.
    fn encode_prompt_up_to(
        &self,
        text: &str,
        special: SpecialTokens<'_>,
        first: Option<u32>,
        most: usize,
    ) -> Vec<u32> {
        let mut ids = Vec::with_capacity(self.room(text));
        ids.extend(first);
        self.encode_into(text, special, &mut ids, most);
        drop_doubled_bos(&mut ids, first);
        ids.extend(self.separator);
        ids
    }

    /// Token ids of `text`. A byte that a `gpt2` vocabulary has no token for is left out, as in llama.cpp.
    pub fn encode(&self, text: &str, special: SpecialTokens<'_>) -> Vec<u32> {
        let mut ids = Vec::with_capacity(self.room(text));
        self.encode_into(text, special, &mut ids, usize::MAX);
        ids
    }

    /// The text of `ids` from its beginning: the bytes of each, without the space that encoding put before it.
    pub fn decode(&self, ids: &[u32]) -> Vec<u8> {
        let mut bytes: Vec<u8> = ids
            .iter()
            .flat_map(|id| self.token_bytes(*id))
            .copied()
            .collect();
        if self.adds_space() && bytes.first() == Some(&b' ') {
            bytes.remove(0);
        }
        bytes
    }

    /// What becomes of ordinary text before it is cut.
    fn normalization(&self) -> Normalization {
        match &self.encoder {
            Encoder::BytePair(encoder) => encoder.normalization(),
            Encoder::SentencePiece(_) | Encoder::WordPiece(_) => Normalization::AsWritten,
        }
    }

    fn adds_space(&self) -> bool {
        match &self.encoder {
            Encoder::BytePair(_) => false,
            Encoder::SentencePiece(encoder) => encoder.adds_space(),
            Encoder::WordPiece(_) => true,
        }
    }

    /// Most ids of a prompt, so that the list never moves and leaves no copy behind: one a byte, once the text is normalized; of a space, and of
    /// the one put before each part of a text, three where SentencePiece has no token for it; two around all of it.
    fn room(&self, text: &str) -> usize {
        let each = match &self.encoder {
            Encoder::SentencePiece(_) => 3,
            Encoder::BytePair(_) => self.normalization().growth(),
            Encoder::WordPiece(_) => 1,
        };
        text.len().saturating_add(2).saturating_mul(each)
    }

    /// `ids` must have [`Self::room`]. Ends early once they are more than `most`.
    fn encode_into(&self, text: &str, special: SpecialTokens<'_>, ids: &mut Vec<u32>, most: usize) {
        let everything = 0..text.len();
        let words = match special {
            SpecialTokens::Never => std::slice::from_ref(&everything),
            SpecialTokens::Outside(words) => words,
        };
        let mut rest = 0;
        for found in self.special.find_all(text, words) {
            self.encode_words(text.get(rest..found.start).unwrap_or_default(), ids, most);
            ids.push(found.id);
            rest = found.end;
        }
        self.encode_words(text.get(rest..).unwrap_or_default(), ids, most);
    }

    fn encode_words(&self, text: &str, ids: &mut Vec<u32>, most: usize) {
        if ids.len() > most {
            return;
        }
        match &self.encoder {
            Encoder::BytePair(encoder) => encoder.encode(text, &self.vocabulary, ids, most),
            Encoder::SentencePiece(encoder) => encoder.encode(text, &self.vocabulary, ids),
            Encoder::WordPiece(encoder) => encoder.encode(text, ids, most),
        }
    }
}

fn encoder(
    model: Model,
    source: &TokenizerSource<'_>,
    vocabulary: &Vocabulary,
) -> Result<Encoder, TokenizerError> {
    Ok(match model {
        Model::BytePair(pre) => {
            let (normalization, merges) = (source.normalization, &source.merges);
            Encoder::BytePair(BytePair::new(normalization, pre, merges, vocabulary)?)
        }
        Model::SentencePiece => {
            let prefix = source.space_prefix;
            Encoder::SentencePiece(SentencePiece::new(&source.scores, prefix, vocabulary)?)
        }
        Model::WordPiece => {
            let unknown = source.unknown.ok_or(TokenizerError::SpecialId)?;
            Encoder::WordPiece(WordPiece::new(unknown, source.case, vocabulary))
        }
    })
}

fn drop_doubled_bos(ids: &mut Vec<u32>, bos: Option<u32>) {
    if let (Some(bos), [first, second, ..]) = (bos, ids.as_slice())
        && (*first, *second) == (bos, bos)
    {
        ids.remove(0);
    }
}
