//! The cap, the end, and services that fail.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod support;

use hyper::{Request, Response, body::Incoming};
use listener::{Body, Drained, Limits, Peer, body};
use std::sync::Arc;
use support::{HANG, SHORT, hello, hung_up, limits, never, pki, start};
use tokio::{
    io::AsyncWriteExt,
    net::TcpStream,
    sync::{Notify, Semaphore},
};

const GET_AND_CLOSE: &[u8] = b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";

async fn get(mut stream: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin) -> String {
    // A server that refuses may have hung up already.
    let _ = stream.write_all(GET_AND_CLOSE).await;
    String::from_utf8(hung_up(stream).await).unwrap()
}

#[tokio::test]
async fn tls_and_plain_are_served() {
    let plain = start(limits(), None, hello).await;
    assert!(get(plain.connect().await).await.ends_with("hello"));
    let pki = pki();
    let tls = start(limits(), Some(pki.server.clone()), hello).await;
    let answer = get(pki.connect(&tls, b"http/1.1").await).await;
    assert!(answer.ends_with("hello"));
}

#[tokio::test]
async fn one_connection_over_the_cap_is_closed_and_the_next_after_an_end_is_served() {
    let capped = Limits {
        max_connections: 1,
        ..limits()
    };
    let running = start(capped, None, hello).await;
    let first = running.connect().await;
    assert_eq!(get(running.connect().await).await, "");
    assert_eq!(
        (running.counters.accepted(), running.counters.refused()),
        (1, 1)
    );
    assert!(get(first).await.ends_with("hello"));
    while !get(running.connect().await).await.ends_with("hello") {}
}

#[tokio::test]
async fn a_panicking_service_ends_its_own_connection_only() {
    let running = start(limits(), None, |request: Request<Incoming>| async move {
        assert!(
            request.headers().contains_key("connection"),
            "as the test wants"
        );
        hello(request).await
    })
    .await;
    let mut doomed = running.connect().await;
    doomed
        .write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        .await
        .unwrap();
    assert!(hung_up(doomed).await.is_empty());
    assert!(get(running.connect().await).await.ends_with("hello"));
}

#[tokio::test]
async fn a_request_carries_its_peer() {
    let running = start(limits(), None, |request: Request<Incoming>| async move {
        let peer = request.extensions().get::<Peer>().unwrap();
        Response::new(body::full(peer.address.to_string()))
    })
    .await;
    let stream = running.connect().await;
    let own = stream.local_addr().unwrap().to_string();
    assert!(get(stream).await.ends_with(&own));
}

#[tokio::test]
async fn the_end_waits_for_an_exchange_under_way_and_accepts_no_other() {
    let (entered, release) = (Arc::new(Notify::new()), Arc::new(Semaphore::new(0)));
    let gate = (Arc::clone(&entered), Arc::clone(&release));
    let running = start(limits(), None, move |request| gated(gate.clone(), request)).await;
    let address = running.address;
    let exchange = tokio::spawn(get(running.connect().await));
    entered.notified().await;
    let ended = running.stop();
    while TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    release.add_permits(1);
    assert!(exchange.await.unwrap().ends_with("hello"));
    assert_eq!(ended.await.unwrap(), Drained { cut: 0 });
}

async fn gated(gate: (Arc<Notify>, Arc<Semaphore>), request: Request<Incoming>) -> Response<Body> {
    gate.0.notify_one();
    let _permit = gate.1.acquire().await.unwrap();
    hello(request).await
}

#[tokio::test]
async fn what_outlives_the_drain_is_cut() {
    let short = Limits {
        drain_timeout: SHORT,
        ..limits()
    };
    let entered = Arc::new(Notify::new());
    let notify = Arc::clone(&entered);
    let running = start(short, None, move |request| {
        notify.notify_one();
        never(request)
    })
    .await;
    let exchange = tokio::spawn(get(running.connect().await));
    entered.notified().await;
    assert_eq!(running.stop().await.unwrap(), Drained { cut: 1 });
    assert_eq!(exchange.await.unwrap(), "");
}

#[tokio::test]
async fn idle_connections_do_not_hold_up_the_end() {
    let running = start(limits(), None, hello).await;
    let idle = running.connect().await;
    assert!(get(running.connect().await).await.ends_with("hello"));
    let ended = tokio::time::timeout(HANG / 2, running.stop()).await;
    assert_eq!(ended.expect("the end hangs").unwrap(), Drained { cut: 0 });
    hung_up(idle).await;
}
