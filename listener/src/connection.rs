//! One connection: TLS handshake, protocol by ALPN, then HTTP under a supervisor that enforces the limits hyper does not know.

use crate::{
    Limits,
    activity::{Activity, Content, Tracked, Verdict},
    body::BoxError,
};
use bytes::Bytes;
use hyper::{
    Method, Request, Response,
    body::{Body, Incoming},
    server::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::graceful::GracefulConnection,
};
use rustls::ServerConfig;
use std::{
    convert::Infallible,
    net::SocketAddr,
    pin::{Pin, pin},
    sync::Arc,
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::watch,
    time::{sleep_until, timeout},
};
use tokio_rustls::TlsAcceptor;

/// HTTP/2: how long a peer may be silent before it is asked for a sign of life, and how long the answer may take.
const PING_INTERVAL: Duration = Duration::from_secs(20);
const PING_TIMEOUT: Duration = Duration::from_secs(20);
/// Bytes of a request's header section.
const MAX_HEADER_BYTES: usize = 32 * 1024;
const MAX_HEADER_LIST_BYTES: u32 = 32 * 1024;
/// HTTP/2: bytes of one answer that wait for a peer who grants a large window and then does not read.
const MAX_SEND_BYTES: usize = 64 * 1024;

/// Who is at the other end; an extension of every request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The address that connected.
    pub address: SocketAddr,
}

pub(crate) struct Connection {
    pub(crate) peer: Peer,
    pub(crate) tls: Option<Arc<ServerConfig>>,
    pub(crate) limits: Limits,
    pub(crate) stopping: watch::Receiver<bool>,
}

impl Connection {
    pub(crate) async fn run<I, S, F, B>(self, stream: I, service: S)
    where
        I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        S: Fn(Request<Incoming>) -> F + Clone + Send + 'static,
        F: Future<Output = Response<B>> + Send + 'static,
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        match self.tls.clone() {
            None => self.http1(stream, service).await,
            Some(config) => self.handshake(config, stream, service).await,
        }
    }

    async fn handshake<I, S, F, B>(mut self, config: Arc<ServerConfig>, stream: I, service: S)
    where
        I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        S: Fn(Request<Incoming>) -> F + Clone + Send + 'static,
        F: Future<Output = Response<B>> + Send + 'static,
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let accepting = timeout(
            self.limits.handshake_timeout,
            TlsAcceptor::from(config).accept(stream),
        );
        let accepted = tokio::select! {
            _ = self.stopping.wait_for(|stop| *stop) => return,
            accepted = accepting => accepted,
        };
        let Ok(Ok(stream)) = accepted else { return };
        if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
            self.http2(stream, service).await;
        } else {
            self.http1(stream, service).await;
        }
    }

    async fn http1<I, S, F, B>(self, io: I, service: S)
    where
        I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        S: Fn(Request<Incoming>) -> F + Send + 'static,
        F: Future<Output = Response<B>> + Send + 'static,
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let activity = Activity::start();
        let service = service_fn(tracked(self.peer, Arc::clone(&activity), service));
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.limits.header_timeout)
            .max_buf_size(MAX_HEADER_BYTES)
            .serve_connection(TokioIo::new(io), service);
        self.supervise(connection, &activity).await;
    }

    async fn http2<I, S, F, B>(self, io: I, service: S)
    where
        I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        S: Fn(Request<Incoming>) -> F + Send + 'static,
        F: Future<Output = Response<B>> + Send + 'static,
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let activity = Activity::start();
        let service = service_fn(tracked(self.peer, Arc::clone(&activity), service));
        let connection = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .keep_alive_interval(PING_INTERVAL)
            .keep_alive_timeout(PING_TIMEOUT)
            .max_concurrent_streams(self.limits.max_streams)
            .max_header_list_size(MAX_HEADER_LIST_BYTES)
            .max_send_buf_size(MAX_SEND_BYTES)
            .serve_connection(TokioIo::new(io), service);
        self.supervise(connection, &activity).await;
    }

    /// Drives `connection` to its end; asks it to end when the server stops or it idles, cuts it when it stalls.
    async fn supervise<C: GracefulConnection>(mut self, connection: C, activity: &Activity) {
        let mut connection = pin!(connection);
        loop {
            let next_look = activity.next_look(&self.limits);
            tokio::select! {
                _ended = connection.as_mut() => return,
                _ = self.stopping.wait_for(|stop| *stop) => break,
                () = sleep_until(next_look) => match activity.verdict(&self.limits) {
                    Verdict::Alive => {}
                    Verdict::Idle => break,
                    Verdict::Stalled => return,
                },
            }
        }
        connection.as_mut().graceful_shutdown();
        self.linger(connection, activity).await;
    }

    /// Lets exchanges finish on a connection that was asked to end; a peer that has none and does not hang up is cut.
    async fn linger<C: GracefulConnection>(
        &self,
        mut connection: Pin<&mut C>,
        activity: &Activity,
    ) {
        while timeout(self.limits.header_timeout, connection.as_mut())
            .await
            .is_err()
        {
            let unfinished = activity.exchanges() > 0;
            if !unfinished || matches!(activity.verdict(&self.limits), Verdict::Stalled) {
                return;
            }
        }
    }
}

type Exchange<B> = Pin<Box<dyn Future<Output = Result<Response<Tracked<B>>, Infallible>> + Send>>;

/// Wraps `service` so that `activity` sees each exchange from its start to the end of its answer.
fn tracked<S, F, B>(
    peer: Peer,
    activity: Arc<Activity>,
    service: S,
) -> impl Fn(Request<Incoming>) -> Exchange<B>
where
    S: Fn(Request<Incoming>) -> F,
    F: Future<Output = Response<B>> + Send + 'static,
    B: Send + 'static,
{
    move |mut request| {
        request.extensions_mut().insert(peer);
        let content = match *request.method() {
            Method::HEAD => Content::Withheld,
            _ => Content::Sent,
        };
        let guard = activity.begin_exchange();
        let answer = service(request);
        Box::pin(async move { Ok(answer.await.map(|body| Tracked::new(body, content, guard))) })
    }
}
