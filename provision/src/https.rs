//! A client of one HTTPS peer: its roots are the caller's or the system's, answers are capped and have their time.

use crate::{FileError, file};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs};
use rustls_pki_types::{CertificateDer, pem::PemObject};
use std::{error::Error, path::Path, sync::Arc, time::Duration};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Largest file of roots, in bytes.
const MAX_ROOTS_BYTES: usize = 1024 * 1024;

/// Sends requests and takes whole answers. Redirects are not followed.
pub struct Https {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    timeout: Duration,
}

/// Why there is no client, or no answer; `code()` is stable.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HttpsError {
    /// The file of roots.
    #[error(transparent)]
    File(#[from] FileError),
    /// No certificate in it, or one that cannot be read.
    #[error("the file of roots is not a list of PEM certificates")]
    Roots,
    /// TLS cannot be set up.
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
    /// The peer cannot be reached, or broke off.
    #[error("no answer: {0}")]
    Unreachable(String),
    /// The answer did not come in time.
    #[error("no answer in time")]
    TimedOut,
    /// The answer is larger than it may be.
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
}

impl HttpsError {
    /// Stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::File(error) => error.code(),
            Self::Roots => "https.roots",
            Self::Tls(_) => "https.tls",
            Self::Unreachable(_) => "https.unreachable",
            Self::TimedOut => "https.timed_out",
            Self::TooLarge(_) => "https.too_large",
        }
    }
}

impl Https {
    /// A client that trusts the certificates in the file `roots` (PEM), or those of the system; each request has `timeout` for its whole
    /// answer.
    pub fn new(roots: Option<&Path>, timeout: Duration) -> Result<Self, HttpsError> {
        let mut tcp = HttpConnector::new();
        tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
        tcp.set_nodelay(true);
        tcp.enforce_http(false);
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls(roots)?)
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .build(connector);
        Ok(Self { client, timeout })
    }

    /// One request, one answer of at most `max_bytes`, whatever its status.
    pub async fn send(
        &self,
        request: Request<Bytes>,
        max_bytes: usize,
    ) -> Result<Response<Bytes>, HttpsError> {
        let exchange = self.exchange(request, max_bytes);
        let answer = tokio::time::timeout(self.timeout, exchange).await;
        answer.map_err(|_| HttpsError::TimedOut)?
    }

    async fn exchange(
        &self,
        request: Request<Bytes>,
        max_bytes: usize,
    ) -> Result<Response<Bytes>, HttpsError> {
        let sent = self.client.request(request.map(Full::new)).await;
        let response = sent.map_err(|error| HttpsError::Unreachable(causes(&error)))?;
        let (head, body) = response.into_parts();
        let body = Limited::new(body, max_bytes).collect().await;
        let body = body.map_err(|error| match error.is::<LengthLimitError>() {
            true => HttpsError::TooLarge(max_bytes),
            false => HttpsError::Unreachable(causes(error.as_ref())),
        })?;
        Ok(Response::from_parts(head, body.to_bytes()))
    }
}

fn tls(roots: Option<&Path>) -> Result<ClientConfig, HttpsError> {
    let roots = match roots {
        Some(path) => of_file(path)?,
        None => of_system(),
    };
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

/// Every certificate of the file, of which none may be wrong.
fn of_file(path: &Path) -> Result<RootCertStore, HttpsError> {
    let pem = file::read_public(path, MAX_ROOTS_BYTES)?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|_| HttpsError::Roots)?;
        roots.add(certificate).map_err(|_| HttpsError::Roots)?;
    }
    match roots.is_empty() {
        true => Err(HttpsError::Roots),
        false => Ok(roots),
    }
}

/// Certificates of the system's that do not parse are passed over, as every TLS client does.
fn of_system() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    let loaded = rustls_native_certs::load_native_certs();
    let _ = roots.add_parsable_certificates(loaded.certs);
    roots
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
