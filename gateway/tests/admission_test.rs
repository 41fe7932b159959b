//! Which nodes are on offer, and until when.

use crate::support::{
    self, NOW, POLICY_SECONDS, Stack, accept_custom_anchors,
    client::{challenge, envelope, get},
    node::{Claims, FakeNode, Fault, Keys},
    policy_for, shipped_appraiser,
};
use attestation::{EvidenceBundle, Freshness, Nonce};
use bytes::Bytes;
use hyper::{StatusCode, header::RETRY_AFTER};
use listener::body;
use policy::Appraiser;

const OK: StatusCode = StatusCode::OK;

#[tokio::test]
async fn an_admitted_node_is_offered_with_its_paths() {
    let node = FakeNode::start("node-1").await;
    let stack = Stack::start(&[&node], "").await;
    let answer = stack.ask(get("/narthex/v1/offers")).await;
    let document: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    let expected = serde_json::json!({"offers": [{
        "node": "node-1",
        "relay": "/narthex/v1/nodes/node-1/relay",
        "challenge": "/narthex/v1/nodes/node-1/challenge",
        "keys": "/narthex/v1/nodes/node-1/keys",
        "weight": 1,
    }]});
    assert_eq!(document, expected);
}

type Edit = Box<dyn Fn(&mut Claims)>;

/// What a refused node says, and the code of its refusal.
fn refusals() -> Vec<(Edit, &'static str)> {
    let answering = |status, media_type, body: Bytes| -> Edit {
        Box::new(move |claims| claims.answer = Some((status, media_type, body.clone())))
    };
    let bundle = "application/cmw+cbor";
    vec![
        (
            answering(StatusCode::INTERNAL_SERVER_ERROR, bundle, Bytes::new()),
            "upstream.status",
        ),
        (
            answering(StatusCode::FOUND, bundle, Bytes::new()),
            "upstream.status",
        ),
        (
            answering(StatusCode::SERVICE_UNAVAILABLE, bundle, Bytes::new()),
            "upstream.overloaded",
        ),
        (
            answering(OK, "text/html", Bytes::new()),
            "upstream.media_type",
        ),
        (
            answering(
                OK,
                bundle,
                Bytes::from(vec![0; attestation::bundle::MAX_BUNDLE_BYTES + 1]),
            ),
            "upstream.too_large",
        ),
        (
            answering(OK, bundle, Bytes::from_static(b"not a bundle")),
            "bundle.encoding",
        ),
        (
            Box::new(|claims| claims.fault = Some(Fault::Silent)),
            "upstream.timed_out",
        ),
        (
            Box::new(|claims| claims.fault = Some(Fault::BreaksOff)),
            "upstream.truncated",
        ),
        (
            Box::new(|claims| claims.keys = Keys::Absent),
            "appraisal.keys_absent",
        ),
        (
            Box::new(|claims| claims.keys = Keys::Foreign),
            "keys.signature",
        ),
        (Box::new(|claims| claims.expires = NOW.0), "keys.expired"),
        (
            Box::new(|claims| claims.node = "node-2".to_owned()),
            "appraisal.other_node",
        ),
        (
            Box::new(|claims| claims.policy_version -= 1),
            "appraisal.policy_rollback",
        ),
    ]
}

#[tokio::test]
async fn a_node_that_fails_an_appraisal_is_taken_off_offer_and_back_when_it_passes() {
    for (edit, code) in refusals() {
        let node = FakeNode::start("node-1").await;
        let stack = Stack::start(&[&node], "").await;
        assert_eq!(stack.offered().await, ["node-1"], "{code}");
        node.claim(|claims| edit(claims));
        assert_eq!(stack.appraise().await, Err(code));
        assert_eq!(stack.offered().await, [""; 0], "{code}");
        assert_eq!(
            stack.admin("/readyz").await.status,
            StatusCode::SERVICE_UNAVAILABLE
        );
        node.claim(|claims| *claims = Claims::good("node-1"));
        assert_eq!(stack.appraise().await, Ok(()));
        assert_eq!(stack.offered().await, ["node-1"], "{code}");
    }
}

#[tokio::test]
async fn a_node_that_is_not_admitted_serves_nobody() {
    let node = FakeNode::start("node-1").await;
    let stack = Stack::start(&[&node], "").await;
    node.claim(|claims| claims.keys = Keys::Absent);
    stack.appraise().await.unwrap_err();
    for request in [
        envelope("node-1", body::full("envelope")),
        challenge("node-1", &[1; 32]),
        get("/narthex/v1/nodes/node-1/keys"),
    ] {
        let answer = stack.ask(request).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answer.headers[RETRY_AFTER], "5");
        assert_eq!(answer.code(), "gateway.node_not_admitted");
    }
}

#[tokio::test]
async fn an_admission_ends_with_its_time() {
    let node = FakeNode::start("node-1").await;
    let stack = Stack::start(&[&node], "").await;
    assert_eq!(stack.offered().await, ["node-1"]);
    stack.clock.turn(POLICY_SECONDS);
    assert_eq!(stack.offered().await, [""; 0]);
}

#[tokio::test]
async fn an_unreachable_node_is_not_offered_and_the_others_are() {
    let (node, gone) = (
        FakeNode::start("node-1").await,
        FakeNode::unreachable("node-2").await,
    );
    let stack = Stack::start(&[&node, &gone], "").await;
    // Both machines are of one kind: the policy that admits the first would admit the second.
    assert_eq!(stack.offered().await, ["node-1"]);
    let (name, outcome) = stack.gateway.appraise_all().await.swap_remove(1);
    assert_eq!(
        (name.as_str(), outcome.unwrap_err().code()),
        ("node-2", "upstream.unreachable")
    );
}

