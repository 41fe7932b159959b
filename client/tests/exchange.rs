//! The client library against a small gateway: what it admits, what it refuses, when it tries again.
#![allow(unreachable_pub, reason = "a test binary has no documentation")]

use crate::fake::{self, Fault, Gateway, MODEL, Node};
use attestation::UnixTime;
use client::{
    Client, ClientError, Clock, Event, GatewayUrl, Judge, Observer, Outcome, Request, Roots,
    SeenPolicies,
};
use policy::Appraiser;
use protocol::ResponseEvent;
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, Ordering},
};

/// Turned by hand.
struct HandClock(AtomicU64);

impl Clock for HandClock {
    fn now(&self) -> UnixTime {
        UnixTime(self.0.load(Ordering::Relaxed))
    }
}

#[derive(Default)]
struct Seen(Mutex<Vec<Event>>);

impl Observer for Seen {
    fn observe(&self, event: &Event) {
        self.0.lock().unwrap().push(event.clone());
    }
}

impl Seen {
    fn failed(&self) -> Vec<String> {
        let events = self.0.lock().unwrap();
        let failed = events.iter().filter_map(|event| match event {
            Event::Check(check) if check.outcome == Outcome::Fail => Some(check.id.to_string()),
            _ => None,
        });
        failed.collect()
    }

    fn passed(&self, id: &str) -> bool {
        let events = self.0.lock().unwrap();
        events.iter().any(|event| {
            matches!(event, Event::Check(check) if check.id == id && check.outcome == Outcome::Pass)
        })
    }

    fn notices(&self) -> usize {
        let events = self.0.lock().unwrap();
        events
            .iter()
            .filter(|event| matches!(event, Event::Notice(_)))
            .count()
    }
}

/// A client under the policy of the gateway's first node.
struct Bench {
    gateway: Gateway,
    clock: Arc<HandClock>,
    seen: Arc<Seen>,
}

impl Bench {
    async fn of(nodes: Vec<Node>) -> Self {
        Self {
            gateway: Gateway::start(nodes).await,
            clock: Arc::new(HandClock(AtomicU64::new(fake::now().0))),
            seen: Arc::default(),
        }
    }

    async fn one() -> Self {
        Self::of(vec![Node::new("node-a")]).await
    }

    /// Two nodes of one vendor.
    async fn two() -> Self {
        Self::of(vec![Node::new("node-a"), Node::new("node-b")]).await
    }

    /// Turns the client's clock and the nodes' forward.
    fn turn_clocks(&self, seconds: u64) {
        self.clock.0.fetch_add(seconds, Ordering::Relaxed);
        for node in &self.gateway.nodes {
            node.ahead_s.fetch_add(seconds, Ordering::Relaxed);
        }
    }

    /// Under the first node's roots and policy.
    async fn connect(&self) -> Result<Client, ClientError> {
        let node = &self.gateway.nodes[0];
        let appraiser = Appraiser::new(node.machine.verifier(), node.policy());
        self.connect_to(&self.gateway.url, appraiser).await
    }

    async fn connect_to(&self, url: &str, appraiser: Appraiser) -> Result<Client, ClientError> {
        let gateway = client::Gateway {
            url: GatewayUrl::parse(url).unwrap(),
            roots: Roots::System,
            api_key: None,
        };
        let judge = Judge {
            appraiser,
            clock: self.clock.clone(),
            seen: SeenPolicies::default(),
        };
        Client::connect(&gateway, judge, self.seen.clone()).await
    }
}

