//! A peer that does harm: it stands between two HTTP/1.1 ends and cuts or flips what passes.

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited, combinators::UnsyncBoxBody};
use hyper::body::Incoming;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;

/// Most bytes of one body that this peer holds.
const MAX_BODY_BYTES: usize = 64 << 20;

/// What is done to the answers of sealed requests; other exchanges pass untouched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// The answer ends, cleanly as HTTP sees it, this many bytes before its end.
    DropLast(usize),
    /// The answer ends, cleanly as HTTP sees it, after half of its bytes.
    DropHalf,
    /// Bit 0 of the answer's byte at this offset is flipped.
    Flip(usize),
    /// The request's bytes are sent upstream twice; the second answer is passed on.
    Replay,
}

/// A running peer; its fault can be changed while it runs. It stops with the tokio runtime that it was started on.
#[derive(Clone)]
pub struct FaultPeer {
    /// Where it listens.
    pub address: SocketAddr,
    fault: Arc<Mutex<Fault>>,
}

impl FaultPeer {
    /// Listens on a free loopback port and passes everything on to `upstream`.
    pub async fn start(upstream: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let peer = Self {
            address: listener.local_addr()?,
            fault: Arc::new(Mutex::new(Fault::None)),
        };
        tokio::spawn(accept(listener, upstream, Arc::clone(&peer.fault)));
        Ok(peer)
    }

    /// Does this from now on.
    pub fn set(&self, fault: Fault) {
        if let Ok(mut current) = self.fault.lock() {
            *current = fault;
        }
    }
}

async fn accept(listener: TcpListener, upstream: SocketAddr, fault: Arc<Mutex<Fault>>) {
    let client = Client::builder(TokioExecutor::new()).build_http();
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        let (client, fault) = (client.clone(), Arc::clone(&fault));
        let service = hyper::service::service_fn(move |request| {
            let (client, fault) = (client.clone(), fault.lock().map_or(Fault::None, |f| *f));
            async move {
                Ok::<_, Infallible>(
                    pass(&client, upstream, fault, request)
                        .await
                        .unwrap_or_else(|_| bad_gateway()),
                )
            }
        });
        tokio::spawn(
            hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service),
        );
    }
}

type Passed = UnsyncBoxBody<Bytes, hyper::Error>;
type Upstream = Client<HttpConnector, Full<Bytes>>;
type AnyError = Box<dyn std::error::Error + Send + Sync>;

async fn pass(
    client: &Upstream,
    upstream: SocketAddr,
    fault: Fault,
    request: Request<Incoming>,
) -> Result<Response<Passed>, AnyError> {
    let (parts, body) = request.into_parts();
    let body = Limited::new(body, MAX_BODY_BYTES)
        .collect()
        .await?
        .to_bytes();
    let sealed = parts.method == Method::POST
        && (parts.uri.path().ends_with("/sealed") || parts.uri.path().ends_with("/relay"));
    let fault = if sealed { fault } else { Fault::None };
    let forward = || {
        let mut forwarded = Request::builder()
            .method(parts.method.clone())
            .uri(format!("http://{upstream}{}", parts.uri));
        for (name, value) in parts
            .headers
            .iter()
            .filter(|(name, _)| *name != hyper::header::TRANSFER_ENCODING)
        {
            forwarded = forwarded.header(name, value);
        }
        forwarded.body(Full::new(body.clone()))
    };
    if fault == Fault::Replay {
        client
            .request(forward()?)
            .await?
            .into_body()
            .collect()
            .await?;
    }
    let (mut head, body) = client.request(forward()?).await?.into_parts();
    head.headers.remove(hyper::header::CONTENT_LENGTH);
    head.headers.remove(hyper::header::TRANSFER_ENCODING);
    if fault == Fault::None {
        return Ok(Response::from_parts(head, body.boxed_unsync()));
    }
    let body = Limited::new(body, MAX_BODY_BYTES)
        .collect()
        .await?
        .to_bytes();
    Ok(Response::from_parts(head, whole(harm(body, fault))))
}

fn harm(body: Bytes, fault: Fault) -> Bytes {
    match fault {
        Fault::None | Fault::Replay => body,
        Fault::DropLast(bytes) => body.slice(..body.len().saturating_sub(bytes)),
        Fault::DropHalf => body.slice(..body.len() / 2),
        Fault::Flip(offset) => {
            let mut bytes = body.to_vec();
            if let Some(byte) = bytes.get_mut(offset) {
                *byte ^= 1;
            }
            bytes.into()
        }
    }
}

fn whole(bytes: Bytes) -> Passed {
    Full::new(bytes)
        .map_err(|never| match never {})
        .boxed_unsync()
}

fn bad_gateway() -> Response<Passed> {
    let mut response = Response::new(whole(Bytes::new()));
    *response.status_mut() = StatusCode::BAD_GATEWAY;
    response
}
