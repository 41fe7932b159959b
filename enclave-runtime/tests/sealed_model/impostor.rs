//! Stands between a runtime and its releaser, and lies.

use bytes::Bytes;
use http::{
    HeaderValue, Request, Response,
    header::{CONTENT_TYPE, LOCATION},
};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use listener::{Body, Limits, body};
use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::net::{TcpListener, TcpStream};

/// What it does to the releaser's answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lie {
    /// Answers with the first sealed key that it saw.
    Replay,
    /// Changes a bit of a sealed key.
    Flip,
    /// Cuts its last byte off.
    Shorter,
    /// Answers with more than any answer has.
    Oversize,
    /// Gives a nonce that is too short.
    ShortNonce,
    /// Gives a sealed key as something else.
    MediaType,
    /// Sends whoever asks to the releaser itself.
    Redirect,
    /// Never has time.
    Busy,
}

pub(crate) struct Impostor {
    pub(crate) address: SocketAddr,
    state: Arc<State>,
}

struct State {
    lie: Lie,
    releaser: SocketAddr,
    kept: Mutex<Option<Bytes>>,
    asked: AtomicUsize,
}

impl Impostor {
    pub(crate) async fn start(lie: Lie, releaser: SocketAddr) -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let state = Arc::new(State {
            lie,
            releaser,
            kept: Mutex::default(),
            asked: AtomicUsize::new(0),
        });
        let shared = Arc::clone(&state);
        let service = move |request| Arc::clone(&shared).answer(request);
        let never = std::future::pending();
        tokio::spawn(listener::serve(
            socket,
            None,
            Limits::default(),
            service,
            never,
        ));
        Self { address, state }
    }

    /// How often it was asked for a nonce.
    pub(crate) fn asked(&self) -> usize {
        self.state.asked.load(Ordering::SeqCst)
    }
}

impl State {
    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Response<Body> {
        let is_challenge = request.uri().path().ends_with("challenge");
        if is_challenge {
            self.asked.fetch_add(1, Ordering::SeqCst);
        }
        let answer = self.relayed(request).await;
        match (self.lie, is_challenge) {
            (Lie::Redirect, true) => self.redirected(answer),
            (Lie::Busy, _) => with(answer, 503, |_| Bytes::new()),
            (Lie::ShortNonce, true) => with(answer, 200, |bytes| bytes.slice(1..)),
            (_, true) => with(answer, 200, |bytes| bytes),
            (Lie::Replay, _) => self.replayed(answer),
            (Lie::Flip, _) => with(answer, 200, |bytes| flipped(&bytes)),
            (Lie::Shorter, _) => with(answer, 200, |bytes| bytes.slice(1..)),
            (Lie::Oversize, _) => with(answer, 200, |_| vec![0; 8192].into()),
            (Lie::MediaType, _) => retyped(with(answer, 200, |bytes| bytes)),
            (Lie::ShortNonce | Lie::Redirect, _) => with(answer, 200, |bytes| bytes),
        }
    }

    fn replayed(&self, answer: Response<Bytes>) -> Response<Body> {
        let mut kept = self.kept.lock().unwrap();
        let first = kept.get_or_insert_with(|| answer.body().clone()).clone();
        with(answer, 200, |_| first)
    }

    fn redirected(&self, answer: Response<Bytes>) -> Response<Body> {
        let url = format!("http://{}/narthex/v1/model-key/challenge", self.releaser);
        let mut answer = with(answer, 307, |_| Bytes::new());
        answer.headers_mut().insert(LOCATION, url.parse().unwrap());
        answer
    }

    async fn relayed(&self, request: Request<Incoming>) -> Response<Bytes> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let stream = TcpStream::connect(self.releaser).await.unwrap();
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let request = Request::from_parts(head, Full::new(body));
        let (head, body) = sender.send_request(request).await.unwrap().into_parts();
        Response::from_parts(head, body.collect().await.unwrap().to_bytes())
    }
}

fn with(
    answer: Response<Bytes>,
    status: u16,
    change: impl FnOnce(Bytes) -> Bytes,
) -> Response<Body> {
    let (mut head, bytes) = answer.into_parts();
    head.headers.remove("content-length");
    head.status = status.try_into().unwrap();
    Response::from_parts(head, body::full(change(bytes)))
}

fn flipped(bytes: &Bytes) -> Bytes {
    let mut changed = bytes.to_vec();
    *changed.last_mut().unwrap() ^= 1;
    changed.into()
}

fn retyped(mut answer: Response<Body>) -> Response<Body> {
    let text = HeaderValue::from_static("text/plain");
    answer.headers_mut().insert(CONTENT_TYPE, text);
    answer
}