fn chat() -> Request {
    let body = format!(r#"{{"model":"{MODEL}","stream":true,"messages":[]}}"#);
    Request::post("/v1/chat/completions", body.into_bytes(), MODEL.to_owned())
}

async fn ask(client: &Client) -> Result<String, ClientError> {
    let answer = client.send(&chat()).await?.collect().await?;
    assert_eq!(answer.status, 200);
    Ok(String::from_utf8(answer.body).unwrap())
}

#[tokio::test]
async fn an_answer_is_complete_with_its_receipt() {
    let bench = Bench::one().await;
    let client = bench.connect().await.unwrap();
    let mut exchange = client.send(&chat()).await.unwrap();
    let mut body = Vec::new();
    let receipt = loop {
        match exchange.next().await.unwrap().unwrap() {
            ResponseEvent::Head { status, .. } => assert_eq!(status, 200),
            ResponseEvent::Body(part) => body.extend(part),
            ResponseEvent::End { receipt } => break receipt,
        }
    };
    assert_eq!(exchange.next().await.unwrap(), None);
    assert!(String::from_utf8(body).unwrap().ends_with("[DONE]\n\n"));
    let identity = exchange.node().admitted().claims().identity;
    let receipt = receipt.verify(&identity).unwrap();
    assert_eq!(receipt.request_id, exchange.id().0);
    for check in ["snp", "freshness.nonce", "policy.admitted", "keys"] {
        assert!(bench.seen.passed(check), "{check}");
    }
    assert!(bench.seen.failed().is_empty());
}

#[tokio::test]
async fn an_admission_serves_many_requests() {
    let bench = Bench::one().await;
    let client = bench.connect().await.unwrap();
    for _ in 0..3 {
        ask(&client).await.unwrap();
    }
    assert_eq!(bench.gateway.calls("challenge"), 1);
    assert_eq!(bench.gateway.calls("keys"), 0);
    assert_eq!(bench.gateway.calls("relay"), 3);
}

#[tokio::test]
async fn expired_keys_are_renewed_without_a_new_quote() {
    let bench = Bench::one().await;
    let client = bench.connect().await.unwrap();
    bench.turn_clocks(601);
    ask(&client).await.unwrap();
    assert_eq!(bench.gateway.calls("keys"), 1);
    assert_eq!(bench.gateway.calls("challenge"), 1);
}

/// R5.3.
#[tokio::test]
async fn expired_keys_without_new_ones_are_refused() {
    let bench = Bench::one().await;
    let client = bench.connect().await.unwrap();
    bench.clock.0.fetch_add(601, Ordering::Relaxed);
    assert_eq!(ask(&client).await.unwrap_err().code(), "keys.expired");
    assert_eq!(bench.gateway.calls("relay"), 0);
}

/// R3.3.
#[tokio::test]
async fn evidence_older_than_the_policy_allows_is_asked_for_again() {
    let bench = Bench::one().await;
    let client = bench.connect().await.unwrap();
    // `freshness.max_age_seconds` is an hour.
    bench.turn_clocks(3601);
    ask(&client).await.unwrap();
    assert_eq!(bench.gateway.calls("challenge"), 2);
}

#[tokio::test]
async fn a_rotated_key_is_refreshed_once_under_the_same_request_id() {
    let bench = Bench::one().await;
    let client = bench.connect().await.unwrap();
    bench.gateway.nodes[0].rotate();
    ask(&client).await.unwrap();
    assert_eq!(bench.gateway.calls("keys"), 1);
    assert_eq!(bench.gateway.calls("relay"), 2);
    assert_eq!(bench.gateway.calls("challenge"), 1);
}

#[tokio::test]
async fn a_node_that_forgot_its_attestation_is_challenged_anew_and_asked_once_more() {
    let bench = Bench::one().await;
    let client = bench.connect().await.unwrap();
    bench.gateway.nodes[0].forget();
    let mut exchange = client.send(&chat()).await.unwrap();
    assert_eq!(exchange.collect().await.unwrap().status, 200);
    assert_eq!(bench.gateway.calls("challenge"), 2);
    assert_eq!(bench.gateway.calls("keys"), 0);
    let opened = bench.gateway.nodes[0].opened.lock().unwrap().clone();
    assert_eq!(opened, [exchange.id().0; 2], "the same request id");
    assert_eq!(bench.seen.notices(), 1);
}

#[tokio::test]
async fn a_node_that_goes_on_saying_421_is_asked_twice_and_no_more() {
    let bench = Bench::one().await;
    let client = bench.connect().await.unwrap();
    let stubborn = &bench.gateway.nodes[0].stubborn;
    stubborn.store(true, Ordering::Relaxed);
    let answer = client.send(&chat()).await.unwrap().collect().await;
    assert_eq!(answer.unwrap().status, 421);
    assert_eq!(bench.gateway.calls("relay"), 2);
    assert_eq!(bench.gateway.calls("challenge"), 2);
}

#[tokio::test]
async fn an_envelope_that_is_refused_is_sealed_to_a_fresh_admission_once() {
    let bench = Bench::one().await;
    let client = bench.connect().await.unwrap();
    bench.gateway.fault(Fault::EnvelopeRefusedOnce);
    ask(&client).await.unwrap();
    assert_eq!(bench.gateway.calls("challenge"), 2);
    assert_eq!(bench.gateway.calls("relay"), 2);
    assert_eq!(bench.seen.notices(), 1);
    bench.gateway.fault(Fault::EnvelopeRefused);
    let error = ask(&client).await.unwrap_err();
    assert_eq!(error.code(), "channel.refused");
    assert_eq!(bench.gateway.calls("challenge"), 3);
    assert_eq!(bench.gateway.calls("relay"), 4);
}

#[tokio::test]
async fn the_key_problem_without_end_is_an_error() {
    let bench = Bench::one().await;
    let client = bench.connect().await.unwrap();
    bench.gateway.fault(Fault::KeyProblem);
    assert_eq!(ask(&client).await.unwrap_err().code(), "channel.key");
    assert_eq!(bench.gateway.calls("relay"), 2);
    assert_eq!(bench.gateway.calls("keys"), 1);
}

/// R11.1.
#[tokio::test]
async fn an_unavailable_node_is_replaced_and_the_user_is_told() {
    let bench = Bench::two().await;
    let client = bench.connect().await.unwrap();
    bench.gateway.fault(Fault::Unavailable(0));
    let exchange = client.send(&chat()).await.unwrap();
    assert_eq!(exchange.node().name(), "node-b");
    assert_eq!(bench.seen.notices(), 1);
    assert_eq!(bench.gateway.nodes[0].opened.lock().unwrap().len(), 0);
    assert_eq!(
        *bench.gateway.nodes[1].opened.lock().unwrap(),
        [exchange.id().0]
    );
}

#[tokio::test]
async fn no_other_node_means_unavailable() {
    let bench = Bench::one().await;
    let client = bench.connect().await.unwrap();
    bench.gateway.fault(Fault::Unavailable(0));
    assert_eq!(
        ask(&client).await.unwrap_err().code(),
        "gateway.unavailable"
    );
    assert_eq!(bench.gateway.calls("relay"), 1);
}

/// R6.11.
#[tokio::test]
async fn faults_of_the_answer_are_refused() {
    for (fault, code) in [
        (Fault::DropEnd, "channel.truncated"),
        (Fault::BreakOff, "channel.interrupted"),
        (Fault::FlipBit, "response.authentication"),
        (Fault::Unauthorized, "gateway.unauthorized"),
    ] {
        let bench = Bench::one().await;
        let client = bench.connect().await.unwrap();
        bench.gateway.fault(fault);
        assert_eq!(ask(&client).await.unwrap_err().code(), code, "{fault:?}");
    }
}

#[tokio::test]
async fn faults_of_the_evidence_are_refused_before_anything_is_sealed() {
    for (fault, code, check) in [
        (
            Fault::OldEvidence,
            "freshness.nonce",
            Some("freshness.nonce"),
        ),
        (Fault::OtherKeys, "keys.signature", Some("keys.signature")),
        (
            Fault::TrailingByte,
            "bundle.encoding",
            Some("bundle.encoding"),
        ),
        (Fault::BadOffers, "gateway.answer", None),
    ] {
        let bench = Bench::one().await;
        bench.gateway.fault(fault);
        let error = bench.connect().await.err().unwrap();
        assert_eq!(error.code(), code, "{fault:?}");
        let expected: Vec<String> = check.into_iter().map(str::to_owned).collect();
        assert_eq!(bench.seen.failed(), expected, "{fault:?}");
        assert_eq!(bench.gateway.calls("relay"), 0);
    }
}

#[tokio::test]
async fn the_vendor_s_verifier_refuses_an_invented_vendor() {
    let bench = Bench::one().await;
    let node = &bench.gateway.nodes[0];
    let appraiser = Appraiser::new(attestation::Verifier::vendor(), node.policy());
    let error = bench
        .connect_to(&bench.gateway.url, appraiser)
        .await
        .err()
        .unwrap();
    assert!(error.code().starts_with("snp.chain."), "{}", error.code());
}

#[tokio::test]
async fn a_policy_that_says_nothing_of_invented_vendors_denies_them() {
    let bench = Bench::one().await;
    let node = &bench.gateway.nodes[0];
    let policy = policy::Policy::from_toml(node.policy_text().to_toml().as_bytes()).unwrap();
    let appraiser = Appraiser::new(node.machine.verifier(), policy);
    let error = bench
        .connect_to(&bench.gateway.url, appraiser)
        .await
        .err()
        .unwrap();
    assert_eq!(error.code(), "policy.denied");
    assert_eq!(bench.seen.failed(), ["policy.anchors"]);
}

/// R5.4.
#[tokio::test]
async fn a_node_that_goes_back_to_an_older_policy_is_refused() {
    let bench = Bench::one().await;
    let client = bench.connect().await.unwrap();
    let node = &bench.gateway.nodes[0];
    node.policy_version.store(2, Ordering::Relaxed);
    node.rotate();
    assert_eq!(ask(&client).await.unwrap_err().code(), "policy.rollback");
}

/// R4.2.
#[tokio::test]
async fn a_node_that_pads_in_an_unknown_way_is_not_sealed_to() {
    let mut node = Node::new("node-a");
    node.manifest.padding = "tomorrow".to_owned();
    let bench = Bench::of(vec![node]).await;
    let error = bench.connect().await.err().unwrap();
    assert_eq!(error.code(), "seal.padding");
    assert_eq!(bench.gateway.calls("relay"), 0);
}

#[tokio::test]
async fn another_model_than_the_attested_one_is_not_asked_for() {
    let bench = Bench::one().await;
    let client = bench.connect().await.unwrap();
    let request = Request::post("/v1/chat/completions", b"{}".to_vec(), "gpt-9".to_owned());
    let error = client.send(&request).await.err().unwrap();
    assert_eq!(error.code(), "model_not_found");
    assert_eq!(bench.gateway.calls("relay"), 0);
    assert_eq!(client.model().await.unwrap(), MODEL);
}

#[tokio::test]
async fn nobody_there_is_said_plainly() {
    let bench = Bench::one().await;
    let node = &bench.gateway.nodes[0];
    let appraiser = Appraiser::new(node.machine.verifier(), node.policy());
    let error = bench
        .connect_to("http://127.0.0.1:1", appraiser)
        .await
        .err()
        .unwrap();
    assert_eq!(error.code(), "gateway.unreachable");
}
