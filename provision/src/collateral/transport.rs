//! HTTP to the vendors: TLS by the system's roots, capped answers, statuses told apart.

use super::{
    Fault,
    answer::{Answer, Request},
};
use bytes::Bytes;
use http::{
    Response, StatusCode,
    header::{CONTENT_TYPE, RETRY_AFTER, USER_AGENT},
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

pub(super) struct Transport {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    timeout: Duration,
}

impl Transport {
    /// Each request has `timeout` for its whole answer.
    pub(super) fn new(timeout: Duration) -> Result<Self, rustls::Error> {
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

    async fn exchange(&self, request: &Request) -> Result<Answer, Fault> {
        let unreachable = |error: &dyn Error| Fault::Unreachable(causes(error));
        let sent = self.client.request(message(request)?).await;
        let response = sent.map_err(|error| unreachable(&error))?;
        check_status(&response)?;
        let header = request
            .chain_header
            .and_then(|name| response.headers().get(name));
        let chain = header
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned);
        let body = Limited::new(response.into_body(), request.max_bytes).collect();
        let body = body.await.map_err(|error| {
            if error.is::<LengthLimitError>() {
                Fault::TooLarge(request.max_bytes)
            } else {
                unreachable(error.as_ref())
            }
        })?;
        let body = body.to_bytes().to_vec();
        Ok(Answer { body, chain })
    }
}

fn message(request: &Request) -> Result<http::Request<Full<Bytes>>, Fault> {
    let builder = http::Request::builder()
        .uri(&request.url)
        .header(USER_AGENT, "narthex");
    let message = match &request.post {
        None => builder.body(Full::default()),
        Some((body, media_type)) => builder
            .method(http::Method::POST)
            .header(CONTENT_TYPE, *media_type)
            .body(Full::from(body.clone())),
    };
    message.map_err(|error| Fault::Unreachable(error.to_string()))
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
