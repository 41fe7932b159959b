//! The tokens: what bytes each stands for, and which token each byte is.

use std::collections::HashMap;

use super::{TokenizerError, byte_alphabet};

/// Most tokens of a vocabulary.
const MAX_TOKENS: usize = 1 << 20;

/// How a vocabulary writes the bytes of ordinary tokens.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Spelling {
    /// GPT-2's byte alphabet; a token of one byte stands for that byte.
    ByteAlphabet,
    /// Text with U+2581 for a space; `<0x0A>` stands for a byte.
    Spaces,
}

/// What a space is in [`Spelling::Spaces`].
pub(super) const SPACE: &str = "\u{2581}";

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
    spelling: Spelling,
    tokens: Vec<Token>,
    ids: HashMap<String, u32>,
    byte_tokens: [Option<u32>; 256],
    /// Bytes of the longest ordinary token's text.
    longest: usize,
    /// The same of all tokens.
    longest_of_all: usize,
}

impl Vocabulary {
    pub(super) fn new(
        spelling: Spelling,
        texts: &[&str],
        kinds: &[i32],
    ) -> Result<Self, TokenizerError> {
        check_count(texts.len(), kinds.len())?;
        let mut vocabulary = Self {
            spelling,
            tokens: Vec::with_capacity(texts.len()),
            ids: HashMap::with_capacity(texts.len()),
            byte_tokens: [None; 256],
            longest: 0,
            longest_of_all: 0,
        };
        for ((text, kind), id) in texts.iter().zip(kinds).zip(0u32..) {
            vocabulary.push(id, text, *kind)?;
        }
        Ok(vocabulary)
    }

    fn push(&mut self, id: u32, text: &str, kind: i32) -> Result<(), TokenizerError> {
        let known = TokenKind::from_number(kind);
        let kind = known.ok_or(TokenizerError::TokenKind { id, kind })?;
        let bytes = self.bytes_of(text, kind);
        let bytes = bytes.ok_or(TokenizerError::TokenText(id))?;
        if self.ids.insert(text.to_owned(), id).is_some() {
            return Err(TokenizerError::DuplicateToken(id));
        }
        if let ([byte], true) = (bytes.as_slice(), kind == self.byte_kind())
            && let Some(slot) = self.byte_tokens.get_mut(usize::from(*byte))
        {
            *slot = Some(id);
        }
        if kind == TokenKind::Normal {
            self.longest = self.longest.max(text.len());
        }
        self.longest_of_all = self.longest_of_all.max(text.len());
        let text = text.to_owned();
        self.tokens.push(Token { kind, text, bytes });
        Ok(())
    }

    /// What a token adds to an answer's text; none: not a possible token.
    fn bytes_of(&self, text: &str, kind: TokenKind) -> Option<Vec<u8>> {
        if text.is_empty() {
            return None;
        }
        match (kind, self.spelling) {
            (TokenKind::Normal, Spelling::ByteAlphabet) => {
                text.chars().map(byte_alphabet::byte).collect()
            }
            (TokenKind::Normal, Spelling::Spaces) => Some(text.replace(SPACE, " ").into_bytes()),
            (TokenKind::Byte, Spelling::Spaces) => Some(vec![named_byte(text)?]),
            (TokenKind::UserDefined, _) => Some(text.as_bytes().to_vec()),
            _ => Some(Vec::new()),
        }
    }

    fn byte_kind(&self) -> TokenKind {
        match self.spelling {
            Spelling::ByteAlphabet => TokenKind::Normal,
            Spelling::Spaces => TokenKind::Byte,
        }
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

    /// Bytes that no token stands for more than: its text, as the vocabulary spells it, is never shorter than what it stands for.
    pub(super) fn longest_of_all(&self) -> usize {
        self.longest_of_all
    }

    /// Whether every byte is a token.
    pub(super) fn has_all_bytes(&self) -> bool {
        self.byte_tokens.iter().all(Option::is_some)
    }

    /// The ordinary token with this text, as the vocabulary spells it.
    pub(super) fn normal(&self, text: &str) -> Option<u32> {
        if text.len() > self.longest {
            return None;
        }
        let id = *self.ids.get(text)?;
        let token = self.tokens.get(id as usize)?;
        (token.kind == TokenKind::Normal).then_some(id)
    }

    /// The ordinary token that stands for all of `text`, in the byte alphabet.
    pub(super) fn normal_of_bytes(&self, text: &str) -> Option<u32> {
        if text.len() > self.longest {
            return None;
        }
        let spelled: String = text.bytes().map(byte_alphabet::character).collect();
        self.normal(&zeroize::Zeroizing::new(spelled))
    }

    /// Ordinary tokens with their ids.
    pub(super) fn normals(&self) -> impl Iterator<Item = (u32, &str)> {
        self.of_kinds(|kind| kind == TokenKind::Normal)
    }

    /// Text of a special token; empty for any other.
    pub(super) fn special_text(&self, id: u32) -> &str {
        let token = self.tokens.get(id as usize);
        token.filter(|t| is_special(t.kind)).map_or("", |t| &t.text)
    }

    /// Special tokens with their ids.
    pub(super) fn special(&self) -> impl Iterator<Item = (u32, &str)> {
        self.of_kinds(is_special)
    }

    /// Whether the token was added to the vocabulary by hand.
    pub(super) fn is_user_defined(&self, id: u32) -> bool {
        let token = self.tokens.get(id as usize);
        token.is_some_and(|token| token.kind == TokenKind::UserDefined)
    }

    fn of_kinds(&self, wanted: impl Fn(TokenKind) -> bool) -> impl Iterator<Item = (u32, &str)> {
        let all = (0u32..).zip(&self.tokens);
        all.filter(move |(_, token)| wanted(token.kind))
            .map(|(id, token)| (id, token.text.as_str()))
    }
}

fn is_special(kind: TokenKind) -> bool {
    matches!(
        kind,
        TokenKind::Control | TokenKind::UserDefined | TokenKind::Unknown
    )
}

fn check_count(tokens: usize, kinds: usize) -> Result<(), TokenizerError> {
    if tokens == 0 || tokens > MAX_TOKENS || tokens != kinds {
        return Err(TokenizerError::TokenCount { tokens, kinds });
    }
    Ok(())
}

/// The byte of `<0x0A>`.
fn named_byte(text: &str) -> Option<u8> {
    let digits = text.strip_prefix("<0x")?.strip_suffix('>')?;
    let exact = digits.len() == 2 && digits.bytes().all(|b| b.is_ascii_hexdigit());
    u8::from_str_radix(digits, 16).ok().filter(|_| exact)
}
