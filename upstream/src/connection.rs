//! One request on a connection of its own: whoever drops the answer has the server notice at once, and cancel.

use crate::{Address, UpstreamError};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    Method, Request, Response,
    body::Incoming,
    client::conn::http1,
    header::{ACCEPT, CONTENT_TYPE, HOST},
};
use hyper_util::rt::TokioIo;
use std::{io, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, UnixStream},
    task::JoinSet,
    time::timeout,
};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// An answer, and the connection that carries it: dropping it closes the connection.
pub(crate) struct Answer {
    pub(crate) response: Response<Incoming>,
    _connection: JoinSet<()>,
}

/// Asks and returns when the head of the answer is there.
pub(crate) async fn ask(
    address: &Address,
    request: Request<Full<Bytes>>,
) -> Result<Answer, UpstreamError> {
    let opened = timeout(CONNECT_TIMEOUT, open(address, request)).await;
    let (mut sender, connection, request) = opened.map_err(|_| UpstreamError::TimedOut)??;
    let response = sender.send_request(request).await;
    Ok(Answer {
        response: response.map_err(|_| UpstreamError::Truncated)?,
        _connection: connection,
    })
}

type Opened = (
    http1::SendRequest<Full<Bytes>>,
    JoinSet<()>,
    Request<Full<Bytes>>,
);

async fn open(address: &Address, request: Request<Full<Bytes>>) -> Result<Opened, UpstreamError> {
    let (sender, connection) = match address {
        Address::Loopback(address) => over(TcpStream::connect(address).await?).await?,
        Address::Unix(path) => over(UnixStream::connect(path).await?).await?,
    };
    Ok((sender, connection, request))
}

async fn over(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
) -> Result<(http1::SendRequest<Full<Bytes>>, JoinSet<()>), UpstreamError> {
    let (sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|_| UpstreamError::Unreachable(io::ErrorKind::ConnectionAborted))?;
    let mut tasks = JoinSet::new();
    // A connection that fails is seen by whoever reads the answer.
    tasks.spawn(async move {
        let _ = connection.await;
    });
    Ok((sender, tasks))
}

/// A request for `path`, with a body of JSON if there is one.
pub(crate) fn request(path: &str, body: impl Into<Option<Bytes>>) -> Request<Full<Bytes>> {
    let body = body.into();
    let method = match &body {
        Some(_) => Method::POST,
        None => Method::GET,
    };
    let mut request = Request::new(Full::from(body.unwrap_or_default()));
    *request.method_mut() = method;
    // Paths are constants of this crate: each is one.
    *request.uri_mut() = path.parse().unwrap_or_default();
    let headers = request.headers_mut();
    headers.insert(
        HOST,
        const { hyper::header::HeaderValue::from_static("localhost") },
    );
    let json = const { hyper::header::HeaderValue::from_static("application/json") };
    headers.insert(CONTENT_TYPE, json);
    headers.insert(
        ACCEPT,
        const { hyper::header::HeaderValue::from_static("*/*") },
    );
    request
}

impl Answer {
    /// Status 200 and this media type.
    pub(crate) fn check(&self, media_type: &str) -> Result<(), UpstreamError> {
        let status = self.response.status().as_u16();
        if status != 200 {
            return Err(UpstreamError::Status(status));
        }
        let named = self.response.headers().get(CONTENT_TYPE);
        let named = named.and_then(|value| value.to_str().ok());
        let essence = named.and_then(|named| named.split(';').next());
        match essence {
            Some(essence) if essence.trim().eq_ignore_ascii_case(media_type) => Ok(()),
            _ => Err(UpstreamError::MediaType),
        }
    }

    /// The whole body, at most `most` bytes.
    pub(crate) async fn whole(self, most: usize) -> Result<Bytes, UpstreamError> {
        let body = Limited::new(self.response.into_body(), most)
            .collect()
            .await;
        match body {
            Ok(body) => Ok(body.to_bytes()),
            Err(error) if error.is::<http_body_util::LengthLimitError>() => {
                Err(UpstreamError::TooLarge)
            }
            Err(_) => Err(UpstreamError::Truncated),
        }
    }

    /// The next bytes of the body; none at its end.
    pub(crate) async fn part(&mut self) -> Result<Option<Bytes>, UpstreamError> {
        loop {
            match self.response.body_mut().frame().await {
                None => return Ok(None),
                Some(Err(_)) => return Err(UpstreamError::Truncated),
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        return Ok(Some(data));
                    }
                }
            }
        }
    }
}
