//! The accept loop: admits up to the cap, stops when told, drains up to the deadline.

use crate::{
    Accept, Counters, Limits,
    body::BoxError,
    connection::{Connection, Peer},
};
use bytes::Bytes;
use hyper::{Request, Response, body::Incoming};
use rustls::ServerConfig;
use std::{io, sync::Arc, time::Duration};
use tokio::{net::TcpListener, sync::watch, task::JoinSet};

/// Pause after the system refuses to accept (no descriptors left), so that the loop does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A server that has its socket and waits to be run.
#[derive(Debug)]
pub struct Server<A = TcpListener> {
    socket: A,
    tls: Option<Arc<ServerConfig>>,
    limits: Limits,
    counters: Arc<Counters>,
}

/// How a server ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drained {
    /// Connections cut because they outlived [`Limits::drain_timeout`].
    pub cut: usize,
}

/// Serves `service` on `socket` until `shutdown`, then drains. See [`Server`] for counters.
pub async fn serve<A, S, F, B>(
    socket: A,
    tls: Option<Arc<ServerConfig>>,
    limits: Limits,
    service: S,
    shutdown: impl Future<Output = ()>,
) -> Drained
where
    A: Accept,
    S: Fn(Request<Incoming>) -> F + Clone + Send + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: hyper::body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let server = Server::new(socket, limits);
    let server = match tls {
        Some(config) => server.tls(config),
        None => server,
    };
    server.serve(service, shutdown).await
}

impl<A: Accept> Server<A> {
    /// A server of plain HTTP/1.1.
    #[must_use]
    pub fn new(socket: A, limits: Limits) -> Self {
        Self {
            socket,
            tls: None,
            limits,
            counters: Arc::default(),
        }
    }

    /// Speaks TLS; `config` names the protocols it offers (`h2`, `http/1.1`).
    #[must_use]
    pub fn tls(self, config: Arc<ServerConfig>) -> Self {
        Self {
            tls: Some(config),
            ..self
        }
    }

    /// Counts into `counters`.
    #[must_use]
    pub fn counters(self, counters: Arc<Counters>) -> Self {
        Self { counters, ..self }
    }

    /// Runs until `shutdown`, then drains. A panic of `service` ends its own connection and nothing else. Every request carries its
    /// [`Peer`] as an extension.
    pub async fn serve<S, F, B>(self, service: S, shutdown: impl Future<Output = ()>) -> Drained
    where
        S: Fn(Request<Incoming>) -> F + Clone + Send + 'static,
        F: Future<Output = Response<B>> + Send + 'static,
        B: hyper::body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let (stop, stopping) = watch::channel(false);
        let drain_timeout = self.limits.drain_timeout;
        let mut connections = JoinSet::new();
        self.accept_until(shutdown, &mut connections, move |server, stream, peer| {
            let connection = Connection {
                peer,
                tls: server.tls.clone(),
                limits: server.limits,
                stopping: stopping.clone(),
            };
            connection.run(stream, service.clone())
        })
        .await;
        let _ = stop.send(true);
        drain(connections, drain_timeout).await
    }

    /// Accepts until `shutdown`; the socket is closed on return, so that late connections are refused by the system.
    async fn accept_until<R: Future<Output = ()> + Send + 'static>(
        self,
        shutdown: impl Future<Output = ()>,
        connections: &mut JoinSet<()>,
        mut run: impl FnMut(&Self, A::Stream, Peer) -> R,
    ) {
        tokio::pin!(shutdown);
        loop {
            tokio::select! {
                biased;
                () = &mut shutdown => return,
                Some(_ended) = connections.join_next() => {}
                accepted = self.socket.accept() => match accepted {
                    Ok(_) if connections.len() >= self.limits.max_connections => self.counters.count_refused(),
                    Ok((stream, address)) => {
                        self.counters.count_accepted();
                        connections.spawn(run(&self, stream, Peer { address }));
                    }
                    Err(error) => pause_after(&error).await,
                },
            }
        }
    }
}

async fn pause_after(error: &io::Error) {
    if error.kind() != io::ErrorKind::ConnectionAborted {
        tokio::time::sleep(ACCEPT_PAUSE).await;
    }
}

async fn drain(mut connections: JoinSet<()>, drain_timeout: Duration) -> Drained {
    let all_ended = async { while connections.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(drain_timeout, all_ended).await;
    let cut = connections.len();
    connections.shutdown().await;
    Drained { cut }
}
