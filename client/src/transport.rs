//! HTTP to the gateway (docs/protocol.md section 8): pooled connections, capped answers, statuses told apart.

use crate::{ClientError, Gateway, GatewayUrl, problem::Problem, tls};
use attestation::Nonce;
use bytes::Bytes;
use http::{
    HeaderValue, Method, Request, Response, StatusCode,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE},
};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::Client,
    rt::{TokioExecutor, TokioTimer},
};
use provision::Connector;
use std::{error::Error, time::Duration};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// For whole answers to small questions.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// For the head of a relayed answer, which waits for the engine; and between two parts of it.
pub(crate) const STALL_TIMEOUT: Duration = Duration::from_secs(300);

pub(crate) struct Transport {
    client: Client<HttpsConnector<Connector>, Full<Bytes>>,
    url: GatewayUrl,
    authorization: Option<HeaderValue>,
}

/// What the gateway's relay path said, as far as the client acts on it.
pub(crate) enum Relayed<Stream> {
    /// The sealed answer comes.
    Stream(Stream),
    /// RFC 9458 section 5.3: the node does not know the key.
    KeyProblem,
    /// The runtime refused the envelope: malformed, replayed, or sealed to another start of it.
    EnvelopeRefused(u16),
    /// Refused connection, on either side of the gateway, or 503: another node may do.
    Unavailable(String),
}

impl<Stream> Relayed<Stream> {
    /// The same with what `read` makes of the stream.
    pub(crate) fn map<Read>(self, read: impl FnOnce(Stream) -> Read) -> Relayed<Read> {
        match self {
            Self::Stream(stream) => Relayed::Stream(read(stream)),
            Self::KeyProblem => Relayed::KeyProblem,
            Self::EnvelopeRefused(status) => Relayed::EnvelopeRefused(status),
            Self::Unavailable(why) => Relayed::Unavailable(why),
        }
    }
}

/// One question whose whole answer is small.
pub(crate) struct Question<'a> {
    /// For error messages.
    pub(crate) what: &'static str,
    pub(crate) path: &'a str,
    /// POSTed; `None`: GET.
    pub(crate) body: Option<Content>,
    /// Of the answer.
    pub(crate) media_type: &'static str,
    pub(crate) max_bytes: usize,
}

/// What is posted, and as what.
pub(crate) struct Content {
    pub(crate) media_type: &'static str,
    pub(crate) bytes: Bytes,
}

impl Content {
    /// The body of a challenge.
    pub(crate) fn nonce(nonce: &Nonce) -> Self {
        Self {
            media_type: "application/octet-stream",
            bytes: Bytes::copy_from_slice(&nonce.0),
        }
    }
}

impl Transport {
    pub(crate) fn new(gateway: &Gateway) -> Result<Self, ClientError> {
        Self::through(Connector::tcp(CONNECT_TIMEOUT), gateway)
    }

