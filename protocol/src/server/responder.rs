//! Seals one response as it is made.

use super::{Plaintext, records::Records};
use crate::{
    Form, Opening, PaddingProfile, SignedReceipt, bhttp,
    chunk::{ChunkSealer, MAX_SENT_CHUNK, response_aead, response_nonce_len},
    crypto::Aead,
    entropy,
    exchange::{ExchangeDigests, ResponseDigest},
    hpke::Exporter,
    padding::RECORD_LEN,
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
const EVENT_STREAM: &[u8] = b"text/event-stream";

/// Seals one response: [`Responder::head`], any number of [`Responder::body`] and [`Responder::flush_into`], [`Responder::finish`].
///
/// Without padding every call gives out what it was given. With padding the answer leaves in chunks of one size: a stream of events at each
/// flush, any other body at the end. Of a one-shot answer nothing but the nonce goes out before the end.
///
/// A call out of this order, or a head that HTTP does not allow, ends the response: from then on nothing is given out, and the client
/// sees a truncated answer.
pub struct Responder {
    epoch: u64,
    form: Form,
    padding: PaddingProfile,
    sealer: Option<ChunkSealer>,
    nonce: Vec<u8>,
    opening: Opening,
    request: Digest,
    response: Option<ResponseDigest>,
    records: Option<Records>,
}

/// The request that is answered.
pub(super) struct RespondTo<'a> {
    pub(super) form: Form,
    pub(super) exporter: &'a Exporter,
    pub(super) aead: Aead,
    pub(super) enc: &'a [u8],
    pub(super) epoch: u64,
    pub(super) padding: PaddingProfile,
}

impl Responder {
    pub(super) fn new(to: &RespondTo<'_>, request: &Plaintext) -> Self {
        let length = response_nonce_len(to.aead);
        let mut secret = Zeroizing::new(vec![0; length]);
        to.exporter.export(to.form.response_label(), &mut secret);
        let mut nonce = vec![0; length];
        entropy::or_abort(entropy::fill(&mut nonce).ok());
        let opening = Opening::export(to.exporter);
        Self {
            epoch: to.epoch,
            form: to.form,
            padding: to.padding,
            sealer: response_aead(to.aead, &secret, to.enc, &nonce)
                .map(|aead| ChunkSealer::in_form(to.form, aead)),
            nonce,
            request: opening.request_digest(&request.method, &request.path, &request.body),
            opening,
            response: None,
            records: None,
        }
    }

    /// Number of the key epoch that the request was sealed to.
    #[must_use]
    pub const fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The form of the request, and of this answer.
    #[must_use]
    pub const fn form(&self) -> Form {
        self.form
    }

    /// Whether the response has ended before its end: the form cannot hold it, or a call was out of order. Nothing more is given out.
    #[must_use]
    pub const fn is_broken(&self) -> bool {
        self.sealer.is_none()
    }

    /// Starts the response: outer bytes to send first (response nonce and the sealed head); with padding nothing yet.
    #[must_use]
    pub fn head(&mut self, status: u16, headers: &[(&str, &[u8])]) -> Vec<u8> {
        let mut head = Vec::new();
        let encoded = bhttp::encode_response(status, headers, &mut head);
        if encoded.is_err() || self.response.is_some() {
            self.sealer = None;
        }
        self.response = Some(ResponseDigest::new(status));
        let mut out = Vec::new();
        if self.padding == PaddingProfile::Off {
            head.chunks(MAX_SENT_CHUNK)
                .for_each(|chunk| self.seal(&[chunk], &mut out));
        } else {
            self.records = Records::new(self.padding, is_event_stream(headers), head);
            self.require(self.records.is_some());
        }
        self.unless_broken(0, &mut out);
        out
    }

    /// As [`Responder::body_into`], into a buffer of its own.
    #[must_use]
    pub fn body(&mut self, part: &[u8]) -> Vec<u8> {
        let chunks = part.len().div_ceil(MAX_PART);
        let mut out = Vec::with_capacity(part.len() + chunks * (PART_PREFIX + 4 + 16));
        self.body_into(part, &mut out);
        out
    }

    /// Takes part of the body and appends what can be sent: without padding one chunk up to [`MAX_SENT_CHUNK`] less two bytes, else more; an
    /// empty part gives nothing. With padding it waits. Where `out` has room, nothing is allocated.
    pub fn body_into(&mut self, part: &[u8], out: &mut Vec<u8>) {
        let start = out.len();
        match (&mut self.response, &mut self.records) {
            (None, _) => self.sealer = None,
            (Some(_), Some(records)) => records.push(part),
            (Some(response), None) => {
                response.update(part);
                self.seal_parts(part, out);
            }
        }
        self.unless_broken(start, out);
    }