#[tokio::test]
async fn another_measurement_is_denied_with_the_policy_s_code() {
    let (node, other) = (
        FakeNode::start("node-1").await,
        FakeNode::start("node-2").await,
    );
    let machine =
        tee_sim::Machine::new(&support::VENDOR).with_report(|report| report.measurement = [9; 48]);
    let policy = accept_custom_anchors(policy_for(&machine));
    let strict = Appraiser::new(support::VENDOR.verifier(), policy);
    let stack = Stack::judged_by(strict, &[&node, &other], "").await;
    assert_eq!(stack.appraise().await, Err("policy.snp.measurement"));
    assert_eq!(stack.offered().await, [""; 0]);
}

#[tokio::test]
async fn the_shipped_composition_refuses_simulated_evidence() {
    let node = FakeNode::start("node-1").await;
    let shipped = Stack::judged_by(shipped_appraiser(node.machine()), &[&node], "").await;
    let code = shipped.appraise().await.unwrap_err();
    assert!(code.starts_with("snp."), "{code}");
    let custom_roots = Appraiser::new(support::VENDOR.verifier(), policy_for(node.machine()));
    let half_way = Stack::judged_by(custom_roots, &[&node], "").await;
    assert_eq!(half_way.appraise().await, Err("policy.anchors"));
}

#[tokio::test]
async fn the_timer_admits_a_node_that_comes_to_its_senses() {
    let node = FakeNode::start("node-1").await;
    node.claim(|claims| claims.keys = Keys::Absent);
    let stack = Stack::start(
        &[&node],
        "[appraisal]\nretry_min_ms = 20\nretry_max_ms = 20",
    )
    .await;
    assert_eq!(stack.offered().await, [""; 0]);
    node.claim(|claims| claims.keys = Keys::Own);
    let admitted = async { while stack.offered().await.is_empty() {} };
    tokio::time::timeout(support::HANG, admitted).await.unwrap();
}

#[tokio::test]
async fn every_appraisal_has_a_nonce_of_its_own() {
    let node = FakeNode::start("node-1").await;
    let stack = Stack::start(&[&node], "").await;
    stack.appraise().await.unwrap();
    let mut nonces: Vec<_> = node.seen().into_iter().map(|seen| seen.body).collect();
    let count = nonces.len();
    nonces.sort();
    nonces.dedup();
    assert!(count >= 2 && nonces.len() == count);
}

#[tokio::test]
async fn a_challenge_is_passed_through_and_its_answer_is_the_node_s() {
    let node = FakeNode::start("node-1").await;
    let stack = Stack::start(&[&node], "").await;
    let answer = stack.ask(challenge("node-1", &[42; 32])).await;
    assert_eq!(answer.headers["content-type"], "application/cmw+cbor");
    let bundle = EvidenceBundle::from_cbor(&answer.body).unwrap();
    assert_eq!(bundle.freshness, Freshness::of_one(&Nonce([42; 32])));
    let asked = node.seen().pop().unwrap();
    assert_eq!(
        (asked.path.as_str(), &asked.body[..]),
        ("/narthex/v1/challenge", &[42; 32][..])
    );
}

#[tokio::test]
async fn keys_are_passed_through() {
    let node = FakeNode::start("node-1").await;
    let stack = Stack::start(&[&node], "").await;
    let answer = stack.ask(get("/narthex/v1/nodes/node-1/keys")).await;
    assert_eq!(
        (answer.status, &answer.headers["content-type"]),
        (OK, &"application/cose".parse().unwrap())
    );
    let asked = node.seen().pop().unwrap();
    assert_eq!(
        (asked.path.as_str(), asked.body.len()),
        ("/narthex/v1/keys", 0)
    );
}

#[tokio::test]
async fn a_nonce_has_32_bytes() {
    let node = FakeNode::start("node-1").await;
    let stack = Stack::start(&[&node], "").await;
    let codes = [
        (0, "gateway.nonce_length"),
        (31, "gateway.nonce_length"),
        (33, "gateway.too_large"),
    ];
    for (length, code) in codes {
        let answer = stack.ask(challenge("node-1", &vec![1; length])).await;
        assert_eq!(answer.code(), code, "{length}");
    }
}

#[tokio::test]
async fn a_node_s_wrong_answer_to_a_challenge_does_not_cross() {
    let node = FakeNode::start("node-1").await;
    let stack = Stack::start(&[&node], "").await;
    let wrong = [
        (
            OK,
            "text/html",
            Bytes::from_static(b"<p>"),
            "gateway.upstream_answer",
        ),
        (
            OK,
            "application/cmw+cbor",
            Bytes::from(vec![0; attestation::bundle::MAX_BUNDLE_BYTES + 1]),
            "gateway.upstream_answer",
        ),
        (
            StatusCode::FOUND,
            "application/cmw+cbor",
            Bytes::new(),
            "gateway.upstream_answer",
        ),
        (
            StatusCode::SERVICE_UNAVAILABLE,
            "text/plain",
            Bytes::new(),
            "gateway.overloaded",
        ),
    ];
    for (status, media_type, body, code) in wrong {
        node.claim(|claims| claims.answer = Some((status, media_type, body)));
        assert_eq!(
            stack.ask(challenge("node-1", &[1; 32])).await.code(),
            code,
            "{status} {media_type}"
        );
    }
}
