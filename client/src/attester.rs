//! Asks nodes for evidence and keys, and judges what they answer by the user's own policy.

use crate::{
    AdmittedNode, Check, ClientError, Event, Judge, Observer, appraisal, random,
    transport::{Question, Transport},
};
use attestation::{Cache, Nonce, UnixTime, bundle::MAX_BUNDLE_BYTES};
use bytes::Bytes;
use protocol::SignedKeyConfigs;
use session::{Offer, offer};
use std::sync::{Arc, Mutex, PoisonError};

const BUNDLE_MEDIA_TYPE: &str = "application/cmw+cbor";
const KEYS_MEDIA_TYPE: &str = "application/cose";
const MAX_KEYS_BYTES: usize = 64 * 1024;

/// How much of an admission the user is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// Every check: a request waits for it.
    Checks,
    /// Its outcome: it is made beside the requests.
    Outcome,
}

/// Judges nodes through one gateway.
pub(crate) struct Attester {
    pub(crate) transport: Transport,
    judge: Judge,
    observer: Arc<dyn Observer>,
    /// What earlier appraisals verified.
    verified: Mutex<Cache>,
}

impl Attester {
    pub(crate) fn new(transport: Transport, judge: Judge, observer: Arc<dyn Observer>) -> Self {
        Self {
            transport,
            judge,
            observer,
            verified: Mutex::default(),
        }
    }

    pub(crate) fn now(&self) -> UnixTime {
        self.judge.clock.now()
    }

    pub(crate) async fn offers(&self) -> Result<Vec<Offer>, ClientError> {
        let question = Question {
            what: "the offers",
            path: offer::OFFERS_PATH,
            body: None,
            media_type: "application/json",
            max_bytes: offer::MAX_OFFERS_BYTES,
        };
        Ok(offer::parse(&self.transport.ask(question).await?)?)
    }

    /// New keys under `current` while its admission lasts, or a new admission.
    pub(crate) async fn renew_or_admit(
        &self,
        current: Option<&AdmittedNode>,
        offer: &Offer,
        told: Told,
    ) -> Result<AdmittedNode, ClientError> {
        let now = self.now();
        let renewable = current.filter(|node| !node.is_forgotten() && !node.is_admission_due(now));
        if let Some(node) = renewable
            && let Ok(renewed) = self.renew(node, told).await
        {
            return Ok(renewed);
        }
        self.admit(offer, told).await
    }

    async fn renew(&self, node: &AdmittedNode, told: Told) -> Result<AdmittedNode, ClientError> {
        let question = Question {
            what: "the node's keys",
            path: &node.offer().keys,
            body: None,
            media_type: KEYS_MEDIA_TYPE,
            max_bytes: MAX_KEYS_BYTES,
        };
        let bytes = self.transport.ask(question).await?;
        let signed = SignedKeyConfigs::from_bytes(bytes.into());
        let renewed = node.with_keys(&signed, self.now())?;
        if told == Told::Checks {
            self.tell_all(appraisal::keys_checks(&renewed));
        }
        self.remember(&renewed)?;
        Ok(renewed)
    }

    /// Challenges the node with a fresh nonce and appraises what it answers (R3.3).
    async fn admit(&self, offer: &Offer, told: Told) -> Result<AdmittedNode, ClientError> {
        let nonce = Nonce(random::bytes()?);
        let question = Question {
            what: "the challenge",
            path: &offer.challenge,
            body: Some(Bytes::copy_from_slice(&nonce.0)),
            media_type: BUNDLE_MEDIA_TYPE,
            max_bytes: MAX_BUNDLE_BYTES,
        };
        let bundle = self.transport.ask(question).await?;
        let outcome = self.appraise(offer, bundle.into(), nonce);
        self.tell_all(match (told, &outcome) {
            (Told::Checks, outcome) => appraisal::admission_checks(outcome),
            (Told::Outcome, Ok(node)) => vec![appraisal::kept_check(node)],
            (Told::Outcome, Err(_)) => Vec::new(),
        });
        let node = outcome?;
        self.remember(&node)?;
        Ok(node)
    }

    /// A panic elsewhere leaves nothing half-verified among what is kept.
    fn appraise(
        &self,
        offer: &Offer,
        bundle: Vec<u8>,
        nonce: Nonce,
    ) -> Result<AdmittedNode, ClientError> {
        let mut verified = self.verified.lock().unwrap_or_else(PoisonError::into_inner);
        let judge = (&self.judge.appraiser, &mut *verified);
        let node = AdmittedNode::admit(offer, (bundle, nonce), judge, self.now())?;
        Ok(node)
    }

    /// Refuses a runtime whose signed policy version is below the highest seen under its policy root (R5.4).
    fn remember(&self, node: &AdmittedNode) -> Result<(), ClientError> {
        let root = &node.admitted().claims().manifest.policy_root;
        let keys = node.keys();
        let seen = &self.judge.seen;
        Ok(seen.observe(root, keys.policy_version, &keys.policy_digest)?)
    }

    pub(crate) fn notice(&self, text: String) {
        self.observer.observe(&Event::Notice(text));
    }

    pub(crate) fn tell(&self, check: Check) {
        self.observer.observe(&Event::Check(check));
    }

    fn tell_all(&self, checks: Vec<Check>) {
        for check in checks {
            self.tell(check);
        }
    }
}