    /// The same, reaching the gateway through `connector`; TLS comes on top.
    pub(crate) fn through(connector: Connector, gateway: &Gateway) -> Result<Self, ClientError> {
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls::config(gateway)?)
            .https_or_http()
            .enable_all_versions()
            .wrap_connector(connector);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .build(connector);
        Ok(Self {
            client,
            url: gateway.url.clone(),
            authorization: gateway
                .api_key
                .as_ref()
                .map(|key| key.header())
                .transpose()?,
        })
    }

    pub(crate) fn url(&self) -> &GatewayUrl {
        &self.url
    }

    /// Asks, and gives the whole answer if it is a 200 of the media type and below the cap.
    pub(crate) async fn ask(&self, question: Question<'_>) -> Result<Bytes, ClientError> {
        let what = question.what;
        let max_bytes = question.max_bytes;
        let media_type = question.media_type;
        let response = within(ANSWER_TIMEOUT, self.send(self.request(question)?)).await??;
        let response = accepted(what, response).await?;
        if content_type(&response) != Some(media_type) {
            return Err(ClientError::Answer(what));
        }
        listener::read_body(response.into_body(), max_bytes, ANSWER_TIMEOUT)
            .await
            .map_err(|_| ClientError::Answer(what))
    }

    /// The file at `path`, whatever its media type; `None`: there is none.
    pub(crate) async fn fetch(
        &self,
        what: &'static str,
        path: &str,
        max_bytes: usize,
    ) -> Result<Option<Bytes>, ClientError> {
        let request = self.builder(Method::GET, path, what)?;
        let request = request
            .body(Full::default())
            .map_err(|_| ClientError::Answer(what))?;
        let response = within(ANSWER_TIMEOUT, self.send(request)).await??;
        if response.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let body = accepted(what, response).await?.into_body();
        let body = listener::read_body(body, max_bytes, ANSWER_TIMEOUT).await;
        body.map(Some).map_err(|_| ClientError::Answer(what))
    }

    /// Posts a sealed request.
    pub(crate) async fn relay(
        &self,
        path: &str,
        envelope: Vec<u8>,
    ) -> Result<Relayed<Incoming>, ClientError> {
        let request = self
            .builder(Method::POST, path, "the relay path")?
            .header(CONTENT_TYPE, protocol::REQUEST_MEDIA_TYPE)
            .header(ACCEPT, protocol::RESPONSE_MEDIA_TYPE)
            .body(Full::from(envelope))
            .map_err(|_| ClientError::Answer("the offers"))?;
        match within(STALL_TIMEOUT, self.client.request(request)).await? {
            Ok(response) => relayed(response).await,
            Err(error) if error.is_connect() => Ok(Relayed::Unavailable(causes(&error))),
            Err(error) => Err(ClientError::Interrupted(causes(&error))),
        }
    }

    async fn send(&self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, ClientError> {
        self.client
            .request(request)
            .await
            .map_err(|error| ClientError::Unreachable(causes(&error)))
    }

    fn request(&self, question: Question<'_>) -> Result<Request<Full<Bytes>>, ClientError> {
        let what = question.what;
        let method = match question.body {
            Some(_) => Method::POST,
            None => Method::GET,
        };
        let mut builder = self
            .builder(method, question.path, what)?
            .header(ACCEPT, question.media_type);
        let mut body = Bytes::new();
        if let Some(content) = question.body {
            builder = builder.header(CONTENT_TYPE, content.media_type);
            body = content.bytes;
        }
        builder
            .body(Full::new(body))
            .map_err(|_| ClientError::Answer(what))
    }

    fn builder(
        &self,
        method: Method,
        path: &str,
        what: &'static str,
    ) -> Result<http::request::Builder, ClientError> {
        let uri = self.url.at(path).ok_or(ClientError::Answer(what))?;
        let builder = Request::builder().method(method).uri(uri);
        Ok(match &self.authorization {
            Some(value) => builder.header(AUTHORIZATION, value.clone()),
            None => builder,
        })
    }
}

async fn relayed(response: Response<Incoming>) -> Result<Relayed<Incoming>, ClientError> {
    let status = response.status();
    if status == StatusCode::OK && content_type(&response) == Some(protocol::RESPONSE_MEDIA_TYPE) {
        return Ok(Relayed::Stream(response.into_body()));
    }
    let problem = Problem::read(response).await;
    match status {
        StatusCode::OK => Err(ClientError::Answer("the sealed request")),
        StatusCode::BAD_REQUEST if problem.is_key_problem() => Ok(Relayed::KeyProblem),
        StatusCode::BAD_REQUEST if problem.is_envelope_refused() => {
            Ok(Relayed::EnvelopeRefused(status.as_u16()))
        }
        status if status == StatusCode::SERVICE_UNAVAILABLE || problem.is_node_absent() => Ok(
            Relayed::Unavailable(format!("status {}{}", status.as_u16(), problem.detail())),
        ),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            Err(ClientError::Unauthorized(status.as_u16()))
        }
        _ => Err(ClientError::Status {
            what: "the sealed request",
            status: status.as_u16(),
            detail: problem.detail(),
        }),
    }
}

async fn accepted(
    what: &'static str,
    response: Response<Incoming>,
) -> Result<Response<Incoming>, ClientError> {
    match response.status() {
        StatusCode::OK => Ok(response),
        status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
            Err(ClientError::Unauthorized(status.as_u16()))
        }
        StatusCode::SERVICE_UNAVAILABLE => Err(ClientError::Unavailable(format!(
            "{what}: status 503{}",
            Problem::read(response).await.detail()
        ))),
        status => Err(ClientError::Status {
            what,
            status: status.as_u16(),
            detail: Problem::read(response).await.detail(),
        }),
    }
}

/// The media type without its parameters.
fn content_type(response: &Response<Incoming>) -> Option<&str> {
    let value = response.headers().get(CONTENT_TYPE)?.to_str().ok()?;
    Some(value.split(';').next().unwrap_or(value).trim())
}

async fn within<T>(limit: Duration, future: impl Future<Output = T>) -> Result<T, ClientError> {
    tokio::time::timeout(limit, future)
        .await
        .map_err(|_| ClientError::TimedOut(limit.as_secs()))
}

/// An error with all its causes, in one line.
pub(crate) fn causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
