//! The client: seals each request to one node that the user's own policy admitted, and tries again as docs/protocol.md allows.

mod receipt_fetch;

pub use receipt_fetch::FetchedReceipt;

use crate::{
    AdmittedNode, ClientError, Clock, Connector, Exchange, Gateway, Observer, Request, RequestId,
    SeenPolicies, Settings,
    admissions::{Admissions, MAX_FAILOVERS},
    attester::Attester,
    exchange::{MISDIRECTED, Served},
    follow::PolicyUpdates,
    judging::{Judging, Turns},
    nodes::Want,
    random,
    transport::{Relayed, Transport},
};
use policy::Appraiser;
use std::sync::Arc;
use tokio::task::JoinHandle;

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
    admissions: Arc<Admissions>,
    settings: Settings,
    keeper: JoinHandle<()>,
    follower: Option<JoinHandle<()>>,
}

impl Client {
    /// A client that has admitted its first node; others are admitted beside its requests.
    pub async fn connect(
        gateway: &Gateway,
        judge: Judge,
        observer: Arc<dyn Observer>,
    ) -> Result<Self, ClientError> {
        Self::connect_with(gateway, judge, Settings::default(), observer).await
    }

    /// The same with other settings than the default ones.
    pub async fn connect_with(
        gateway: &Gateway,
        judge: Judge,
        settings: Settings,
        observer: Arc<dyn Observer>,
    ) -> Result<Self, ClientError> {
        Self::of(Transport::new(gateway)?, judge, settings, observer).await
    }

    /// The same with the default settings, reaching the gateway through `connector`.
    pub async fn connect_through(
        connector: Connector,
        gateway: &Gateway,
        judge: Judge,
        observer: Arc<dyn Observer>,
    ) -> Result<Self, ClientError> {
        let transport = Transport::through(connector, gateway)?;
        Self::of(transport, judge, Settings::default(), observer).await
    }

    async fn of(
        transport: Transport,
        judge: Judge,
        settings: Settings,
        observer: Arc<dyn Observer>,
    ) -> Result<Self, ClientError> {
        let judging = Judging::new(judge, &settings);
        judging.check_standing()?;
        let attester = Attester::new(transport, judging, observer, settings.verdicts);
        let admissions = Arc::new(Admissions::new(attester, settings.nodes));
        admissions.node(&Want::default()).await?;
        let keeper = tokio::spawn(Arc::clone(&admissions).keep());
        Ok(Self {
            admissions,
            settings,
            keeper,
            follower: None,
        })
    }

    /// The same client, which from now on judges by newer documents as soon as there are any. Nodes that they refuse are not sealed to
    /// any more, and answers of such nodes that are under way end with an error.
    #[must_use]
    pub fn following(mut self, updates: PolicyUpdates) -> Self {
        let follow = updates.follow(Arc::clone(&self.admissions));
        let before = self.follower.replace(tokio::spawn(follow));
        if let Some(before) = before {
            before.abort();
        }
        self
    }

    /// The model that the best admitted node attests.
    pub async fn model(&self) -> Result<String, ClientError> {
        let node = self.admissions.node(&Want::default()).await?;
        Ok(node.model().to_owned())
    }

    /// Seals `request` to one admitted node and waits for the head of its answer.
    ///
    /// Tries again, always under the same request id and with a fresh encapsulation: on the RFC 9458 key problem with fresh keys, once; on
    /// an envelope that the node refuses or an authentic 421 with a fresh admission, once; on a refused connection or 503 at the next node,
    /// at most twice (R11.1). The observer is told of each but the first: an outer error is the gateway's word, and may hide work that was done.
    pub async fn send(&self, request: &Request) -> Result<Exchange, ClientError> {
        self.send_where(request, Want::default()).await
    }

    /// The same, to the node of this name and no other.
    pub async fn send_to(&self, node: &str, request: &Request) -> Result<Exchange, ClientError> {
        let want = Want {
            only: Some(node),
            ..Want::default()
        };
        self.send_where(request, want).await
    }

    async fn send_where(&self, request: &Request, want: Want<'_>) -> Result<Exchange, ClientError> {
        let mut trial = Trial::of(request)?;
        let mut failed: Vec<String> = Vec::new();
        let mut unavailable = None;
        loop {
            self.admissions.attester.judging.check_standing()?;
            let want = Want {
                model: request.model.as_deref(),
                failed: &failed,
                ..want
            };
            let node = self.admissions.node(&want).await;
            let node = node.map_err(|error| unavailable.take().unwrap_or(error))?;
            let name = node.name().to_owned();
            match self.try_node(&mut trial, node).await? {
                Tried::Answered(exchange) => return Ok(*exchange),
                Tried::Unavailable(why) if failed.len() >= MAX_FAILOVERS => {
                    return Err(ClientError::Unavailable(why));
                }
                Tried::Refused(error) if failed.len() >= MAX_FAILOVERS => return Err(error),
                Tried::Refused(error) => {
                    unavailable = Some(error);
                    failed.push(name);
                }
                Tried::Unavailable(why) => {
                    self.tell_failover(&trial, &name, &why);
                    unavailable = Some(ClientError::Unavailable(why));
                    failed.push(name);
                }
            }
        }
    }

