//! Why there is no complete, verified answer; variants in the order of the steps.

use crate::{MemoryError, NodeError, OffersError};
use attestation::BundleError;
use policy::{Denial, PolicyError, PublicationError, Reason, Refusal, SignatureError};
use protocol::{OpenError, SealError};
use serde_json::json;

/// The step that failed; [`SessionError::code`] is stable.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// A key of the policy root.
    #[error("policy key {0} is not an Ed25519 public key in PEM (openssl pkey -pubout)")]
    PolicyKey(usize),
    /// The keys together are no root.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// A root document and keys: only one of them can say whose documents count.
    #[error("there are a root document and keys: give one of the two")]
    TwoRoots,
    /// The root document.
    #[error("the root is refused: {}", lines(.0))]
    Root(Vec<PolicyError>),
    /// The signatures, every mistake of the documents, or how they fit together.
    #[error("the policy is refused: {}", lines(.0))]
    Policy(Vec<PublicationError>),
    /// An older policy than before, the user's own or a node's, or a memory that cannot tell.
    #[error(transparent)]
    Memory(#[from] MemoryError),
    /// The country demanded.
    #[error("{0:?} is not a country of ISO 3166-1 alpha-2")]
    Residency(String),
    /// The secret of a shared cache.
    #[error("a cache secret has 32 bytes")]
    CacheSecret,
    /// No random bytes.
    #[error("there is no source of randomness")]
    Random,
    /// A request that has no sealed form.
    #[error(
        "no sealed form for {method} {path}: only POST /v1/chat/completions, /v1/completions, /v1/responses and /v1/embeddings, GET /v1/models and GET /v1/models/{{id}}"
    )]
    Route {
        /// Of the request.
        method: String,
        /// Of the request.
        path: String,
    },
    /// A body that is not JSON.
    #[error("the body must be application/json")]
    MediaType,
    /// A body above the limit.
    #[error("the body is larger than {0} bytes")]
    RequestTooLarge(usize),
    /// A body that names no model.
    #[error("the body must be a JSON object that names its \"model\" once")]
    Body,
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
    #[error("{}", refusal(.0))]
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
    /// An order or an ended lease forbids it: nothing is sent, or nothing to this node.
    #[error("policy version {} lets nothing be sent there: {}", .0.policy_version, reasons(&.0.reasons))]
    Stopped(Denial),
    /// The user's own inventory does not place the node in the country demanded.
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
    /// The runtime refused the envelope; it tells no more than that.
    #[error("the node refused the sealed request (status {0})")]
    EnvelopeRefused(u16),
    /// The sealed answer.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The connection broke before the authenticated end.
    #[error("the answer was truncated: the connection broke before its authenticated end ({0})")]
    Interrupted(String),
    /// The answer is larger than is taken in one piece.
    #[error("the answer is larger than {0} bytes")]
    AnswerTooLarge(usize),
    /// The caller's own calls are out of order.
    #[error("{0} is not what comes next")]
    Order(&'static str),
}

