//! What the log says, and what it never says.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod support;

use gateway::{
    config::{LogConfig, LogFormat},
    telemetry,
};
use hyper::{Method, Request, StatusCode, header::AUTHORIZATION};
use listener::body;
use std::{
    io,
    sync::{Arc, Mutex},
};
use support::{
    API_KEY, Stack,
    client::{Version, envelope, get},
    node::{FakeNode, Keys},
};

#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// One test in this file: the log of a process is one.
#[tokio::test]
async fn the_log_tells_of_nodes_and_never_of_keys_bodies_or_clients() {
    let sink = Sink::default();
    let writer = sink.clone();
    let config = LogConfig {
        format: LogFormat::Json,
        level: tracing::Level::TRACE,
    };
    let log = telemetry::dispatch(config, move || writer.clone());
    tracing::dispatcher::set_global_default(log).unwrap();
    use_everything().await;
    let log = String::from_utf8(sink.0.lock().unwrap().clone()).unwrap();
    for told in [
        "node.admitted",
        "node.refused",
        "keys.signature",
        "relay.failed",
        "upstream.unreachable",
    ] {
        assert!(log.contains(told), "{told} is not in\n{log}");
    }
    for secret in [
        API_KEY,
        "wrong-key-77",
        "marked envelope",
        "marked header",
        "127.0.0.1",
    ] {
        assert!(!log.contains(secret), "{secret} is in\n{log}");
    }
}

async fn use_everything() {
    let node = FakeNode::serving("node-1", |_| async { panic!("as the test wants") }).await;
    let stack = Stack::start(&[&node], "").await;
    stack.ask(get("/narthex/v1/offers")).await;
    let mut marked = envelope("node-1", body::full("marked envelope"));
    marked
        .headers_mut()
        .insert("user-agent", "marked header".parse().unwrap());
    stack.ask(marked).await;
    let wrong = Request::builder()
        .method(Method::GET)
        .uri("https://localhost/narthex/v1/offers?wrong-key-77")
        .header(AUTHORIZATION, "Bearer wrong-key-77")
        .header("host", "localhost");
    let refused = stack
        .send(Version::Http1, wrong.body(body::empty()).unwrap())
        .await
        .unwrap();
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    node.claim(|claims| claims.keys = Keys::Foreign);
    stack.appraise().await.unwrap_err();
}
