//! HTTP to the vendors and to whoever publishes: TLS by the system's roots, capped answers, statuses told apart.

use super::{
    Fault,
    answer::{Answer, Request},
};
use bytes::Bytes;
use http::{
    Response, StatusCode,
    header::{CONTENT_TYPE, ETAG, IF_NONE_MATCH, RETRY_AFTER, USER_AGENT},
};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs};
use std::{error::Error, sync::Arc, time::Duration};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

pub(crate) struct Transport {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    timeout: Duration,
}

/// What a server has, compared with what it had.
pub(crate) enum Current {
    /// What the validator was given for.
    Same,
    /// Something else, with its validator.
    New { body: Vec<u8>, etag: Option<String> },
}

impl Transport {
    /// Each request has `timeout` for its whole answer.
    pub(crate) fn new(timeout: Duration) -> Result<Self, rustls::Error> {
        let mut tcp = HttpConnector::new();
        tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
        tcp.set_nodelay(true);
        tcp.enforce_http(false);
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls()?)
            .https_or_http()
            .enable_all_versions()
            .wrap_connector(tcp);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .build(connector);
        Ok(Self { client, timeout })
    }

    /// One request, one answer.
    pub(super) async fn ask(&self, request: &Request) -> Result<Answer, Fault> {
        let answer = tokio::time::timeout(self.timeout, self.exchange(request));
        answer.await.map_err(|_| Fault::TimedOut)?
    }

    /// What is at `url` now, at most `max_bytes`; `etag` is the validator of what is known already.
    pub(crate) async fn get(
        &self,
        url: &str,
        etag: Option<&str>,
        max_bytes: usize,
    ) -> Result<Current, Fault> {
        let current = tokio::time::timeout(self.timeout, self.compare(url, etag, max_bytes));
        current.await.map_err(|_| Fault::TimedOut)?
    }

    async fn compare(
        &self,
        url: &str,
        etag: Option<&str>,
        max_bytes: usize,
    ) -> Result<Current, Fault> {
        let mut builder = builder(url);
        if let Some(etag) = etag {
            builder = builder.header(IF_NONE_MATCH, etag);
        }
        let response = self.send(builder.body(Full::default())).await?;
        if response.status() == StatusCode::NOT_MODIFIED {
            return Ok(Current::Same);
        }
        check_status(&response)?;
        let etag = response.headers().get(ETAG);
        let etag = etag.and_then(|etag| Some(etag.to_str().ok()?.to_owned()));
        let body = body(response, max_bytes).await?;
        Ok(Current::New { body, etag })
    }

    async fn exchange(&self, request: &Request) -> Result<Answer, Fault> {
        let response = self.send(message(request)).await?;
        check_status(&response)?;
        let header = request
            .chain_header
            .and_then(|name| response.headers().get(name));
        let chain = header
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned);
        let body = body(response, request.max_bytes).await?;
        Ok(Answer { body, chain })
    }

    async fn send(
        &self,
        message: http::Result<http::Request<Full<Bytes>>>,
    ) -> Result<Response<Incoming>, Fault> {
        let message = message.map_err(|error| Fault::Unreachable(error.to_string()))?;
        let sent = self.client.request(message).await;
        sent.map_err(|error| Fault::Unreachable(causes(&error)))
    }
}

async fn body(response: Response<Incoming>, max_bytes: usize) -> Result<Vec<u8>, Fault> {
    let body = Limited::new(response.into_body(), max_bytes).collect();
    let body = body.await.map_err(|error| {
        if error.is::<LengthLimitError>() {
            Fault::TooLarge(max_bytes)
        } else {
            Fault::Unreachable(causes(error.as_ref()))
        }
    })?;
    Ok(body.to_bytes().to_vec())
}

fn builder(url: &str) -> http::request::Builder {
    http::Request::builder()
        .uri(url)
        .header(USER_AGENT, "narthex")
}

fn message(request: &Request) -> http::Result<http::Request<Full<Bytes>>> {
    let builder = builder(&request.url);
    match &request.post {
        None => builder.body(Full::default()),
        Some((body, media_type)) => builder
            .method(http::Method::POST)
            .header(CONTENT_TYPE, *media_type)
            .body(Full::from(body.clone())),
    }
}

/// Redirects are not followed: none of the services needs one.
fn check_status(response: &Response<Incoming>) -> Result<(), Fault> {
    match response.status() {
        StatusCode::OK => Ok(()),
        StatusCode::NOT_FOUND => Err(Fault::NotFound),
        status if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() => {
            let header = response.headers().get(RETRY_AFTER);
            let seconds = header.and_then(|value| value.to_str().ok()?.parse().ok());
            Err(Fault::Unavailable {
                status: status.as_u16(),
                retry_after_s: seconds,
            })
        }
        status => Err(Fault::Refused(status.as_u16())),
    }
}

/// Certificates of the system's that do not parse are passed over, as every TLS client does.
fn tls() -> Result<ClientConfig, rustls::Error> {
    let mut roots = RootCertStore::empty();
    let loaded = rustls_native_certs::load_native_certs();
    let _ = roots.add_parsable_certificates(loaded.certs);
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

/// An error with all its causes, in one line.
fn causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
