//! The framing of Chunked OHTTP (draft-ietf-ohai-chunked-ohttp-08 sections 4 to 6): `varint length || ciphertext` for every chunk but
//! the last, then `0x00 || ciphertext` to the end of the outer stream under the additional data `final`. A one-shot message (RFC 9458) is
//! read and written here too, as a last chunk that nothing goes before.

#[cfg(test)]
mod tests;

use crate::crypto::{Aead, NONCE, TAG};
use crate::hpke::{SequencedAead, expand, extract};
use crate::{Form, MAX_ONE_SHOT, varint, varint::VarintReader, wipe};
use zeroize::{Zeroize, Zeroizing};

/// Most plaintext bytes of a chunk that is sent: what every receiver must accept (section 3).
pub const MAX_SENT_CHUNK: usize = 16_384;
/// Most plaintext bytes of a chunk that is accepted.
pub const MAX_RECEIVED_CHUNK: usize = 65_536;

/// Why a chunked stream was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChunkError {
    /// A chunk is longer than [`MAX_RECEIVED_CHUNK`], or a one-shot message than [`MAX_ONE_SHOT`].
    #[error("a chunk is above the limit")]
    TooLarge,
    /// A chunk without data that is not the last.
    #[error("a chunk that is not the last is empty")]
    Empty,
    /// A chunk is changed, out of order, doubled, or not for this key; also bytes after the last one, which the format cannot tell apart.
    #[error("a chunk did not authenticate")]
    Authentication,
    /// The stream ended before its last chunk.
    #[error("the stream ended without its last chunk")]
    Truncated,
}

/// Seals chunks, in order.
pub struct ChunkSealer {
    aead: SequencedAead,
    /// The plaintext so far of a one-shot message, which is sealed when it is whole.
    whole: Option<Zeroizing<Vec<u8>>>,
}

impl ChunkSealer {
    pub(crate) const fn new(aead: SequencedAead) -> Self {
        Self { aead, whole: None }
    }

    /// A sealer in `form`: of a one-shot message, all chunks together come out as one ciphertext at the end.
    pub(crate) fn in_form(form: Form, aead: SequencedAead) -> Self {
        let whole = (form == Form::OneShot).then(Zeroizing::default);
        Self { aead, whole }
    }

    /// A sealer for a response (section 6.2); `secret` and `nonce` are [`response_nonce_len`] bytes, `enc` the request's encapsulation.
    #[must_use]
    pub fn response(aead: Aead, secret: &[u8], enc: &[u8], nonce: &[u8]) -> Option<Self> {
        response_aead(aead, secret, enc, nonce).map(Self::new)
    }

    /// Appends one chunk with the concatenation of `parts`, which is not empty and not over [`MAX_SENT_CHUNK`]. `None`: it is, or the
    /// counter is used up.
    #[must_use]
    pub fn seal(&mut self, parts: &[&[u8]], out: &mut Vec<u8>) -> Option<()> {
        let length = total(parts);
        if length == 0 || length > MAX_SENT_CHUNK {
            return None;
        }
        if self.whole.is_some() {
            return self.keep(parts);
        }
        out.reserve(length + TAG + 4);
        varint::write_len(length + TAG, out);
        self.append(b"", parts, out)
    }

    /// Appends the last chunk; it may be empty.
    #[must_use]
    pub fn seal_final(mut self, parts: &[&[u8]], out: &mut Vec<u8>) -> Option<()> {
        let length = total(parts);
        if length > MAX_SENT_CHUNK {
            return None;
        }
        if self.whole.is_some() {
            self.keep(parts)?;
            let whole = self.whole.take().unwrap_or_default();
            return self.append(Form::OneShot.last_aad(), &[&whole], out);
        }
        out.reserve(length + TAG + 1);
        varint::write_len(0, out);
        self.append(Form::Chunked.last_aad(), parts, out)
    }

