//! What is in force is handed out as it came, to whoever has a key.

use crate::support::{
    NOW, Stack,
    client::{Version, get, request, whole},
    node::FakeNode,
    team::{team, version},
};
use attestation::crypto::sha256;
use hyper::{
    Method, Request, StatusCode,
    header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH},
};
use listener::{Body, body};
use policy::{Action, Target, publication::Files};

fn path(name: &str) -> String {
    format!("/narthex/v1/policy/{name}")
}

fn unless(name: &str, etag: &str) -> Request<Body> {
    request(Method::GET, &path(name))
        .header(IF_NONE_MATCH, etag)
        .body(body::empty())
        .unwrap()
}

/// R8.5.
#[tokio::test]
async fn every_file_is_handed_out_byte_for_byte() {
    let node = FakeNode::start("node-1").await;
    let mut team = team(node.machine());
    team.rotate(2);
    team.order(NOW, Action::Stop, &[Target::Node("node-2".to_owned())]);
    team.stamp(NOW, NOW.plus(3600));
    let stack = Stack::under(&team, &[&node], "").await;
    let files = team.files();
    for (name, bytes, media_type) in [
        ("roots.jsonl", files.roots, "application/jsonl"),
        ("policy.json", files.policy, "application/json"),
        ("orders.jsonl", files.orders, "application/jsonl"),
        ("timestamp.json", files.timestamp, "application/json"),
    ] {
        let bytes = bytes.unwrap();
        for http in [Version::Http1, Version::Http2] {
            let answer = whole(stack.send(http, get(&path(name))).await.unwrap()).await;
            assert_eq!(
                (answer.status, &answer.body[..]),
                (StatusCode::OK, &bytes[..])
            );
            assert_eq!(answer.headers[CONTENT_TYPE], media_type);
            assert_eq!(answer.headers[CACHE_CONTROL], "no-cache");
            let etag = format!("\"{}\"", hex::encode(sha256(&bytes)));
            assert_eq!(answer.headers[ETAG], etag);
        }
    }
    let absent = stack.ask(get(&path("inventory.json"))).await;
    assert_eq!(
        (absent.status, absent.code().as_str()),
        (StatusCode::NOT_FOUND, "gateway.not_published")
    );
}

#[tokio::test]
async fn who_has_a_file_is_told_so_until_it_changes() {
    let node = FakeNode::start("node-1").await;
    let mut team = team(node.machine());
    let stack = Stack::under(&team, &[&node], "").await;
    let first = stack.ask(get(&path("policy.json"))).await;
    let etag = first.headers[ETAG].to_str().unwrap();
    let known = stack.ask(unless("policy.json", etag)).await;
    assert_eq!(known.status, StatusCode::NOT_MODIFIED);
    assert!(known.body.is_empty());
    assert_eq!(known.headers[ETAG], first.headers[ETAG]);
    assert_eq!(known.headers[CACHE_CONTROL], "no-cache");
    team.publish_policy(&version(node.machine(), 2).to_toml());
    stack.obey(&team);
    let newer = stack.ask(unless("policy.json", etag)).await;
    assert_eq!(newer.status, StatusCode::OK);
    assert_eq!(newer.body, team.files().policy.unwrap());
}

#[tokio::test]
async fn other_names_and_methods_are_refused() {
    let node = FakeNode::start("node-1").await;
    let stack = Stack::under(&team(node.machine()), &[&node], "").await;
    for name in [
        "",
        "policy.toml",
        "root.json",
        "../policy.json",
        "policy.json/",
    ] {
        let answer = stack.ask(get(&path(name))).await;
        assert_eq!(answer.code(), "gateway.unknown_route", "{name}");
    }
    let put = request(Method::PUT, &path("policy.json"));
    let answer = stack.ask(put.body(body::full("{}")).unwrap()).await;
    assert_eq!(answer.code(), "gateway.method");
    assert_eq!(answer.headers[ALLOW], "GET");
}

#[tokio::test]
async fn a_gateway_that_was_told_of_no_files_hands_out_none() {
    let node = FakeNode::start("node-1").await;
    let stack = Stack::start(&[&node], "").await;
    for name in Files::NAMES {
        let answer = stack.ask(get(&path(name))).await;
        assert_eq!(answer.code(), "gateway.not_published", "{name}");
    }
}
