//! The client: admits nodes by its own policy, keeps them while their admission lasts, seals requests to them.

use crate::{
    AdmittedNode, Check, ClientError, Clock, Event, Exchange, Gateway, Observer, Request,
    RequestId, appraisal,
    offer::{self, Offer},
    random,
    seen_policies::SeenPolicies,
    transport::{Question, Relayed, Transport},
};
use attestation::{Cache, Nonce, bundle::MAX_BUNDLE_BYTES};
use bytes::Bytes;
use policy::Appraiser;
use protocol::SignedKeyConfigs;
use provision::Connector;
use std::{collections::HashMap, sync::Arc};
use tokio::sync::Mutex;

const BUNDLE_MEDIA_TYPE: &str = "application/cmw+cbor";
const KEYS_MEDIA_TYPE: &str = "application/cose";
const MAX_KEYS_BYTES: usize = 64 * 1024;
/// Nodes tried for one request after the first.
const MAX_FAILOVERS: usize = 2;

/// What judges: the user's own policy, the clock, and the memory of versions.
pub struct Judge {
    /// Verifier and policy.
    pub appraiser: Appraiser,
    /// Now.
    pub clock: Arc<dyn Clock>,
    /// The highest policy versions that nodes have signed for.
    pub seen: SeenPolicies,
}

/// A client of one gateway. Share it: admissions are shared too.
pub struct Client {
    transport: Transport,
    judge: Judge,
    observer: Arc<dyn Observer>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    offers: Vec<Offer>,
    nodes: HashMap<String, Arc<AdmittedNode>>,
    /// What earlier appraisals verified.
    verified: Cache,
}

impl Client {
    /// A client that has admitted its first node.
    pub async fn connect(
        gateway: &Gateway,
        judge: Judge,
        observer: Arc<dyn Observer>,
    ) -> Result<Self, ClientError> {
        Self::over(Transport::new(gateway)?, judge, observer).await
    }

    /// The same, reaching the gateway through `connector`.
    pub async fn connect_through(
        connector: Connector,
        gateway: &Gateway,
        judge: Judge,
        observer: Arc<dyn Observer>,
    ) -> Result<Self, ClientError> {
        Self::over(Transport::through(connector, gateway)?, judge, observer).await
    }

    async fn over(
        transport: Transport,
        judge: Judge,
        observer: Arc<dyn Observer>,
    ) -> Result<Self, ClientError> {
        let client = Self {
            transport,
            judge,
            observer,
            state: Mutex::default(),
        };
        client.usable_node(&[]).await?;
        Ok(client)
    }

    /// The model that the best admitted node attests.
    pub async fn model(&self) -> Result<String, ClientError> {
        let node = self.usable_node(&[]).await?;
        Ok(node.admitted().claims().manifest.model.clone())
    }

    /// Seals `request` to an admitted node. On the RFC 9458 key problem: fresh keys, once. On a refused connection or 503: the next
    /// node, at most twice; the observer is told. Always a fresh encapsulation, always the same request id.
    pub async fn send(&self, request: &Request) -> Result<Exchange, ClientError> {
        let id = RequestId(random::bytes()?);
        let mut failed: Vec<String> = Vec::new();
        loop {
            let node = self.usable_node(&failed).await?;
            match self.attempt(request, id, &node).await? {
                Attempt::Answered(exchange) => return Ok(*exchange),
                Attempt::Unavailable(why) if failed.len() < MAX_FAILOVERS => {
                    self.notice(format!("node {} is unavailable ({why})", node.name()));
                    failed.push(node.name().to_owned());
                }
                Attempt::Unavailable(why) => return Err(ClientError::Unavailable(why)),
            }
        }
    }

    /// One node, with one refresh of its keys if it asks for that.
    async fn attempt(
        &self,
        request: &Request,
        id: RequestId,
        node: &Arc<AdmittedNode>,
    ) -> Result<Attempt, ClientError> {
        if let Some(attempt) = self.seal_and_post(request, id, node).await? {
            return Ok(attempt);
        }
        let renewed = self.refresh(node).await?;
        let attempt = self.seal_and_post(request, id, &renewed).await?;
        attempt.ok_or(ClientError::KeyProblem)
    }

    /// `None`: the key problem.
    async fn seal_and_post(
        &self,
        request: &Request,
        id: RequestId,
        node: &Arc<AdmittedNode>,
    ) -> Result<Option<Attempt>, ClientError> {
        check_model(request, node)?;
        let now = self.judge.clock.now();
        let (sealed, opener) = node.sealer.seal(&request.to_seal(id), now)?;
        let relayed = self.transport.relay(&node.offer.relay, sealed.envelope);
        Ok(match relayed.await? {
            Relayed::Stream(body) => {
                let exchange = Exchange::new(id, Arc::clone(node), opener, body);
                Some(Attempt::Answered(Box::new(exchange)))
            }
            Relayed::Unavailable(why) => Some(Attempt::Unavailable(why)),
            Relayed::KeyProblem => None,
        })
    }

    /// The best node that is admitted now, or can be, except those in `failed`.
    pub(crate) async fn usable_node(
        &self,
        failed: &[String],
    ) -> Result<Arc<AdmittedNode>, ClientError> {
        let mut state = self.state.lock().await;
        let now = self.judge.clock.now();
        if let Some(node) = state.candidates(failed).find_map(|offer| {
            let node = state.nodes.get(&offer.node)?;
            node.is_usable(now).then(|| Arc::clone(node))
        }) {
            return Ok(node);
        }
        state.offers = self.fetch_offers().await?;
        self.admit_one(&mut state, failed).await
    }