    /// Adds to a one-shot message; `None` above [`MAX_ONE_SHOT`].
    fn keep(&mut self, parts: &[&[u8]]) -> Option<()> {
        let whole = self.whole.as_mut()?;
        if whole.len() + total(parts) > MAX_ONE_SHOT {
            return None;
        }
        parts.iter().for_each(|part| wipe::append(whole, part));
        Some(())
    }

    /// The last part is encrypted straight into `out`; those before it are short.
    fn append(&mut self, aad: &[u8], parts: &[&[u8]], out: &mut Vec<u8>) -> Option<()> {
        let (bulk, front) = parts.split_last().unwrap_or((&NOTHING, &[]));
        let start = out.len();
        front.iter().for_each(|part| out.extend_from_slice(part));
        out.resize(out.len() + bulk.len() + TAG, 0);
        let message = out.get_mut(start..)?;
        let sealed = self.aead.seal(aad, bulk, message);
        if sealed.is_none() {
            message.zeroize();
        }
        sealed
    }

    #[cfg(test)]
    pub(crate) fn jump_to(&mut self, counter: u64) {
        self.aead.jump_to(counter);
    }
}

const NOTHING: &[u8] = &[];

fn total(parts: &[&[u8]]) -> usize {
    parts.iter().map(|part| part.len()).sum()
}

/// Opens chunks that arrive cut anywhere.
pub struct ChunkOpener {
    aead: SequencedAead,
    length: VarintReader,
    chunk: Chunk,
    /// Ciphertext as it arrives, then plaintext. It grows to the longest chunk and stays, so that a warm opener allocates nothing.
    buffer: Zeroizing<Vec<u8>>,
    /// Bytes of `buffer` that belong to the chunk being read.
    gathered: usize,
    form: Form,
}

/// The chunk being read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Chunk {
    /// Its length is not known yet.
    Length,
    /// So many bytes of ciphertext.
    Sized(usize),
    /// The last: to the end.
    Final,
}

impl ChunkOpener {
    pub(crate) fn new(aead: SequencedAead) -> Self {
        Self {
            aead,
            length: VarintReader::default(),
            chunk: Chunk::Length,
            buffer: Zeroizing::default(),
            gathered: 0,
            form: Form::Chunked,
        }
    }

    /// An opener in `form`: a one-shot message is a last chunk from its first byte on.
    pub(crate) fn in_form(form: Form, aead: SequencedAead) -> Self {
        let chunk = match form {
            Form::Chunked => Chunk::Length,
            Form::OneShot => Chunk::Final,
        };
        Self {
            chunk,
            form,
            ..Self::new(aead)
        }
    }

    /// An opener for a response; as [`ChunkSealer::response`].
    #[must_use]
    pub fn response(aead: Aead, secret: &[u8], enc: &[u8], nonce: &[u8]) -> Option<Self> {
        response_aead(aead, secret, enc, nonce).map(Self::new)
    }

    /// Takes from the front of `input`; gives the next chunk's plaintext once it is complete, `None` when all of `input` is taken.
    pub fn next(&mut self, input: &mut &[u8]) -> Result<Option<&[u8]>, ChunkError> {
        if self.chunk == Chunk::Length {
            let Some((length, _)) = self.length.take(input) else {
                return Ok(None);
            };
            self.chunk = announced(length)?;
            self.gathered = 0;
        }
        match self.chunk {
            Chunk::Sized(length) => self.next_sized(length, input),
            _ => self.gather_final(input).map(|()| None),
        }
    }

    fn next_sized(
        &mut self,
        length: usize,
        input: &mut &[u8],
    ) -> Result<Option<&[u8]>, ChunkError> {
        if self.gathered == 0
            && let Some((sealed, rest)) = input.split_at_checked(length)
        {
            *input = rest;
            return self.open_whole(sealed).map(Some);
        }
        self.gather(length.saturating_sub(self.gathered), input);
        if self.gathered < length {
            return Ok(None);
        }
        self.chunk = Chunk::Length;
        self.open_gathered(b"").map(Some)
    }