impl From<NodeError> for SessionError {
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

impl From<OffersError> for SessionError {
    fn from(error: OffersError) -> Self {
        match error {
            OffersError::Malformed => Self::Answer("the offers"),
            OffersError::Empty => Self::NoNode,
        }
    }
}

impl SessionError {
    /// Stable code; the same as those of `narthex` for the same step.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::PolicyKey(_) => "policy.key",
            Self::Signature(error) => error.code(),
            Self::TwoRoots => "policy.root.two",
            Self::Root(mistakes) => mistakes
                .first()
                .map_or("policy.document.syntax", PolicyError::code),
            Self::Policy(mistakes) => mistakes
                .first()
                .map_or("policy.document.syntax", PublicationError::code),
            Self::Memory(error) => error.code(),
            Self::Residency(_) => "client.residency",
            Self::CacheSecret => "seal.cache_secret",
            Self::Random => "client.random",
            Self::Route { .. } => "unknown_url",
            Self::MediaType => "unsupported_media_type",
            Self::RequestTooLarge(_) => "request_too_large",
            Self::Body => "invalid_body",
            Self::Bundle(error) => error.code(),
            Self::Refused(Refusal::Evidence(error)) => error.code(),
            Self::Refused(Refusal::Policy(_)) => "policy.denied",
            Self::NoKeys => "keys.absent",
            Self::NodeName { .. } => "keys.node",
            Self::Stopped(denial) => denial.reasons.first().map_or("policy.denied", |r| r.code),
            Self::Placement { .. } => "residency.placement",
            Self::Model { .. } => "model_not_found",
            Self::Seal(error) => error.code(),
            other => other.transport_code(),
        }
    }

    /// Codes of what the network did.
    fn transport_code(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "gateway.unreachable",
            Self::TimedOut(_) => "gateway.timed_out",
            Self::Unauthorized(_) => "gateway.unauthorized",
            Self::Status { .. } => "gateway.status",
            Self::Answer(_) => "gateway.answer",
            Self::NoNode => "gateway.no_node",
            Self::Unavailable(_) => "gateway.unavailable",
            Self::KeyProblem => "channel.key",
            Self::EnvelopeRefused(_) => "channel.refused",
            Self::Open(OpenError::Truncated) => "channel.truncated",
            Self::Interrupted(_) => "channel.interrupted",
            Self::Open(error) => error.code(),
            Self::AnswerTooLarge(_) => "channel.answer_too_large",
            _ => "client.order",
        }
    }

    /// Whether the same request may succeed later without anybody changing anything.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Unreachable(_)
            | Self::TimedOut(_)
            | Self::NoNode
            | Self::KeyProblem
            | Self::Unavailable(_)
            | Self::Open(_)
            | Self::Interrupted(_) => true,
            Self::Status { status, .. } => *status >= 500,
            Self::Refused(Refusal::Evidence(error)) => error.retryable(),
            _ => false,
        }
    }

    /// The HTTP status that tells a mistake of the request as OpenAI's API would; `None`: no mistake of the request.
    #[must_use]
    pub const fn request_status(&self) -> Option<u16> {
        match self {
            Self::Route { .. } | Self::Model { .. } => Some(404),
            Self::MediaType => Some(415),
            Self::RequestTooLarge(_) => Some(413),
            Self::Body => Some(400),
            _ => None,
        }
    }

    /// The body that goes with [`Self::request_status`], in OpenAI's shape.
    #[must_use]
    pub fn to_openai_json(&self) -> String {
        let error = json!({
            "message": self.to_string(),
            "type": "invalid_request_error",
            "param": null,
            "code": self.code(),
        });
        json!({ "error": error }).to_string()
    }
}

fn lines<E: ToString>(mistakes: &[E]) -> String {
    let lines: Vec<_> = mistakes.iter().map(ToString::to_string).collect();
    lines.join("; ")
}

/// A denial with every reason.
fn refusal(refusal: &Refusal) -> String {
    let Refusal::Policy(denial) = refusal else {
        return refusal.to_string();
    };
    let reasons: Vec<_> = denial.reasons.iter().map(in_words).collect();
    format!(
        "policy version {} denies the node: {}",
        denial.policy_version,
        reasons.join("; ")
    )
}

/// One reason: where its rule stands, what was expected and found, and what would do.
fn in_words(reason: &Reason) -> String {
    let at = reason.at.map(|at| format!(", policy.toml:{}", at.line));
    let advisory = reason.advisory.as_ref();
    let advisory = advisory.map(|advisory| format!("; {}", advisory.name));
    format!(
        "{} ({}{}: expected {}; actual {}{}; what would do: {})",
        reason.code,
        reason.rule,
        at.unwrap_or_default(),
        reason.expected,
        reason.actual,
        advisory.unwrap_or_default(),
        reason.remedy()
    )
}

fn reasons(reasons: &[Reason]) -> String {
    let told = reasons
        .iter()
        .map(|reason| format!("{} ({})", reason.code, reason.actual));
    told.collect::<Vec<_>>().join(", ")
}