    /// Appends records of a padded stream: under `default` all that waits, the last one filled, and nothing if nothing waits; under `strict`
    /// exactly one. Filling goes between events only, so what was given to [`Responder::body`] should end with a whole one.
    pub fn flush_into(&mut self, out: &mut Vec<u8>) {
        let (start, mut given) = (out.len(), 0);
        while self
            .records
            .as_ref()
            .is_some_and(|records| records.is_due(given))
            && self.seal_record(out)
        {
            given += 1;
        }
        self.unless_broken(start, out);
    }

    /// Bytes of the body that wait for their record.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.records
            .as_ref()
            .map_or(0, |records| records.waiting().len())
    }

    /// HMAC of the request, the response body so far, and `tokens` (ids as u32 little-endian): what a receipt states.
    #[must_use]
    pub fn digests(&self, tokens: &[u32]) -> ExchangeDigests {
        let mut response = self.response.clone();
        if let (Some(response), Some(records)) = (&mut response, &self.records) {
            response.update(records.waiting());
        }
        self.digests_of(response, tokens)
    }

    /// The same of what was sealed so far, without what waits for its record: what a receipt states of an answer that its client left.
    /// Before the head the response's digest is zeros.
    #[must_use]
    pub fn sealed_digests(&self, tokens: &[u32]) -> ExchangeDigests {
        self.digests_of(self.response.clone(), tokens)
    }

    fn digests_of(&self, response: Option<ResponseDigest>, tokens: &[u32]) -> ExchangeDigests {
        ExchangeDigests {
            request: self.request,
            response: response.map_or([0; 32], |response| response.digest(&self.opening)),
            tokens: self.opening.tokens_digest(tokens),
        }
    }

    /// Ends the response: what waits, then the trailer with the receipt; the last chunk is authenticated as the last. Padded answers end with
    /// as many records as their profile has them end with.
    #[must_use]
    pub fn finish(mut self, receipt: &SignedReceipt) -> Vec<u8> {
        let receipt = BASE64_URL_SAFE_NO_PAD.encode(receipt.as_bytes());
        let mut end = Vec::new();
        let encoded = bhttp::encode_end(&[(TRAILER, receipt.as_bytes())], &mut end);
        self.require(encoded.is_ok() && self.response.is_some());
        let mut out = Vec::new();
        let sealed = match self.records.take() {
            Some(records) => self.seal_last(&records.finish(&end), &mut out),
            None => self.seal_final(&end, &mut out),
        };
        sealed.map(|()| out).unwrap_or_default()
    }

    /// Nonce and sealer, for responses that do not keep to the protocol.
    #[cfg(test)]
    pub(crate) fn into_raw(self) -> (Vec<u8>, ChunkSealer) {
        (self.nonce, self.sealer.unwrap())
    }

    fn seal_parts(&mut self, part: &[u8], out: &mut Vec<u8>) {
        for part in part.chunks(MAX_PART) {
            let prefix = varint::encode(part.len() as u64);
            self.seal(&[prefix.as_slice(), part], out);
        }
    }

    /// Seals the next record; whether there was one.
    fn seal_record(&mut self, out: &mut Vec<u8>) -> bool {
        let Some(mut records) = self.records.take() else {
            return false;
        };
        let taken = records.next().map(|record| {
            if let Some(response) = &mut self.response {
                record.body().iter().for_each(|part| response.update(part));
            }
            self.seal(&record.parts(), out);
            record.taken()
        });
        if let Some(taken) = taken {
            records.gave(taken);
        }
        self.records = Some(records);
        taken.is_some() && self.sealer.is_some()
    }

    /// Seals the records that end the response.
    fn seal_last(mut self, records: &[u8], out: &mut Vec<u8>) -> Option<()> {
        let (rest, last) = records.split_last_chunk::<RECORD_LEN>()?;
        rest.chunks(RECORD_LEN)
            .for_each(|record| self.seal(&[record], out));
        self.seal_final(last, out)
    }

    fn seal_final(mut self, chunk: &[u8], out: &mut Vec<u8>) -> Option<()> {
        out.append(&mut self.nonce);
        self.sealer?.seal_final(&[chunk], out)
    }

    /// Seals one chunk; the first goes behind the response nonce.
    fn seal(&mut self, parts: &[&[u8]], out: &mut Vec<u8>) {
        out.append(&mut self.nonce);
        let sealed = self
            .sealer
            .as_mut()
            .and_then(|sealer| sealer.seal(parts, out));
        self.require(sealed.is_some());
    }

    fn require(&mut self, kept: bool) {
        if !kept {
            self.sealer = None;
        }
    }

    /// Takes back what a broken response has put out since `start`.
    fn unless_broken(&self, start: usize, out: &mut Vec<u8>) {
        if self.sealer.is_none() {
            out.truncate(start);
        }
    }
}

/// Whether these headers announce server-sent events.
fn is_event_stream(headers: &[(&str, &[u8])]) -> bool {
    let mut named = headers.iter().filter(|(name, _)| *name == "content-type");
    named.any(|(_, value)| value.eq_ignore_ascii_case(EVENT_STREAM))
}
