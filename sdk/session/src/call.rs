//! One HTTP exchange with the gateway that the caller is asked to make (docs/protocol.md section 8).

use crate::offer::{MAX_OFFERS_BYTES, OFFERS_PATH, Offer};
use attestation::{Nonce, bundle::MAX_BUNDLE_BYTES};
use protocol::key_config::MAX_SIGNED_KEY_CONFIGS;

/// Most seconds for a whole answer to a small question.
pub(crate) const ANSWER_TIMEOUT_S: u64 = 30;
/// Most seconds until the head of a relayed answer, which waits for the engine, and between two parts of it.
pub(crate) const STALL_TIMEOUT_S: u64 = 300;

/// What to send. The caller adds the gateway's origin and its API key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// Absolute path at the gateway, printable ASCII.
    pub path: String,
    /// Media type demanded of the answer (`Accept`).
    pub accept: &'static str,
    /// Media type of the body; `None`: no body.
    pub content_type: Option<&'static str>,
    /// The body.
    pub body: Vec<u8>,
    /// Seconds after which the caller gives up: on the answer, or on the next part of a sealed one.
    pub timeout_s: u64,
}

/// How to read the answer to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// The sealed answer: take the [`crate::Exchange`] and give it every byte.
    Sealed,
    /// Whole. Reading may stop as soon as there are more bytes than this: then it is refused.
    Whole {
        /// The limit.
        max_bytes: usize,
    },
}

impl Call {
    pub(crate) fn offers() -> Self {
        Self::get(OFFERS_PATH.to_owned(), Question::Offers)
    }

    pub(crate) fn keys(offer: &Offer) -> Self {
        Self::get(offer.keys.clone(), Question::Keys)
    }

    pub(crate) fn challenge(offer: &Offer, nonce: &Nonce) -> Self {
        Self {
            method: "POST",
            path: offer.challenge.clone(),
            accept: Question::Challenge.media_type(),
            content_type: Some("application/octet-stream"),
            body: nonce.0.to_vec(),
            timeout_s: ANSWER_TIMEOUT_S,
        }
    }

    pub(crate) fn relay(offer: &Offer, envelope: Vec<u8>) -> Self {
        Self {
            method: "POST",
            path: offer.relay.clone(),
            accept: protocol::RESPONSE_MEDIA_TYPE,
            content_type: Some(protocol::REQUEST_MEDIA_TYPE),
            body: envelope,
            timeout_s: STALL_TIMEOUT_S,
        }
    }

    const fn get(path: String, question: Question) -> Self {
        Self {
            method: "GET",
            path,
            accept: question.media_type(),
            content_type: None,
            body: Vec::new(),
            timeout_s: ANSWER_TIMEOUT_S,
        }
    }
}

/// Questions whose whole answer is small.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Question {
    Offers,
    Challenge,
    Keys,
}

impl Question {
    /// For error messages.
    pub(crate) const fn what(self) -> &'static str {
        match self {
            Self::Offers => "the offers",
            Self::Challenge => "the challenge",
            Self::Keys => "the node's keys",
        }
    }

    /// What a 200 must be.
    pub(crate) const fn media_type(self) -> &'static str {
        match self {
            Self::Offers => "application/json",
            Self::Challenge => "application/cmw+cbor",
            Self::Keys => "application/cose",
        }
    }

    /// The largest answer.
    pub(crate) const fn max_bytes(self) -> usize {
        match self {
            Self::Offers => MAX_OFFERS_BYTES,
            Self::Challenge => MAX_BUNDLE_BYTES,
            Self::Keys => MAX_SIGNED_KEY_CONFIGS,
        }
    }
}
