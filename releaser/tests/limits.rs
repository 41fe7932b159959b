//! What a releaser grants its peers, and how it ends.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod support;

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, header::CONTENT_ENCODING};
use protocol::key_release::{KEY_REQUEST_MEDIA_TYPE, MAX_KEY_REQUEST_BYTES};
use releaser::Limits;
use std::time::Duration;
use support::{
    CHALLENGE, RELEASE, Stack, VENDOR,
    http::{post, send},
};
use tee_sim::Machine;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

async fn stack(limits: Limits) -> Stack {
    Stack::limited(&Machine::new(&VENDOR), limits).await
}

#[tokio::test]
async fn a_request_over_the_cap_is_refused_before_it_is_read() {
    let stack = stack(Limits::default()).await;
    let answer = stack.ask_with(&vec![0; MAX_KEY_REQUEST_BYTES + 1]).await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (413, "releaser.too_large")
    );
    let answer = post(stack.address, CHALLENGE, "", b"x").await;
    assert_eq!(answer.status, 413, "a challenge has no body");
}

#[tokio::test]
async fn bytes_that_are_no_request_get_the_same_answer_as_a_denial() {
    let stack = stack(Limits::default()).await;
    let answer = stack.ask_with(b"not a request").await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (403, "releaser.refused")
    );
}

#[tokio::test]
async fn other_routes_methods_and_media_types_are_refused() {
    let stack = stack(Limits::default()).await;
    let other = post(stack.address, "/narthex/v1/model-key", "", &[]).await;
    assert_eq!(other.status, 404);
    let json = post(stack.address, RELEASE, "application/json", b"{}").await;
    assert_eq!(json.status, 415);
    let get = Request::get(RELEASE).body(Full::new(Bytes::new())).unwrap();
    assert_eq!(send(stack.address, get).await.status, 405);
    let encoded = Request::post(RELEASE)
        .header("content-type", KEY_REQUEST_MEDIA_TYPE)
        .header(CONTENT_ENCODING, "gzip")
        .body(Full::new(Bytes::new()))
        .unwrap();
    assert_eq!(send(stack.address, encoded).await.status, 415);
    let alive = Request::get("/healthz").body(Full::new(Bytes::new()));
    assert_eq!(send(stack.address, alive.unwrap()).await.status, 200);
}

#[tokio::test]
async fn a_client_that_is_too_slow_is_refused() {
    let limits = Limits {
        body_timeout: Duration::from_millis(50),
        ..Limits::default()
    };
    let stack = stack(limits).await;
    let mut stream = TcpStream::connect(stack.address).await.unwrap();
    let head = format!(
        "POST {RELEASE} HTTP/1.1\r\nhost: x\r\ncontent-type: {KEY_REQUEST_MEDIA_TYPE}\r\ncontent-length: 100\r\n\r\nhalf"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = vec![0; 256];
    let read = stream.read(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer[..read]).into_owned();
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
}

#[tokio::test]
async fn whoever_asks_too_often_waits() {
    let limits = Limits {
        burst: 2,
        period: Duration::from_secs(3600),
        ..Limits::default()
    };
    let stack = stack(limits).await;
    for expected in [200, 200, 429] {
        let answer = post(stack.address, CHALLENGE, "", &[]).await;
        assert_eq!(answer.status, expected);
    }
}

/// However many are asked for: only an answered nonce is remembered, and only of those is there an end.
#[tokio::test]
async fn nonces_that_are_not_answered_keep_nobody_out() {
    let limits = Limits {
        max_nonces: 1,
        burst: 5000,
        ..Limits::default()
    };
    let machine = Machine::new(&VENDOR);
    let stack = Stack::limited(&machine, limits).await;
    for _ in 0..1100 {
        stack.nonce().await;
    }
    let [first, second] = [stack.node(&machine).await, stack.node(&machine).await];
    assert_eq!(stack.ask(&first.request()).await.status, 200);
    stack.refuses(&second.request(), "nonce.full").await;
}

#[tokio::test]
async fn more_than_is_granted_is_not_judged() {
    let limits = Limits {
        max_appraisals: 0,
        ..Limits::default()
    };
    let stack = stack(limits).await;
    assert_eq!(stack.ask_with(b"x").await.code(), "releaser.busy");
}

#[tokio::test]
async fn what_is_under_way_is_finished_and_nothing_new_is_taken() {
    let mut stack = stack(Limits::default()).await;
    stack.stop();
    let drained = (&mut stack.ended).await.unwrap();
    assert_eq!(drained.cut, 0);
    assert!(TcpStream::connect(stack.address).await.is_err());
}
