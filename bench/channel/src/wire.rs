//! The wire as whoever carries it sees it: posts bytes over plain HTTP/1.1 and notes when each sealed chunk came and how long it was.

use http_body_util::{BodyExt, Full};
use hyper::{
    Request,
    body::{Bytes, Incoming},
    client::conn::http1::{self, SendRequest},
};
use hyper_util::rt::TokioIo;
use std::{error::Error, net::SocketAddr, time::Instant};
use tokio::net::TcpStream;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// A connection that takes one request after the other.
pub type Connection = SendRequest<Full<Bytes>>;

/// Connects.
pub async fn connect(address: SocketAddr) -> Outcome<Connection> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(sender)
}

/// Posts `body`; the answer, which must have status 200, as it streams.
pub async fn post(
    connection: &mut Connection,
    path: &str,
    media_type: Option<&str>,
    body: Vec<u8>,
) -> Outcome<Incoming> {
    connection.ready().await?;
    let mut request = Request::post(path).header("host", "bench");
    if let Some(media_type) = media_type {
        request = request.header("content-type", media_type);
    }
    let answer = connection
        .send_request(request.body(Full::new(Bytes::from(body)))?)
        .await?;
    match answer.status().as_u16() {
        200 => Ok(answer.into_body()),
        status => Err(format!("{path} was answered with {status}").into()),
    }
}

/// One sealed chunk on the wire.
#[derive(Clone, Copy, Debug)]
pub struct Chunk {
    /// Milliseconds since the request left.
    pub ms: f64,
    /// Bytes, length prefix and tag included.
    pub bytes: usize,
}

/// Cuts an outer response into its chunks. Lengths are in the clear: every carrier can do this.
pub struct Watch {
    start: Instant,
    pending: Vec<u8>,
    nonce: usize,
    chunks: Vec<Chunk>,
}

impl Watch {
    /// Starts the clock; the response begins with `nonce` bytes.
    pub fn start(nonce: usize) -> Self {
        Self {
            start: Instant::now(),
            pending: Vec::new(),
            nonce,
            chunks: Vec::new(),
        }
    }

    /// Takes what came just now.
    pub fn see(&mut self, bytes: &[u8]) {
        self.pending.extend_from_slice(bytes);
        let skipped = self.nonce.min(self.pending.len());
        self.pending.drain(..skipped);
        self.nonce -= skipped;
        while let Some(length) = whole_chunk(&self.pending) {
            self.pending.drain(..length);
            self.note(length);
        }
    }

    /// The stream has ended: all chunks, the last one among them.
    pub fn end(mut self) -> Vec<Chunk> {
        self.note(self.pending.len());
        self.chunks
    }

    fn note(&mut self, bytes: usize) {
        let ms = self.start.elapsed().as_secs_f64() * 1000.0;
        self.chunks.push(Chunk { ms, bytes });
    }
}

/// Length of the chunk at the front, if it is there whole and not the last, which has no length.
fn whole_chunk(bytes: &[u8]) -> Option<usize> {
    let first = *bytes.first()?;
    let width = 1_usize << (first >> 6);
    let prefix = bytes.get(..width)?;
    let value = prefix
        .iter()
        .skip(1)
        .fold(usize::from(first & 0x3f), |value, byte| {
            value << 8 | usize::from(*byte)
        });
    (value > 0 && bytes.len() >= width + value).then_some(width + value)
}

/// Reads `answer` to its end into a [`Watch`] that was started with the request.
pub async fn watch(mut answer: Incoming, mut watch: Watch) -> Outcome<Vec<Chunk>> {
    while let Some(frame) = answer.frame().await {
        if let Some(bytes) = frame?.data_ref() {
            watch.see(bytes);
        }
    }
    Ok(watch.end())
}