    /// Opens a chunk that lies in the input in one piece, without gathering it first.
    fn open_whole(&mut self, sealed: &[u8]) -> Result<&[u8], ChunkError> {
        self.chunk = Chunk::Length;
        let length = sealed.len().saturating_sub(TAG);
        // As long as if it had been gathered: the next one may come in pieces.
        wipe::grow(&mut self.buffer, sealed.len());
        let refused = ChunkError::Authentication;
        let text = self.buffer.get_mut(..length).ok_or(refused)?;
        self.aead.open_into(b"", sealed, text).ok_or(refused)?;
        Ok(text)
    }

    fn open_gathered(&mut self, aad: &[u8]) -> Result<&[u8], ChunkError> {
        let refused = ChunkError::Authentication;
        let sealed = self.buffer.get_mut(..self.gathered).ok_or(refused)?;
        let text = self.aead.open(aad, sealed).ok_or(refused)?;
        Ok(text)
    }

    /// Moves up to `missing` bytes from the front of `input` to the chunk being read.
    fn gather(&mut self, missing: usize, input: &mut &[u8]) {
        let missing = missing.min(input.len());
        let (taken, rest) = input.split_at_checked(missing).unwrap_or((input, &[]));
        let end = self.gathered.saturating_add(taken.len());
        wipe::grow(&mut self.buffer, end);
        if let Some(room) = self.buffer.get_mut(self.gathered..end) {
            room.copy_from_slice(taken);
        }
        self.gathered = end;
        *input = rest;
    }

    fn gather_final(&mut self, input: &mut &[u8]) -> Result<(), ChunkError> {
        let limit = match self.form {
            Form::Chunked => MAX_RECEIVED_CHUNK,
            Form::OneShot => MAX_ONE_SHOT,
        };
        if self.gathered.saturating_add(input.len()) > limit + TAG {
            return Err(ChunkError::TooLarge);
        }
        self.gather(input.len(), input);
        Ok(())
    }

    /// The outer stream has ended: the last chunk's plaintext.
    pub fn finish(&mut self) -> Result<&[u8], ChunkError> {
        if self.chunk != Chunk::Final || self.gathered < TAG {
            return Err(ChunkError::Truncated);
        }
        self.open_gathered(self.form.last_aad())
    }
}

/// What a length prefix announces.
// R6.2
fn announced(length: u64) -> Result<Chunk, ChunkError> {
    match usize::try_from(length).map_err(|_| ChunkError::TooLarge)? {
        0 => Ok(Chunk::Final),
        1..TAG => Err(ChunkError::Authentication),
        TAG => Err(ChunkError::Empty),
        length if length > MAX_RECEIVED_CHUNK + TAG => Err(ChunkError::TooLarge),
        length => Ok(Chunk::Sized(length)),
    }
}

/// max(Nn, Nk): bytes of a response's nonce and of the secret exported for it.
#[must_use]
pub const fn response_nonce_len(aead: Aead) -> usize {
    if aead.key_len() > NONCE {
        aead.key_len()
    } else {
        NONCE
    }
}

/// Key and base nonce of a response: RFC 9458 section 4.4, and section 6.2 here.
pub(crate) fn response_aead(
    aead: Aead,
    secret: &[u8],
    enc: &[u8],
    nonce: &[u8],
) -> Option<SequencedAead> {
    let salt = [enc, nonce].concat();
    let prk = extract(&salt, secret);
    let mut key = Zeroizing::new(vec![0; aead.key_len()]);
    expand(&prk, &[b"key"], &mut key);
    let mut base_nonce = [0; NONCE];
    expand(&prk, &[b"nonce"], &mut base_nonce);
    SequencedAead::new(aead, &key, base_nonce)
}
