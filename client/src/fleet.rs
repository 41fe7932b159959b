//! The nodes that a gateway offers, asked for evidence without being judged: for trying a policy on them.

use crate::{
    ClientError, Gateway, random,
    transport::{Content, Question, Transport},
};
use attestation::{EvidenceBundle, Nonce, bundle::MAX_BUNDLE_BYTES};
use session::{Offer, offer};

/// One gateway's nodes.
pub(crate) struct Fleet(Transport);

impl Fleet {
    pub(crate) fn new(gateway: &Gateway) -> Result<Self, ClientError> {
        Transport::new(gateway).map(Self)
    }

    /// Every node on offer.
    pub(crate) async fn offers(&self) -> Result<Vec<Offer>, ClientError> {
        let question = Question {
            what: "the offers",
            path: offer::OFFERS_PATH,
            body: None,
            media_type: "application/json",
            max_bytes: offer::MAX_OFFERS_BYTES,
        };
        Ok(offer::parse(&self.0.ask(question).await?)?)
    }

    /// What the node answers to a fresh nonce.
    pub(crate) async fn evidence(
        &self,
        offer: &Offer,
    ) -> Result<(Nonce, EvidenceBundle), ClientError> {
        let nonce = Nonce(random::bytes()?);
        let question = Question {
            what: "the challenge",
            path: &offer.challenge,
            body: Some(Content::nonce(&nonce)),
            media_type: "application/cmw+cbor",
            max_bytes: MAX_BUNDLE_BYTES,
        };
        let bytes = self.0.ask(question).await?;
        let bundle = EvidenceBundle::from_cbor(&bytes)?;
        Ok((nonce, bundle))
    }
}