    /// One node, with each remedy that is left.
    async fn try_node(
        &self,
        trial: &mut Trial<'_>,
        mut node: Arc<AdmittedNode>,
    ) -> Result<Tried, ClientError> {
        loop {
            let turns = self.admissions.attester.judging.turns();
            if let Err(error) = self.judge_before_seal(&node)? {
                return Ok(Tried::Refused(error));
            }
            match self.seal_and_post(trial, &node, turns).await? {
                Relayed::Stream(mut exchange) => {
                    let is_misdirected = exchange.status().await? == MISDIRECTED;
                    if !is_misdirected || !trial.may(Remedy::Admission) {
                        return Ok(Tried::Answered(exchange));
                    }
                    exchange.collect().await?;
                    self.tell_new_admission(trial, &node, "does not know its attestation");
                }
                Relayed::Unavailable(why) => {
                    self.admissions.lost(&node, UNAVAILABLE);
                    return Ok(Tried::Unavailable(why));
                }
                Relayed::KeyProblem if trial.may(Remedy::Keys) => {}
                Relayed::KeyProblem => return Err(ClientError::KeyProblem),
                Relayed::EnvelopeRefused(_) if trial.may(Remedy::Admission) => {
                    node.forget();
                    self.tell_new_admission(trial, &node, "refused the envelope");
                }
                Relayed::EnvelopeRefused(status) => {
                    return Err(ClientError::EnvelopeRefused(status));
                }
            }
            node = self.admissions.renewed(&node).await?;
        }
    }

    /// An error stops the whole request, an inner one only what goes to this node. What ended since the node was chosen ends here.
    fn judge_before_seal(
        &self,
        node: &Arc<AdmittedNode>,
    ) -> Result<Result<(), ClientError>, ClientError> {
        let judging = &self.admissions.attester.judging;
        judging.check_standing()?;
        let judged = judging.judge_again(node).map(drop);
        Ok(judged.inspect_err(|error| self.admissions.refused(node, error)))
    }

    async fn seal_and_post(
        &self,
        trial: &Trial<'_>,
        node: &Arc<AdmittedNode>,
        turns: Turns,
    ) -> Result<Relayed<Box<Exchange>>, ClientError> {
        check_model(trial.request, node)?;
        let attester = &self.admissions.attester;
        let to_seal = trial.request.to_seal(trial.id, &self.settings);
        let (sealed, opener) = node.seal(&to_seal, attester.judging.now())?;
        let relayed = attester
            .transport
            .relay(&node.offer().relay, sealed.envelope);
        let relayed = relayed.await.inspect_err(|error| {
            if matches!(
                error,
                ClientError::Interrupted(_) | ClientError::TimedOut(_)
            ) {
                self.admissions.lost(node, error.code());
            }
        })?;
        let served = Served {
            node: Arc::clone(node),
            admissions: Arc::clone(&self.admissions),
            turns,
        };
        Ok(relayed.map(|body| Box::new(Exchange::new(trial.id, served, opener, body))))
    }

    fn tell_failover(&self, trial: &Trial<'_>, node: &str, why: &str) {
        self.admissions.attester.notice(format!(
            "node {node} is unavailable ({why}): request {} is sealed to another node; the first may have begun it",
            trial.id
        ));
    }

    fn tell_new_admission(&self, trial: &Trial<'_>, node: &AdmittedNode, what: &str) {
        self.admissions.attester.notice(format!(
            "node {} {what}: it is challenged anew, and request {} is sealed to it once more",
            node.name(),
            trial.id
        ));
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.keeper.abort();
        if let Some(follower) = &self.follower {
            follower.abort();
        }
    }
}

const UNAVAILABLE: &str = "gateway.unavailable";

/// One request on its way through nodes and remedies.
struct Trial<'a> {
    id: RequestId,
    request: &'a Request,
    spent: Vec<Remedy>,
}

/// What may be done once for a request before it is sealed to the same node again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Remedy {
    /// Fresh keys.
    Keys,
    /// A fresh challenge.
    Admission,
}

enum Tried {
    Answered(Box<Exchange>),
    /// The word is not authenticated.
    Unavailable(String),
    /// What is in force refuses it now; nothing was sent.
    Refused(ClientError),
}

impl<'a> Trial<'a> {
    fn of(request: &'a Request) -> Result<Self, ClientError> {
        Ok(Self {
            id: RequestId(random::bytes()?),
            request,
            spent: Vec::new(),
        })
    }

    /// Whether `remedy` is left; it is not, from then on.
    fn may(&mut self, remedy: Remedy) -> bool {
        let is_left = !self.spent.contains(&remedy);
        if is_left {
            self.spent.push(remedy);
        }
        is_left
    }
}

/// Said here rather than by the runtime, whose refusal would give no reason.
fn check_model(request: &Request, node: &AdmittedNode) -> Result<(), ClientError> {
    match &request.model {
        Some(asked) if !node.serves(Some(asked)) => Err(ClientError::Model {
            asked: asked.clone(),
            served: node.model().to_owned(),
        }),
        _ => Ok(()),
    }
}
