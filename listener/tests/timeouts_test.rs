//! Peers that send nothing, half of something, or nothing more: each is hung up on.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod support;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::{Request, client::conn::http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use listener::Limits;
use support::{SHORT, hello, hung_up, limits, never, pki, start};
use tokio::io::AsyncWriteExt;

const GET: &[u8] = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";

fn short_headers() -> Limits {
    Limits {
        header_timeout: SHORT,
        ..limits()
    }
}

#[tokio::test]
async fn silence_is_hung_up_on() {
    let running = start(short_headers(), None, hello).await;
    assert!(hung_up(running.connect().await).await.is_empty());
}

#[tokio::test]
async fn half_a_header_section_is_hung_up_on() {
    let running = start(short_headers(), None, hello).await;
    let mut stream = running.connect().await;
    stream
        .write_all(b"GET / HTTP/1.1\r\nhost: lo")
        .await
        .unwrap();
    let received = hung_up(stream).await;
    assert!(!received.windows(5).any(|window| window == b"hello"));
}

#[tokio::test]
async fn an_idle_keep_alive_is_hung_up_on_after_its_answer() {
    let running = start(short_headers(), None, hello).await;
    let mut stream = running.connect().await;
    stream.write_all(GET).await.unwrap();
    assert!(hung_up(stream).await.ends_with(b"hello"));
}

#[tokio::test]
async fn a_tls_handshake_that_never_begins_is_hung_up_on() {
    let short = Limits {
        handshake_timeout: SHORT,
        ..limits()
    };
    let running = start(short, Some(pki().server), hello).await;
    assert!(hung_up(running.connect().await).await.is_empty());
}

#[tokio::test]
async fn zero_bytes_on_http1_under_tls_are_hung_up_on() {
    let pki = pki();
    let running = start(short_headers(), Some(pki.server.clone()), hello).await;
    hung_up(pki.connect(&running, b"http/1.1").await).await;
}

#[tokio::test]
async fn zero_bytes_on_http2_are_hung_up_on() {
    let pki = pki();
    let running = start(short_headers(), Some(pki.server.clone()), hello).await;
    hung_up(pki.connect(&running, b"h2").await).await;
}

#[tokio::test]
async fn an_http2_preface_without_a_request_is_hung_up_on() {
    let pki = pki();
    let running = start(short_headers(), Some(pki.server.clone()), hello).await;
    let mut stream = pki.connect(&running, b"h2").await;
    stream
        .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00")
        .await
        .unwrap();
    hung_up(stream).await;
}

#[tokio::test]
async fn an_idle_http2_connection_ends_after_its_answer() {
    let pki = pki();
    let short = Limits {
        idle_timeout: SHORT,
        ..limits()
    };
    let running = start(short, Some(pki.server.clone()), hello).await;
    let stream = pki.connect(&running, b"h2").await;
    let (mut sender, connection) =
        http2::handshake::<_, _, Empty<Bytes>>(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .unwrap();
    let connection = tokio::spawn(connection);
    let request = Request::get("https://localhost/")
        .body(Empty::new())
        .unwrap();
    let answer = sender.send_request(request).await.unwrap();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(&body[..], b"hello");
    let ended = tokio::time::timeout(support::HANG, connection).await;
    let _ = ended
        .expect("the server keeps an idle connection open")
        .unwrap();
}

#[tokio::test]
async fn an_exchange_that_does_not_get_on_is_cut() {
    let short = Limits {
        stall_timeout: SHORT,
        ..limits()
    };
    let running = start(short, None, never).await;
    let mut stream = running.connect().await;
    stream.write_all(GET).await.unwrap();
    assert!(hung_up(stream).await.is_empty());
}
