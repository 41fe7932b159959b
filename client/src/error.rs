//! Why the client did not get a complete, verified answer; variants in the order of the steps.

use attestation::BundleError;
use policy::{Denial, Reason, Refusal};
use protocol::{KeyConfigError, OpenError, SealError};
use session::{NodeError, OffersError};

/// The step that failed; [`ClientError::code`] is stable, [`ClientError::advice`] says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// Not the address of a gateway.
    #[error("{0:?} is not the address of a gateway")]
    Url(String),
    /// Plain HTTP to another machine.
    #[error("{0:?} is plain HTTP to another machine")]
    Plaintext(String),
    /// The root certificates for TLS.
    #[error("no usable root certificates for the gateway: {0}")]
    Roots(String),
    /// The API key is empty or has characters that no header can carry.
    #[error("the API key is empty or has characters that a header cannot carry")]
    ApiKey,
    /// The operating system gave no random bytes.
    #[error("the operating system gave no random bytes")]
    Random,
    /// No connection, or it broke before an answer.
    #[error("the gateway cannot be reached: {0}")]
    Unreachable(String),
    /// The gateway took longer than the limit.
    #[error("the gateway did not answer within {0} s")]
    TimedOut(u64),
    /// 401 or 403.
    #[error("the gateway does not accept the API key (status {0})")]
    Unauthorized(u16),
    /// Another status than the route may give.
    #[error("the gateway answered {what} with status {status}{detail}")]
    Status {
        /// The route.
        what: &'static str,
        /// Its status.
        status: u16,
        /// The title of its problem document, if it sent one: unauthenticated.
        detail: String,
    },
    /// An answer that is malformed or above its size limit.
    #[error("the gateway's answer to {0} is malformed or too large")]
    Answer(&'static str),
    /// No node on offer.
    #[error("the gateway offers no node")]
    NoNode,
    /// The evidence bundle does not parse.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// The evidence is not authentic, or the user's policy denies what it says.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The bundle carries no key list.
    #[error("the node's evidence comes without its signed key list")]
    NoKeys,
    /// The key list names another node than the offer.
    #[error("the node calls itself {actual:?} in its key list, but was offered as {offered:?}")]
    NodeName {
        /// In the offer.
        offered: String,
        /// In the signed list.
        actual: String,
    },
    /// The runtime obeys a policy older than one that it obeyed before.
    #[error(transparent)]
    Rollback(#[from] crate::seen_policies::StalePolicy),
    /// An order or an ended lease forbids it: nothing is sent, or nothing to this node.
    #[error("policy version {} lets nothing be sent there: {}", .0.policy_version, reasons(&.0.reasons))]
    Stopped(Denial),
    /// The client's own inventory does not place the node in the country demanded.
    #[error("the inventory places the node {}, not in {demanded}", .placed.as_ref().map_or_else(|| "nowhere".to_owned(), |country| format!("in {country}")))]
    Placement {
        /// By the user.
        demanded: String,
        /// By the inventory.
        placed: Option<String>,
    },
    /// The request names another model than the node attests.
    #[error("the node does not serve {asked:?}; it attests {served:?}")]
    Model {
        /// In the request.
        asked: String,
        /// In the manifest.
        served: String,
    },
    /// Nothing could be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// No key of the node fits, even after a refresh.
    #[error("the node does not know the key that it signed, even after a refresh")]
    KeyProblem,
    /// Every node that was tried is unavailable.
    #[error("no node is available: {0}")]
    Unavailable(String),
    /// The runtime refused the envelope, of a fresh admission too; it tells no more than that.
    #[error("the node refused the sealed request (status {0}), even after it was admitted anew")]
    EnvelopeRefused(u16),
    /// The sealed answer.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The connection broke before the authenticated end.
    #[error(
        "the answer is NOT complete: the connection broke before its authenticated end, and nothing is known of whether the node finished it ({0})"
    )]
    Interrupted(String),
    /// What is in force since then refuses the node that was answering.
    #[error("the answer is NOT complete: while it came, policy version {} took its node back: {}", .0.policy_version, reasons(&.0.reasons))]
    Withdrawn(Denial),
    /// The answer is larger than the client takes in one piece.
    #[error("the answer is larger than {0} bytes")]
    AnswerTooLarge(usize),
}

impl From<KeyConfigError> for ClientError {
    fn from(error: KeyConfigError) -> Self {
        Self::Seal(SealError::KeyConfig(error))
    }
}

impl From<NodeError> for ClientError {
    fn from(error: NodeError) -> Self {
        match error {
            NodeError::Bundle(error) => Self::Bundle(error),
            NodeError::Refused(refusal) => Self::Refused(refusal),
            NodeError::NoKeys => Self::NoKeys,
            NodeError::Seal(error) => Self::Seal(error),
            NodeError::NodeName { offered, actual } => Self::NodeName { offered, actual },
        }
    }
}

impl From<OffersError> for ClientError {
    fn from(error: OffersError) -> Self {
        match error {
            OffersError::Malformed => Self::Answer("the offers"),
            OffersError::Empty => Self::NoNode,
        }
    }
}

