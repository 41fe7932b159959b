//! An OpenAI-compatible endpoint on loopback: what it knows is sealed, everything else is refused. Never plaintext through.

mod forward;
mod guard;
mod openai_error;
mod receipts;
mod route;
mod stream;

use crate::{Client, Event, Observer};
use guard::Guard;
pub use guard::ProxyKey;
use http::{HeaderValue, Request, Response, header::CONTENT_TYPE};
use hyper::body::Incoming;
use listener::{Body, Limits};
use openai_error::OpenAiError;
use receipts::Receipts;
use route::Route;
use std::{net::SocketAddr, path::PathBuf, sync::Arc};
use tokio::net::TcpListener;

/// How a proxy is set up.
#[derive(Default)]
pub struct ProxySettings {
    /// `Authorization: Bearer KEY` demanded from local programs; `None`: none.
    pub key: Option<ProxyKey>,
    /// Where receipts and openings are written; `None`: receipts are kept in memory only.
    pub receipts: Option<PathBuf>,
}

/// A proxy that waits to be run.
pub struct Proxy {
    client: Client,
    guard: Guard,
    receipts: Receipts,
    observer: Arc<dyn Observer>,
}

/// An address that is not loopback: other machines would reach plaintext.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not a loopback address: prompts would travel in plaintext to it")]
pub struct NotLoopback(pub SocketAddr);

impl Proxy {
    /// A proxy in front of `client`.
    #[must_use]
    pub fn new(client: Client, settings: ProxySettings, observer: Arc<dyn Observer>) -> Self {
        Self {
            client,
            guard: Guard::new(settings.key),
            receipts: Receipts::new(settings.receipts),
            observer,
        }
    }

    /// Serves on `socket`, which must be loopback, until `shutdown`.
    pub async fn serve(
        self,
        socket: TcpListener,
        shutdown: impl Future<Output = ()>,
    ) -> std::io::Result<()> {
        let address = socket.local_addr()?;
        if !address.ip().is_loopback() {
            return Err(std::io::Error::other(NotLoopback(address)));
        }
        let proxy = Arc::new(self);
        let service = move |request| Arc::clone(&proxy).answer(request);
        listener::serve(socket, None, Limits::default(), service, shutdown).await;
        Ok(())
    }

    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Response<Body> {
        let answered = match self.route(&request) {
            Ok(Route::Seal(route)) => forward::forward(&self, route, request).await,
            Ok(Route::Receipt(id)) => self.receipt(&id).await,
            Err(error) => Err(error),
        };
        answered.unwrap_or_else(|error| error.response())
    }

    fn route(&self, request: &Request<Incoming>) -> Result<Route, OpenAiError> {
        guard::check_version(request.version())?;
        self.guard.check(request.headers())?;
        Route::of(request.method(), request.uri())
    }

    fn notice(&self, text: String) {
        self.observer.observe(&Event::Notice(text));
    }
}

fn json(status: http::StatusCode, body: &serde_json::Value) -> Response<Body> {
    let mut response = Response::new(listener::body::full(body.to_string()));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
