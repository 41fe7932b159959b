//! What the log says, and what it never says.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod support;

use gateway::{
    config::{LogConfig, LogFormat},
    telemetry,
};
use hyper::{
    Method, Request, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE},
};
use listener::{Body, body};
use provision::policy_keeper::Alarm;
use std::{
    io,
    sync::{Arc, Mutex},
};
use support::{
    API_KEY, Stack,
    client::{Version, envelope, get, request},
    node::{FakeNode, Keys},
    team::{denying, team},
};

/// Nothing that the simulated machine runs has the fix.
const ADVISORY: &str = r#"
[[snp.advisories]]
name = "AMD-SB-3019"
product = "genoa"
component = "microcode"
minimum = 255
link = "https://amd.example/3019"
"#;

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
        "policy.changed",
        "policy.rollback",
        "verdict.differs",
        "policy.snp.milan",
    ] {
        assert!(log.contains(told), "{told} is not in\n{log}");
    }
    check_denial(&log);
    assert_eq!(log.matches("policy.alarm").count(), 1, "told once:\n{log}");
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

/// The rule's place, the advisory behind it, and what to do about it.
fn check_denial(log: &str) {
    let mut lines = log.lines().filter(|line| line.contains("node.denied"));
    let denied = lines.find(|line| line.contains("policy.snp.advisory"));
    let denied: serde_json::Value = serde_json::from_str(denied.unwrap()).unwrap();
    let fields = &denied["fields"];
    assert!(fields["line"].as_u64().unwrap() > 1, "{fields}");
    assert_eq!(fields["advisory"], "AMD-SB-3019");
    assert_eq!(fields["advisory_link"], "https://amd.example/3019");
    let remedy = fields["remedy"].as_str().unwrap();
    assert!(remedy.starts_with("update the component"), "{fields}");
}

/// Of a client that refuses what the gateway admits.
fn verdict() -> Request<Body> {
    let digest = "07".repeat(32);
    let report = format!(
        r#"{{"admitted": false, "code": "policy.snp.milan", "policy_digest": "{digest}"}}"#
    );
    request(Method::POST, "/narthex/v1/nodes/node-1/verdict")
        .header(CONTENT_TYPE, "application/json")
        .body(body::full(report))
        .unwrap()
}

async fn use_everything() {
    let node = FakeNode::serving("node-1", |_| async { panic!("as the test wants") }).await;
    let mut team = team(node.machine());
    let stack = Stack::under(&team, &[&node], "").await;
    stack.ask(get("/narthex/v1/offers")).await;
    for _ in 0..2 {
        let (code, message) = ("policy.rollback", "older than before".to_owned());
        stack.gateway.alarm(Some(Alarm { code, message }));
    }
    stack.ask(verdict()).await;
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
    team.publish_policy(&(denying(node.machine(), 2).to_toml() + ADVISORY));
    stack.obey(&team);
}
