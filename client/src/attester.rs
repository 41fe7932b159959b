//! Asks nodes for evidence and keys, has what they answer judged, and compares the verdict with the gateway's.

use crate::{
    AdmittedNode, Check, ClientError, Event, Observer, appraisal,
    judging::Judging,
    random,
    settings::Verdicts,
    transport::{Content, Question, Transport},
    verdict::{Comparing, Verdict},
};
use attestation::{Nonce, bundle::MAX_BUNDLE_BYTES};
use protocol::SignedKeyConfigs;
use session::{Offer, offer};
use std::sync::Arc;

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

/// Asks nodes through one gateway.
pub(crate) struct Attester {
    pub(crate) transport: Arc<Transport>,
    pub(crate) judging: Judging,
    observer: Arc<dyn Observer>,
    /// `None`: verdicts stay here.
    comparing: Option<Arc<Comparing>>,
}

impl Attester {
    pub(crate) fn new(
        transport: Transport,
        judging: Judging,
        observer: Arc<dyn Observer>,
        verdicts: Verdicts,
    ) -> Self {
        let transport = Arc::new(transport);
        let comparing = || Comparing::new(Arc::clone(&transport), Arc::clone(&observer));
        Self {
            comparing: (verdicts == Verdicts::Compared).then(|| Arc::new(comparing())),
            transport,
            judging,
            observer,
        }
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
        self.judging.check_name(&offer.node)?;
        let now = self.judging.now();
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
        let renewed = node.with_keys(&signed, self.judging.now())?;
        if told == Told::Checks {
            self.tell_all(appraisal::keys_checks(&renewed));
        }
        self.judging.remember(&renewed)?;
        Ok(renewed)
    }

    /// Challenges the node with a fresh nonce and appraises what it answers (R3.3).
    async fn admit(&self, offer: &Offer, told: Told) -> Result<AdmittedNode, ClientError> {
        let nonce = Nonce(random::bytes()?);
        let question = Question {
            what: "the challenge",
            path: &offer.challenge,
            body: Some(Content::nonce(&nonce)),
            media_type: BUNDLE_MEDIA_TYPE,
            max_bytes: MAX_BUNDLE_BYTES,
        };
        let bundle = self.transport.ask(question).await?;
        let outcome = self.judging.appraise(offer, bundle.into(), nonce);
        self.tell_all(match (told, &outcome) {
            (Told::Checks, outcome) => appraisal::admission_checks(outcome),
            (Told::Outcome, Ok(node)) => vec![appraisal::kept_check(node)],
            (Told::Outcome, Err(_)) => Vec::new(),
        });
        self.compare(offer, &outcome);
        outcome
    }

    /// An admitted node under what is in force now.
    pub(crate) fn judge_again(&self, node: &AdmittedNode) -> Result<AdmittedNode, ClientError> {
        let outcome = self.judging.judge_again(node);
        if outcome.is_err() {
            self.compare(node.offer(), &outcome);
        }
        outcome
    }

    /// Compares the outcome of an appraisal with the gateway's, beside the requests.
    fn compare(&self, offer: &Offer, outcome: &Result<AdmittedNode, ClientError>) {
        let Some(comparing) = &self.comparing else {
            return;
        };
        let digest = *self.judging.appraiser().policy().digest();
        if let Some(verdict) = Verdict::of(outcome, digest) {
            tokio::spawn(Arc::clone(comparing).compare(offer.node.clone(), verdict));
        }
    }

    pub(crate) fn notice(&self, text: String) {
        self.observer.observe(&Event::Notice(text));
    }

    pub(crate) fn tell(&self, check: Check) {
        self.observer.observe(&Event::Check(check));
    }

    /// Something that people must look at although the work goes on: a check, which records keep, and a notice.
    pub(crate) fn alarm(&self, check: Check) {
        crate::alarm::raise(&*self.observer, check);
    }

    fn tell_all(&self, checks: Vec<Check>) {
        for check in checks {
            self.tell(check);
        }
    }
}
