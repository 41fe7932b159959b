//! What stands outside the seal: a marked request over HTTP/1.1 or HTTP/2, and all that comes back.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use crate::composed::engine::MODEL;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{
    Method,
    client::conn::http2,
    header::{AUTHORIZATION, CONTENT_TYPE},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::{net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::client::TlsStream;

/// In every unsealed request's body, header and query, and in every sealed body.
pub(crate) const CANARY: &str = "zqCanary7731xw";
/// Guards against a hang; no test depends on its length.
pub(crate) const HANG: Duration = Duration::from_secs(60);

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Everything, heads included.
    pub(crate) bytes: Vec<u8>,
    pub(crate) code: Option<String>,
}

pub(crate) async fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// One request, byte by byte as it stands here, and all that comes back.
pub(crate) async fn http1(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    method: &str,
    path: &str,
    key: Option<&str>,
) -> Answer {
    let body = marked_body();
    let authorization = key.map_or(String::new(), |key| {
        format!("authorization: Bearer {key}\r\n")
    });
    let target = if method == "CONNECT" {
        "localhost:443".to_owned()
    } else {
        format!("{path}?q={CANARY}")
    };
    let request = format!(
        "{method} {target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nx-mark: {CANARY}\r\n{authorization}\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    // An end without close_notify is one too.
    let _ = tokio::time::timeout(HANG, stream.read_to_end(&mut bytes))
        .await
        .expect("no hang");
    let text = String::from_utf8_lossy(&bytes);
    let status = text
        .strip_prefix("HTTP/1.1 ")
        .and_then(|rest| rest.get(..3))
        .expect("a status line");
    Answer {
        status: status.parse().unwrap(),
        code: text
            .split_once("\r\n\r\n")
            .and_then(|(_, body)| code(body.as_bytes())),
        bytes,
    }
}

pub(crate) type Http2 = http2::SendRequest<Full<Bytes>>;

/// Begins a connection on `stream`.
pub(crate) async fn open_http2(stream: TlsStream<TcpStream>) -> Http2 {
    let stream = TokioIo::new(stream);
    let (sender, connection) = http2::handshake(TokioExecutor::new(), stream)
        .await
        .unwrap();
    tokio::spawn(connection);
    sender
}

pub(crate) async fn http2(
    sender: &mut Http2,
    method: &str,
    path: &str,
    key: Option<&str>,
) -> Answer {
    let mut request = hyper::Request::builder()
        .method(Method::from_bytes(method.as_bytes()).unwrap())
        .uri(format!("https://localhost{path}?q={CANARY}"))
        .header("x-mark", CANARY)
        .header(CONTENT_TYPE, "application/json");
    if let Some(key) = key {
        request = request.header(AUTHORIZATION, format!("Bearer {key}"));
    }
    let request = request.body(Full::from(marked_body())).unwrap();
    let asked = tokio::time::timeout(HANG, sender.send_request(request));
    let (head, body) = asked.await.expect("no hang").unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let mut bytes = format!("{:?}", head.headers).into_bytes();
    bytes.extend(&body);
    Answer {
        status: head.status.as_u16(),
        code: code(&body),
        bytes,
    }
}

pub(crate) fn code(body: &[u8]) -> Option<String> {
    let problem: serde_json::Value = serde_json::from_slice(body).ok()?;
    Some(problem["code"].as_str()?.to_owned())
}

pub(crate) fn marked_body() -> String {
    format!(
        r#"{{"model":"{MODEL}","input":"{CANARY}","prompt":"{CANARY}","messages":[{{"role":"user","content":"{CANARY}"}}]}}"#
    )
}

/// The mark as it is, and as encodings would show it.
pub(crate) fn holds_canary(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes).to_lowercase();
    let hex = hex::encode(CANARY);
    // Base64 of the mark at each of the three alignments, without the characters that its neighbours change.
    let base64 = [
        "enFDYW5hcnk3NzMxeH",
        "pxQ2FuYXJ5NzczMXh3",
        "6cUNhbmFyeTc3MzF4d",
    ];
    let raw = String::from_utf8_lossy(bytes);
    text.contains(&CANARY.to_lowercase())
        || text.contains(&hex)
        || base64.iter().any(|part| raw.contains(part))
}

#[test]
fn the_marks_of_a_canary_are_found() {
    for shown in [
        CANARY.to_owned(),
        CANARY.to_uppercase(),
        format!("..{}..", hex::encode(CANARY)),
        "AAB6cUNhbmFyeTc3MzF4dwAA".to_owned(),
    ] {
        assert!(holds_canary(shown.as_bytes()), "{shown}");
    }
    assert!(!holds_canary(b"nothing of it"));
}
