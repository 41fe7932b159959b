//! The gateway's own connections to the nodes: one pool, plain HTTP/1.1 (everything secret is sealed), headers of our making only.

use crate::problem::Problem;
use bytes::Bytes;
use hyper::{
    Method, Request, Response, StatusCode, Uri,
    body::Incoming,
    header::{CONTENT_TYPE, HeaderMap, HeaderValue},
    http::uri::{Authority, PathAndQuery, Scheme},
};
use hyper_util::{
    client::legacy::Client,
    rt::{TokioExecutor, TokioTimer},
};
use listener::{Body, BodyError, body, read_body};
use provision::Connector;
use std::time::Duration;

/// Idle connections are closed before the node's own header time-out closes them.
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(5);
/// Bytes that are read at once, which is also the most that an answer's header section may have. Each stream under way keeps a buffer of this
/// size: seven records of a padded answer, and half of what hyper would take.
const READ_BYTES: usize = 4096;

/// What is asked of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    Challenge,
    Keys,
    Sealed(protocol::Form),
}

/// Largest answer and longest wait.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FetchLimits {
    pub(crate) max_bytes: usize,
    pub(crate) timeout: Duration,
}

/// Why a node gave no usable answer; `code()` is stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UpstreamError {
    /// No connection, or it broke before the answer.
    #[error("the node cannot be reached")]
    Unreachable,
    /// No answer in time.
    #[error("the node did not answer in time")]
    TimedOut,
    /// It sheds load.
    #[error("the node sheds load")]
    Overloaded,
    /// Neither 200 nor 503.
    #[error("the node answered with status {0}")]
    Status(u16),
    /// Not the media type of the route.
    #[error("the node answered with another media type")]
    MediaType,
    /// Over the size cap.
    #[error("the node's answer is too large")]
    TooLarge,
    /// Broke off.
    #[error("the node's answer broke off")]
    Truncated,
}

impl UpstreamError {
    /// Stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unreachable => "upstream.unreachable",
            Self::TimedOut => "upstream.timed_out",
            Self::Overloaded => "upstream.overloaded",
            Self::Status(_) => "upstream.status",
            Self::MediaType => "upstream.media_type",
            Self::TooLarge => "upstream.too_large",
            Self::Truncated => "upstream.truncated",
        }
    }
}

impl From<BodyError> for UpstreamError {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge { .. } => Self::TooLarge,
            BodyError::TimedOut { .. } => Self::TimedOut,
            BodyError::Truncated(_) => Self::Truncated,
        }
    }
}

impl From<UpstreamError> for Problem {
    fn from(error: UpstreamError) -> Self {
        match error {
            UpstreamError::Unreachable => Self::UpstreamUnreachable,
            UpstreamError::TimedOut => Self::UpstreamTimedOut,
            UpstreamError::Overloaded => Self::Overloaded,
            UpstreamError::Status(_)
            | UpstreamError::MediaType
            | UpstreamError::TooLarge
            | UpstreamError::Truncated => Self::UpstreamAnswer,
        }
    }
}

impl Ask {
    const fn method(self) -> Method {
        match self {
            Self::Keys => Method::GET,
            Self::Challenge | Self::Sealed(_) => Method::POST,
        }
    }

    const fn path(self) -> &'static str {
        match self {
            Self::Challenge => "/narthex/v1/challenge",
            Self::Keys => "/narthex/v1/keys",
            Self::Sealed(_) => "/narthex/v1/sealed",
        }
    }

    const fn request_type(self) -> Option<&'static str> {
        match self {
            Self::Challenge => Some(NONCE_MEDIA_TYPE),
            Self::Keys => None,
            Self::Sealed(form) => Some(form.request_media_type()),
        }
    }

    /// The media type of a good answer.
    pub(crate) const fn answer_type(self) -> &'static str {
        match self {
            Self::Challenge => BUNDLE_MEDIA_TYPE,
            Self::Keys => KEYS_MEDIA_TYPE,
            Self::Sealed(form) => form.response_media_type(),
        }
    }
}

pub(crate) const NONCE_MEDIA_TYPE: &str = "application/octet-stream";
const BUNDLE_MEDIA_TYPE: &str = "application/cmw+cbor";
const KEYS_MEDIA_TYPE: &str = "application/cose";

/// The pool.
#[derive(Clone, Debug)]
pub(crate) struct Upstream(Client<Connector, Body>);

impl Upstream {
    pub(crate) fn new(connector: Connector) -> Self {
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(POOL_IDLE_TIMEOUT)
            .http1_read_buf_exact_size(READ_BYTES)
            .build(connector);
        Self(client)
    }

    /// Sends `body` and waits for the head of the answer.
    pub(crate) async fn send(
        &self,
        node: &Authority,
        ask: Ask,
        body: Body,
    ) -> Result<Response<Incoming>, UpstreamError> {
        let request = request(node, ask, body).ok_or(UpstreamError::Unreachable)?;
        self.0
            .request(request)
            .await
            .map_err(|_| UpstreamError::Unreachable)
    }

    /// Sends `body` and reads the whole answer, which must be a 200 of the right media type.
    pub(crate) async fn fetch(
        &self,
        node: &Authority,
        ask: Ask,
        body: Bytes,
        limits: FetchLimits,
    ) -> Result<Bytes, UpstreamError> {
        let sending = self.send(node, ask, body::full(body));
        let sent = tokio::time::timeout(limits.timeout, sending).await;
        let answer = sent.map_err(|_| UpstreamError::TimedOut)??;
        match answer.status() {
            StatusCode::OK => {}
            StatusCode::SERVICE_UNAVAILABLE => return Err(UpstreamError::Overloaded),
            other => return Err(UpstreamError::Status(other.as_u16())),
        }
        if !has_media_type(answer.headers(), ask.answer_type()) {
            return Err(UpstreamError::MediaType);
        }
        Ok(read_body(answer.into_body(), limits.max_bytes, limits.timeout).await?)
    }
}

/// A request that says what is asked and nothing about who asks.
fn request(node: &Authority, ask: Ask, body: Body) -> Option<Request<Body>> {
    let uri = Uri::builder()
        .scheme(Scheme::HTTP)
        .authority(node.clone())
        .path_and_query(PathAndQuery::from_static(ask.path()))
        .build()
        .ok()?;
    let mut request = Request::new(body);
    *request.method_mut() = ask.method();
    *request.uri_mut() = uri;
    if let Some(media_type) = ask.request_type() {
        request
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    }
    Some(request)
}

/// Whether the one Content-Type is exactly `wanted`, without parameters.
pub(crate) fn has_media_type(headers: &HeaderMap, wanted: &str) -> bool {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    let is_wanted = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(wanted.as_bytes());
    values.next().is_some_and(is_wanted) && values.next().is_none()
}
