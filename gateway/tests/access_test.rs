//! Who gets in, and what is there.

use crate::support::{
    Stack,
    client::{Version, get, relay_path, request, whole},
    node::FakeNode,
    write_certificate,
};
use hyper::{
    Method, Request, StatusCode,
    header::{ALLOW, AUTHORIZATION, WWW_AUTHENTICATE},
};
use listener::body;
use rustls::{NamedGroup, RootCertStore, version::TLS12};
use std::sync::Arc;

const ROUTES: [(Method, &str); 7] = [
    (Method::GET, "/narthex/v1/offers"),
    (Method::POST, "/narthex/v1/nodes/node-1/challenge"),
    (Method::GET, "/narthex/v1/nodes/node-1/keys"),
    (Method::POST, "/narthex/v1/nodes/node-1/relay"),
    (Method::POST, "/narthex/v1/nodes/node-1/verdict"),
    (Method::GET, "/narthex/v1/policy/policy.json"),
    (Method::GET, "/elsewhere"),
];

/// R8.1.
#[tokio::test]
async fn every_route_wants_a_key_first() {
    let node = FakeNode::start("node-1").await;
    let stack = Stack::start(&[&node], "").await;
    for (method, path) in ROUTES {
        for key in [None, Some("Bearer wrong"), Some("Basic dGVzdA==")] {
            let mut bare = Request::builder()
                .method(method.clone())
                .uri(format!("https://localhost{path}"));
            if let Some(key) = key {
                bare = bare.header(AUTHORIZATION, key);
            }
            let answer = stack.ask(bare.body(body::empty()).unwrap()).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{method} {path}");
            assert_eq!(answer.headers[WWW_AUTHENTICATE], "Bearer");
            assert_eq!(answer.code(), "gateway.unauthorized");
        }
    }
}

#[tokio::test]
async fn what_is_not_there_has_its_code() {
    let node = FakeNode::start("node-1").await;
    let stack = Stack::start(&[&node], "").await;
    let cases = [
        (Method::GET, "/elsewhere", "gateway.unknown_route"),
        (
            Method::POST,
            "/v1/chat/completions",
            "gateway.unknown_route",
        ),
        (
            Method::GET,
            "/narthex/v1/nodes/node-2/keys",
            "gateway.unknown_node",
        ),
        (
            Method::GET,
            "/narthex/v1/nodes/node-1/relay",
            "gateway.method",
        ),
        (Method::POST, "/narthex/v1/offers", "gateway.method"),
        (
            Method::POST,
            "/narthex/v1/nodes/node-1/relay",
            "gateway.media_type",
        ),
        (
            Method::POST,
            "/narthex/v1/nodes/node-1/challenge",
            "gateway.media_type",
        ),
    ];
    for (method, path, code) in cases {
        let answer = stack
            .ask(request(method, path).body(body::empty()).unwrap())
            .await;
        assert_eq!(answer.code(), code, "{path}");
    }
    let refused = stack.ask(get(&relay_path("node-1"))).await;
    assert_eq!(refused.headers[ALLOW], "POST");
}

#[tokio::test]
async fn both_protocols_are_served() {
    let node = FakeNode::start("node-1").await;
    let stack = Stack::start(&[&node], "").await;
    for version in [Version::Http1, Version::Http2] {
        let answer = stack
            .send(version, get("/narthex/v1/offers"))
            .await
            .unwrap();
        assert_eq!(whole(answer).await.status, StatusCode::OK, "{version:?}");
    }
}

#[tokio::test]
async fn the_key_exchange_is_hybrid_and_older_tls_is_refused() {
    let node = FakeNode::start("node-1").await;
    let stack = Stack::start(&[&node], "").await;
    let stream = stack.connect(stack.tls_config(b"h2")).await.unwrap();
    let group = stream.get_ref().1.negotiated_key_exchange_group().unwrap();
    assert_eq!(group.name(), NamedGroup::X25519MLKEM768);
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls12 = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS12])
        .unwrap()
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    let refused = stack.connect(tls12).await.unwrap_err().to_string();
    assert!(refused.contains("ProtocolVersion"), "{refused}");
}

#[tokio::test]
async fn a_certificate_is_exchanged_while_the_gateway_runs() {
    let node = FakeNode::start("node-1").await;
    let mut stack = Stack::start(&[&node], "").await;
    let former = stack.tls_config(b"h2");
    stack.certificate_pem = write_certificate(stack.folder.path());
    assert!(stack.connect(stack.tls_config(b"h2")).await.is_err());
    stack.certificate.reload().unwrap();
    assert!(stack.connect(stack.tls_config(b"h2")).await.is_ok());
    assert!(stack.connect(former).await.is_err());
    for file in ["tls.key", "tls.crt"] {
        std::fs::write(stack.folder.path().join(file), "nothing").unwrap();
        assert!(stack.certificate.reload().is_err(), "{file}");
        assert!(stack.connect(stack.tls_config(b"h2")).await.is_ok());
    }
}

#[tokio::test]
async fn the_admin_listener_says_how_it_is() {
    let node = FakeNode::start("node-1").await;
    let stack = Stack::start(&[&node], "").await;
    stack.ask(get("/narthex/v1/offers")).await;
    assert_eq!(stack.admin("/healthz").await.status, StatusCode::OK);
    assert_eq!(stack.admin("/readyz").await.status, StatusCode::OK);
    assert_eq!(
        stack.admin("/narthex/v1/offers").await.status,
        StatusCode::NOT_FOUND
    );
    let metrics = String::from_utf8(stack.admin("/metrics").await.body.to_vec()).unwrap();
    for line in [
        "narthex_gateway_requests_total{route=\"offers\",status=\"200\"} 1",
        "narthex_gateway_appraisals_total{node=\"node-1\",code=\"admitted\"}",
        "narthex_gateway_node_admitted{node=\"node-1\"} 1",
        "narthex_gateway_connections_accepted_total 1",
        "narthex_gateway_relay_in_flight 0",
    ] {
        assert!(metrics.contains(line), "{line} is not in\n{metrics}");
    }
}