    /// Admits the first node on offer that the policy accepts; a refused one is told, and the last refusal is the answer if all are.
    async fn admit_one(
        &self,
        state: &mut State,
        failed: &[String],
    ) -> Result<Arc<AdmittedNode>, ClientError> {
        let offers: Vec<Offer> = state.candidates(failed).cloned().collect();
        let mut last = ClientError::Unavailable("no other node is on offer".to_owned());
        for offer in offers.into_iter().take(1 + MAX_FAILOVERS) {
            match self.renew_or_admit(state, &offer).await {
                Ok(node) => return Ok(node),
                Err(error) => {
                    self.notice(format!("node {} is passed over: {error}", offer.node));
                    last = error;
                }
            }
        }
        Err(last)
    }

    /// After the key problem: fresh keys for `node`, unless another request got them meanwhile.
    async fn refresh(&self, node: &Arc<AdmittedNode>) -> Result<Arc<AdmittedNode>, ClientError> {
        let mut state = self.state.lock().await;
        match state.nodes.get(node.name()) {
            Some(current) if !Arc::ptr_eq(current, node) => Ok(Arc::clone(current)),
            _ => self.renew_or_admit(&mut state, &node.offer).await,
        }
    }

    /// New keys under the admission that still lasts, or a new admission.
    async fn renew_or_admit(
        &self,
        state: &mut State,
        offer: &Offer,
    ) -> Result<Arc<AdmittedNode>, ClientError> {
        let renewed = match state.nodes.remove(&offer.node) {
            Some(node) if !node.is_forgotten() => self.renew(&node).await.ok(),
            _ => None,
        };
        let node = match renewed {
            Some(node) => node,
            None => self.admit(&mut state.verified, offer).await?,
        };
        self.remember(&node)?;
        let node = Arc::new(node);
        state.nodes.insert(offer.node.clone(), Arc::clone(&node));
        Ok(node)
    }

    async fn renew(&self, node: &AdmittedNode) -> Result<AdmittedNode, ClientError> {
        let bytes = self
            .transport
            .ask(Question {
                what: "the node's keys",
                path: &node.offer.keys,
                body: None,
                media_type: KEYS_MEDIA_TYPE,
                max_bytes: MAX_KEYS_BYTES,
            })
            .await?;
        let signed = SignedKeyConfigs::from_bytes(bytes.into());
        let renewed = node.with_keys(&signed, self.judge.clock.now())?;
        self.tell_all(appraisal::keys_checks(&renewed));
        Ok(renewed)
    }

    /// Challenges the node with a fresh nonce and appraises what it answers.
    async fn admit(
        &self,
        verified: &mut Cache,
        offer: &Offer,
    ) -> Result<AdmittedNode, ClientError> {
        let nonce = Nonce(random::bytes()?);
        let bundle = self
            .transport
            .ask(Question {
                what: "the challenge",
                path: &offer.challenge,
                body: Some(Bytes::copy_from_slice(&nonce.0)),
                media_type: BUNDLE_MEDIA_TYPE,
                max_bytes: MAX_BUNDLE_BYTES,
            })
            .await?;
        let now = self.judge.clock.now();
        let judge = (&self.judge.appraiser, verified);
        let outcome = AdmittedNode::admit(offer, (bundle.into(), nonce), judge, now);
        self.tell_all(appraisal::admission_checks(&outcome));
        outcome
    }

    async fn fetch_offers(&self) -> Result<Vec<Offer>, ClientError> {
        let bytes = self
            .transport
            .ask(Question {
                what: "the offers",
                path: offer::OFFERS_PATH,
                body: None,
                media_type: "application/json",
                max_bytes: offer::MAX_OFFERS_BYTES,
            })
            .await?;
        let offers = offer::parse(&bytes)?;
        let names: Vec<&str> = offers.iter().map(|offer| offer.node.as_str()).collect();
        self.tell_all(vec![
            Check::info("gateway.offers", "nodes on offer").detail(format!(
                "{} at {}: a hint, not an admission",
                names.join(", "),
                self.transport.url()
            )),
        ]);
        Ok(offers)
    }

    /// Refuses a runtime whose signed policy version is below the highest seen under its policy root.
    fn remember(&self, node: &AdmittedNode) -> Result<(), ClientError> {
        let root = &node.admitted().claims().manifest.policy_root;
        let keys = node.keys();
        self.judge
            .seen
            .observe(root, keys.policy_version, &keys.policy_digest)?;
        Ok(())
    }

    fn notice(&self, text: String) {
        self.observer.observe(&Event::Notice(text));
    }

    fn tell_all(&self, checks: Vec<Check>) {
        for check in checks {
            self.observer.observe(&Event::Check(check));
        }
    }
}

/// Said here rather than by the runtime, whose refusal would give no reason.
fn check_model(request: &Request, node: &AdmittedNode) -> Result<(), ClientError> {
    let served = &node.admitted().claims().manifest.model;
    match &request.model {
        Some(asked) if asked != served => Err(ClientError::Model {
            asked: asked.clone(),
            served: served.clone(),
        }),
        _ => Ok(()),
    }
}

impl State {
    fn candidates(&self, failed: &[String]) -> impl Iterator<Item = &Offer> {
        self.offers
            .iter()
            .filter(|offer| !failed.contains(&offer.node))
    }
}

enum Attempt {
    Answered(Box<Exchange>),
    /// A refused connection or 503; the word is not authenticated.
    Unavailable(String),
}