impl ClientError {
    /// Whether a node could not prove what it runs, or by whose policy: it is left out, rather than asked again soon.
    pub(crate) const fn is_refusal(&self) -> bool {
        matches!(
            self,
            Self::Bundle(_)
                | Self::Refused(_)
                | Self::NoKeys
                | Self::NodeName { .. }
                | Self::Rollback(_)
                | Self::Stopped(_)
                | Self::Placement { .. }
                | Self::Seal(_)
        )
    }

    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Url(_) => "gateway.url",
            Self::Plaintext(_) => "gateway.plaintext",
            Self::Roots(_) => "gateway.roots",
            Self::ApiKey => "gateway.api_key",
            Self::Random => "client.random",
            Self::Unreachable(_) => "gateway.unreachable",
            Self::TimedOut(_) => "gateway.timed_out",
            Self::Unauthorized(_) => "gateway.unauthorized",
            Self::Status { .. } => "gateway.status",
            Self::Answer(_) => "gateway.answer",
            Self::NoNode => "gateway.no_node",
            Self::Bundle(error) => error.code(),
            Self::Refused(Refusal::Evidence(error)) => error.code(),
            Self::Refused(Refusal::Policy(_)) => "policy.denied",
            Self::NoKeys => "keys.absent",
            Self::NodeName { .. } => "keys.node",
            Self::Rollback(error) => error.code(),
            Self::Stopped(denial) | Self::Withdrawn(denial) => stop_code(denial),
            Self::Placement { .. } => "residency.placement",
            Self::Model { .. } => "model_not_found",
            Self::Seal(error) => error.code(),
            Self::KeyProblem => "channel.key",
            Self::Unavailable(_) => "gateway.unavailable",
            Self::EnvelopeRefused(_) => "channel.refused",
            Self::Open(OpenError::Truncated) => "channel.truncated",
            Self::Interrupted(_) => "channel.interrupted",
            Self::Open(error) => error.code(),
            Self::AnswerTooLarge(_) => "channel.answer_too_large",
        }
    }

    /// What the user can do about it.
    #[must_use]
    pub const fn advice(&self) -> &'static str {
        match self {
            Self::Url(_) => {
                "give https://HOST[:PORT] without a path, with --gateway or NARTHEX_GATEWAY"
            }
            Self::Plaintext(_) => "use https://; plain http:// is only for loopback",
            Self::Roots(_) => "name the gateway's CA certificate with --ca FILE (PEM)",
            Self::ApiKey => "give the key with --api-key-file FILE or NARTHEX_API_KEY",
            Self::Random => "this machine has no working random number generator",
            Self::Unreachable(_) | Self::TimedOut(_) => {
                "check the address, that the gateway runs, and --ca FILE if its certificate is private"
            }
            Self::Unauthorized(_) => {
                "ask the gateway's operator for a key; give it with --api-key-file FILE or NARTHEX_API_KEY"
            }
            Self::Status { .. } | Self::Answer(_) => {
                "check that the address is a Narthex gateway of this version"
            }
            Self::NoNode | Self::Unavailable(_) => {
                "try again later, or ask the gateway's operator why no node is admitted"
            }
            Self::Refused(Refusal::Policy(_)) => {
                "the node is authentic but not one that your policy accepts; each reason is listed above"
            }
            Self::Bundle(_) | Self::Refused(_) | Self::NoKeys | Self::NodeName { .. } => {
                "do not use this node: it cannot prove what it runs; nothing was sent to it"
            }
            Self::Rollback(_) => {
                "the node obeys an older policy than before; if that was meant, remove the state directory"
            }
            Self::Stopped(_) => {
                "those who publish your policy have stopped this, or have not renewed its lease; ask them"
            }
            Self::Placement { .. } => {
                "another node may be where you demand; ask whoever keeps the inventory if this one is meant"
            }
            Self::Withdrawn(_) => {
                "do not use the partial answer; ask again: another node is tried if your policy leaves one"
            }
            Self::Model { .. } => "ask for the model that the node attests",
            Self::Seal(_) | Self::KeyProblem => "try again: the node's keys changed meanwhile",
            Self::EnvelopeRefused(_) => {
                "check this machine's clock (300 s are allowed) and that client and node have the same version"
            }
            Self::Interrupted(_) => {
                "do not use the partial answer; ask again: another node is tried, and the lost one may have done the work"
            }
            Self::Open(OpenError::Outcome(_)) => {
                "do not use the partial answer; ask again, or report it with its receipt if it stays"
            }
            Self::Open(_) => "do not use the partial answer; try again, and report it if it stays",
            Self::AnswerTooLarge(_) => "ask for a stream (\"stream\": true), or for fewer tokens",
        }
    }
}

/// What stops; without an order or a lease among the reasons it is a denial like others.
fn stop_code(denial: &Denial) -> &'static str {
    let stops = |code: &str| code.starts_with("policy.stopped.") || code == "policy.lease";
    let codes = denial.reasons.iter().map(|reason| reason.code);
    codes
        .into_iter()
        .find(|code| stops(code))
        .unwrap_or("policy.denied")
}

/// Each reason with what was found.
fn reasons(reasons: &[Reason]) -> String {
    let told = reasons
        .iter()
        .map(|reason| format!("{} ({})", reason.code, reason.actual));
    told.collect::<Vec<_>>().join(", ")
}
