//! The tokens: what bytes each stands for, and which token each byte is.

use std::collections::HashMap;

use super::{TokenizerError, byte_alphabet};

/// Most tokens of a vocabulary.
const MAX_TOKENS: usize = 1 << 20;

/// What a token is for (`llama_token_type`).
#[derive(Clone, Copy, PartialEq, Eq)]
enum TokenKind {
    /// Text.
    Normal,
    /// Stands for what the vocabulary lacks.
    Unknown,
    /// Steers the model: `<|im_end|>`.
    Control,
    /// Added to the vocabulary by hand.
    UserDefined,
    /// A gap.
    Unused,
    /// One byte.
    Byte,
}

impl TokenKind {
    fn from_number(number: i32) -> Option<Self> {
        match number {
            1 => Some(Self::Normal),
            2 => Some(Self::Unknown),
            3 => Some(Self::Control),
            4 => Some(Self::UserDefined),
            5 => Some(Self::Unused),
            6 => Some(Self::Byte),
            _ => None,
        }
    }
}

struct Token {
    kind: TokenKind,
    text: String,
    bytes: Vec<u8>,
}

/// All tokens of a model.
pub(super) struct Vocabulary {
    tokens: Vec<Token>,
    ids: HashMap<String, u32>,
    byte_tokens: [Option<u32>; 256],
}

impl Vocabulary {
    pub(super) fn new(texts: &[&str], kinds: &[i32]) -> Result<Self, TokenizerError> {
        check_count(texts.len(), kinds.len())?;
        let mut vocabulary = Self {
            tokens: Vec::with_capacity(texts.len()),
            ids: HashMap::with_capacity(texts.len()),
            byte_tokens: [None; 256],
        };
        for ((text, kind), id) in texts.iter().zip(kinds).zip(0u32..) {
            vocabulary.push(id, text, *kind)?;
        }
        Ok(vocabulary)
    }

    fn push(&mut self, id: u32, text: &str, kind: i32) -> Result<(), TokenizerError> {
        let known = TokenKind::from_number(kind);
        let kind = known.ok_or(TokenizerError::TokenKind { id, kind })?;
        let bytes = bytes_of(text, kind).ok_or(TokenizerError::TokenText(id))?;
        if self.ids.insert(text.to_owned(), id).is_some() {
            return Err(TokenizerError::DuplicateToken(id));
        }
        if let (TokenKind::Normal, [byte]) = (kind, bytes.as_slice())
            && let Some(slot) = self.byte_tokens.get_mut(usize::from(*byte))
        {
            *slot = Some(id);
        }
        let text = text.to_owned();
        self.tokens.push(Token { kind, text, bytes });
        Ok(())
    }

    pub(super) fn len(&self) -> usize {
        self.tokens.len()
    }

    /// What the token adds to an answer's text.
    pub(super) fn bytes(&self, id: u32) -> &[u8] {
        let token = self.tokens.get(id as usize);
        token.map_or(&[], |token| token.bytes.as_slice())
    }

    pub(super) fn byte_token(&self, byte: u8) -> Option<u32> {
        self.byte_tokens.get(usize::from(byte)).copied().flatten()
    }

    /// The ordinary token with this text, in the byte alphabet.
    pub(super) fn normal(&self, text: &str) -> Option<u32> {
        let id = *self.ids.get(text)?;
        let token = self.tokens.get(id as usize)?;
        (token.kind == TokenKind::Normal).then_some(id)
    }

    /// Text of a special token; empty for any other.
    pub(super) fn special_text(&self, id: u32) -> &str {
        let token = self.tokens.get(id as usize);
        token.filter(|t| is_special(t.kind)).map_or("", |t| &t.text)
    }

    /// Special tokens with their ids.
    pub(super) fn special(&self) -> impl Iterator<Item = (u32, &str)> {
        let all = (0u32..).zip(&self.tokens);
        all.filter(|(_, token)| is_special(token.kind))
            .map(|(id, token)| (id, token.text.as_str()))
    }
}

fn is_special(kind: TokenKind) -> bool {
    matches!(kind, TokenKind::Control | TokenKind::UserDefined)
}

fn check_count(tokens: usize, kinds: usize) -> Result<(), TokenizerError> {
    if tokens == 0 || tokens > MAX_TOKENS || tokens != kinds {
        return Err(TokenizerError::TokenCount { tokens, kinds });
    }
    Ok(())
}

/// None: not a possible token.
fn bytes_of(text: &str, kind: TokenKind) -> Option<Vec<u8>> {
    if text.is_empty() {
        return None;
    }
    match kind {
        TokenKind::Normal => text.chars().map(byte_alphabet::byte).collect(),
        TokenKind::UserDefined => Some(text.as_bytes().to_vec()),
        _ => Some(Vec::new()),
    }
}
