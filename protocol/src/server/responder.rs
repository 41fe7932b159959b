//! Seals one response as it is made.

use super::Plaintext;
use crate::{
    Opening, SignedReceipt, bhttp,
    chunk::{ChunkSealer, MAX_SENT_CHUNK, response_nonce_len},
    crypto::Aead,
    entropy,
    envelope::RESPONSE_LABEL,
    exchange::{ExchangeDigests, ResponseDigest},
    hpke::Exporter,
    receipt::TRAILER,
    varint,
};
use attestation::Digest;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

/// Bytes of the length before a part of at most [`MAX_PART`] bytes of content: a two-byte varint.
const PART_PREFIX: usize = 2;
/// Most content bytes that go into one chunk.
const MAX_PART: usize = MAX_SENT_CHUNK - PART_PREFIX;

/// Seals one response: [`Responder::head`], any number of [`Responder::body`], [`Responder::finish`].
///
/// A call out of this order, or a head that HTTP does not allow, ends the response: from then on nothing is given out, and the client
/// sees a truncated answer.
pub struct Responder {
    epoch: u64,
    sealer: Option<ChunkSealer>,
    nonce: Vec<u8>,
    opening: Opening,
    request: Digest,
    response: Option<ResponseDigest>,
}

/// The request that is answered.
pub(super) struct RespondTo<'a> {
    pub(super) exporter: &'a Exporter,
    pub(super) aead: Aead,
    pub(super) enc: &'a [u8],
    pub(super) epoch: u64,
}

impl Responder {
    pub(super) fn new(to: &RespondTo<'_>, request: &Plaintext) -> Self {
        let length = response_nonce_len(to.aead);
        let mut secret = Zeroizing::new(vec![0; length]);
        to.exporter.export(RESPONSE_LABEL, &mut secret);
        let mut nonce = vec![0; length];
        entropy::or_abort(entropy::fill(&mut nonce).ok());
        let opening = Opening::export(to.exporter);
        Self {
            epoch: to.epoch,
            sealer: ChunkSealer::response(to.aead, &secret, to.enc, &nonce),
            nonce,
            request: opening.request_digest(&request.method, &request.path, &request.body),
            opening,
            response: None,
        }
    }

    /// Number of the key epoch that the request was sealed to.
    #[must_use]
    pub const fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Starts the response: outer bytes to send first (response nonce and the sealed head).
    #[must_use]
    pub fn head(&mut self, status: u16, headers: &[(&str, &[u8])]) -> Vec<u8> {
        let mut head = Vec::new();
        let encoded = bhttp::encode_response(status, headers, &mut head);
        if encoded.is_err() || self.response.is_some() {
            self.sealer = None;
        }
        self.response = Some(ResponseDigest::new(status));
        let mut out = std::mem::take(&mut self.nonce);
        for chunk in head.chunks(MAX_SENT_CHUNK) {
            self.seal(&[chunk], &mut out);
        }
        self.unless_broken(out)
    }

    /// Seals part of the body: into one chunk up to [`MAX_SENT_CHUNK`] less two bytes, else into more; an empty part gives nothing.
    #[must_use]
    pub fn body(&mut self, part: &[u8]) -> Vec<u8> {
        let chunks = part.len().div_ceil(MAX_PART);
        let mut out = Vec::with_capacity(part.len() + chunks * (PART_PREFIX + 4 + 16));
        self.body_into(part, &mut out);
        out
    }

    /// Appends what [`Responder::body`] gives to `out`; where that has room, nothing is allocated.
    pub fn body_into(&mut self, part: &[u8], out: &mut Vec<u8>) {
        match &mut self.response {
            Some(response) => response.update(part),
            None => self.sealer = None,
        }
        let start = out.len();
        for part in part.chunks(MAX_PART) {
            let prefix = varint::encode(part.len() as u64);
            self.seal(&[prefix.as_slice(), part], out);
        }
        if self.sealer.is_none() {
            out.truncate(start);
        }
    }

    /// HMAC of the request, the response body so far, and `tokens` (ids as u32 little-endian): what a receipt states.
    #[must_use]
    pub fn digests(&self, tokens: &[u32]) -> ExchangeDigests {
        let response = self.response.as_ref();
        ExchangeDigests {
            request: self.request,
            response: response.map_or([0; 32], |response| response.digest(&self.opening)),
            tokens: self.opening.tokens_digest(tokens),
        }
    }

    /// Ends the response: the trailer with the receipt, in the authenticated last chunk.
    #[must_use]
    pub fn finish(self, receipt: &SignedReceipt) -> Vec<u8> {
        let receipt = BASE64_URL_SAFE_NO_PAD.encode(receipt.as_bytes());
        let mut end = Vec::new();
        let encoded = bhttp::encode_end(&[(TRAILER, receipt.as_bytes())], &mut end);
        let mut out = Vec::new();
        let sealer = self
            .sealer
            .filter(|_| encoded.is_ok() && self.response.is_some());
        match sealer.and_then(|sealer| sealer.seal_final(&[&end], &mut out)) {
            Some(()) => out,
            None => Vec::new(),
        }
    }

    /// Nonce and sealer, for responses that do not keep to the protocol.
    #[cfg(test)]
    pub(crate) fn into_raw(self) -> (Vec<u8>, ChunkSealer) {
        (self.nonce, self.sealer.unwrap())
    }

    fn seal(&mut self, parts: &[&[u8]], out: &mut Vec<u8>) {
        let sealed = self
            .sealer
            .as_mut()
            .and_then(|sealer| sealer.seal(parts, out));
        if sealed.is_none() {
            self.sealer = None;
        }
    }

    fn unless_broken(&self, out: Vec<u8>) -> Vec<u8> {
        match self.sealer {
            Some(_) => out,
            None => Vec::new(),
        }
    }
}
