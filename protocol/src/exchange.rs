//! The digests of one exchange that a receipt states: HMACs under a secret that only its two ends know (docs/protocol.md, "Serving receipt").

use crate::{
    crypto::{Sha256, hmac_sha256, sha256},
    hpke::Exporter,
    receipt::Opening,
};
use attestation::Digest;

/// HMAC-SHA256 digests under a secret exported from the request's HPKE context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExchangeDigests {
    /// Of method, path and body.
    pub request: Digest,
    /// Of status and body.
    pub response: Digest,
    /// Of the token ids.
    pub tokens: Digest,
}

impl Opening {
    /// The secret of the exchange that `exporter` belongs to.
    pub(crate) fn export(exporter: &Exporter) -> Self {
        let mut secret = [0; 32];
        exporter.export(b"narthex/1/receipt", &mut secret);
        Self::from_bytes(secret)
    }

    /// Digest of a request.
    #[must_use]
    pub fn request_digest(&self, method: &str, path: &str, body: &[u8]) -> Digest {
        let fields = [method.as_bytes(), path.as_bytes(), &sha256(body)];
        self.mac("narthex/1/request", &fields)
    }

    /// Digest of a response.
    #[must_use]
    pub fn response_digest(&self, status: u16, body: &[u8]) -> Digest {
        self.response_digest_of(status, &sha256(body))
    }

    /// Digest of a response whose body has this SHA-256.
    pub(crate) fn response_digest_of(&self, status: u16, body: &Digest) -> Digest {
        let status = u64::from(status).to_be_bytes();
        self.mac("narthex/1/response", &[&status, body])
    }

    /// Digest of token ids, each as a little-endian u32.
    #[must_use]
    pub fn tokens_digest(&self, tokens: &[u32]) -> Digest {
        let bytes: Vec<u8> = tokens.iter().flat_map(|id| id.to_le_bytes()).collect();
        self.mac("narthex/1/tokens", &[&bytes])
    }

    /// HMAC-SHA256 over label and fields, each after its length as a big-endian u64.
    // R7.2
    fn mac(&self, label: &str, fields: &[&[u8]]) -> Digest {
        let parts = [&[label.as_bytes()], fields].concat();
        let lengths: Vec<[u8; 8]> = parts
            .iter()
            .map(|part| (part.len() as u64).to_be_bytes())
            .collect();
        let input: Vec<&[u8]> = lengths
            .iter()
            .zip(&parts)
            .flat_map(|(length, part)| [length.as_slice(), part])
            .collect();
        *hmac_sha256(self.as_bytes(), &input)
    }
}

/// A response's digest, kept while its body passes.
#[derive(Clone)]
pub(crate) struct ResponseDigest {
    status: u16,
    body: Sha256,
}

impl ResponseDigest {
    pub(crate) fn new(status: u16) -> Self {
        Self {
            status,
            body: Sha256::new(),
        }
    }

    pub(crate) const fn status(&self) -> u16 {
        self.status
    }

    pub(crate) fn update(&mut self, part: &[u8]) {
        self.body.update(part);
    }

    /// The digest of what has passed so far.
    pub(crate) fn digest(&self, opening: &Opening) -> Digest {
        opening.response_digest_of(self.status, &self.body.clone().finish())
    }
}
