//! Stock OHTTP clients reach the runtime through the gateway, with an API key and no header of ours outside the seal: the crates `ohttp` and
//! `bhttp`, npm `hpke` with `@panva/hpke-noble`, PyPI `cryptography`. What the last two check they print, one line each.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod crate_ohttp;
mod shared;

use crate_ohttp::{Node, Seal};
use shared::node::node;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};
use tests::stack::{MODEL, Stack};
use tokio::runtime::Runtime;

const CHAT: &str = "/v1/chat/completions";

#[test]
fn pypi_cryptography_chunked() {
    python_peer("chunked");
}

#[test]
fn npm_hpke_chunked() {
    node_peer("chunked");
}

#[test]
fn the_crate_ohttp_chunked() {
    crate_peer(Seal::Chunked);
}

#[test]
fn pypi_cryptography_one_shot() {
    python_peer("one-shot");
}

#[test]
fn npm_hpke_one_shot() {
    node_peer("one-shot");
}

#[test]
fn the_crate_ohttp_one_shot() {
    crate_peer(Seal::OneShot);
}

#[test]
fn the_vectors_are_what_cryptography_makes() {
    let mut script = Command::new(shared::python());
    let output = script.arg(interop("python/testdata.py")).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{complained}");
}

#[test]
fn npm_hpke_runs_the_vectors() {
    let vectors = interop("../../protocol/testdata");
    let output = node("vectors.mjs").arg(vectors).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{complained}");
    assert!(said.contains("all vectors held"), "{said}");
}

fn python_peer(form: &str) {
    let stack = shared::stack();
    let mut peer = Command::new(shared::python());
    peer.arg(interop("python/peer.py"))
        .args([&stack.gateway_url(), MODEL, form])
        .arg(stack.directory.file("gateway.cert.pem"));
    run(&mut peer, stack);
}

fn node_peer(form: &str) {
    let stack = shared::stack();
    let certificate = stack.directory.file("gateway.cert.pem");
    let mut peer = node("peer.mjs");
    peer.args([&stack.gateway_url(), MODEL, form])
        .env("NODE_EXTRA_CA_CERTS", certificate);
    run(&mut peer, stack);
}

/// Every check of a peer holds, and there are some.
fn run(peer: &mut Command, stack: &Stack) {
    let key = fs::read_to_string(stack.directory.file("api-key")).unwrap();
    let output = peer.env("NARTHEX_API_KEY", key).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{complained}");
    let held = said.lines().filter(|line| line.starts_with("ok ")).count();
    assert!(held >= 20, "{held} checks:\n{said}");
}

fn interop(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("interop")
        .join(name)
}

fn question(extra: &str) -> String {
    let message =
        r#"{"role":"user","content":"What is the capital of France? Answer in one sentence."}"#;
    format!(
        r#"{{"model":"{MODEL}","messages":[{message}],"max_tokens":24,"temperature":0{extra}}}"#
    )
}

fn crate_peer(seal: Seal) {
    Runtime::new().unwrap().block_on(async {
        let node = Node::admit(shared::stack()).await;
        answers_are_whole(&node, seal).await;
        a_spoilt_answer_is_refused(&node, seal).await;
        a_spoilt_envelope_is_refused(&node, seal).await;
    });
}

async fn answers_are_whole(node: &Node, seal: Seal) {
    let models = node
        .ask(seal, &node.message("GET", "/v1/models", None))
        .await;
    let models: serde_json::Value = serde_json::from_slice(models.content()).unwrap();
    assert_eq!(models["data"][0]["id"], MODEL);

    let chat = |extra: &str| node.message("POST", CHAT, Some((MODEL, &question(extra))));
    let whole = node.ask(seal, &chat("")).await;
    let whole: serde_json::Value = serde_json::from_slice(whole.content()).unwrap();
    let whole = whole["choices"][0]["message"]["content"].as_str().unwrap();
    assert!(whole.contains("Paris"), "{whole}");

    let streamed = node.ask(seal, &chat(r#","stream":true"#)).await;
    assert_eq!(streamed_text(streamed.content()), whole);
}

/// The text of a chat that was streamed as server-sent events.
fn streamed_text(body: &[u8]) -> String {
    let body = str::from_utf8(body).unwrap();
    let mut events: Vec<_> = body
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .collect();
    assert_eq!(events.pop(), Some("[DONE]"));
    let events = events.iter().map(|event| {
        let event: serde_json::Value = serde_json::from_str(event).unwrap();
        let delta = event["choices"][0]["delta"]["content"].as_str();
        delta.unwrap_or_default().to_owned()
    });
    events.collect()
}

async fn a_spoilt_answer_is_refused(node: &Node, seal: Seal) {
    let chat = node.message("POST", CHAT, Some((MODEL, &question(r#","stream":true"#))));
    let (sealed, open) = node.send(seal, &chat).await;
    open(&sealed[..sealed.len() - 1]).unwrap_err();
    let (sealed, open) = node.send(seal, &chat).await;
    open(&flipped(&sealed, sealed.len() / 2)).unwrap_err();
    let (sealed, open) = node.send(seal, &chat).await;
    open(&[&sealed[..], &[0]].concat()).unwrap_err();
}

async fn a_spoilt_envelope_is_refused(node: &Node, seal: Seal) {
    let models = node.message("GET", "/v1/models", None);
    let fresh = || node.seal(seal, &models).0;
    let envelope = fresh();
    refused(node, seal, &flipped(&envelope, envelope.len() - 1)).await;
    refused(node, seal, &fresh()[..envelope.len() - 1]).await;
    let envelope = fresh();
    let (status, _, _) = node.relay(seal.request_type(), &envelope).await;
    assert_eq!(status, 200);
    refused(node, seal, &envelope).await;
}

async fn refused(node: &Node, seal: Seal, envelope: &[u8]) {
    let (status, _, problem) = node.relay(seal.request_type(), envelope).await;
    assert_eq!(status, 400);
    let problem: serde_json::Value = serde_json::from_slice(&problem).unwrap();
    assert_eq!(problem["code"], "runtime.envelope");
}

fn flipped(bytes: &[u8], at: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at] ^= 1;
    bytes
}
