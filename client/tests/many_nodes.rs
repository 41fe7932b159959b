//! A client with several nodes on offer: which it keeps, which it seals to, and what it does when one goes away.
#![allow(unreachable_pub, reason = "a test binary has no documentation")]

use crate::fake::{self, Fault, Gateway, MODEL, Node};
use attestation::UnixTime;
use client::{
    Client, ClientError, Clock, Event, GatewayUrl, Judge, Observer, Request, Roots, SeenPolicies,
    Settings,
};
use policy::Appraiser;
use std::{
    num::NonZeroUsize,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

struct HandClock(AtomicU64);

impl Clock for HandClock {
    fn now(&self) -> UnixTime {
        UnixTime(self.0.load(Ordering::Relaxed))
    }
}

/// What the user is told, in lines.
#[derive(Default)]
struct Seen(Mutex<Vec<String>>);

impl Observer for Seen {
    fn observe(&self, event: &Event) {
        let line = match event {
            Event::Check(check) => format!("{:?} {} {}", check.outcome, check.id, check.detail),
            Event::Notice(text) => format!("note {text}"),
        };
        self.0.lock().unwrap().push(line);
    }
}

impl Seen {
    fn count(&self, part: &str) -> usize {
        let lines = self.0.lock().unwrap();
        lines.iter().filter(|line| line.contains(part)).count()
    }
}

struct Bench {
    gateway: Gateway,
    clock: Arc<HandClock>,
    seen: Arc<Seen>,
}

impl Bench {
    async fn of(count: usize) -> Self {
        let nodes = ["node-a", "node-b", "node-c", "node-d"];
        Self::with(nodes.into_iter().take(count).map(Node::new).collect()).await
    }

    async fn with(nodes: Vec<Node>) -> Self {
        Self {
            gateway: Gateway::start(nodes).await,
            clock: Arc::new(HandClock(AtomicU64::new(fake::now().0))),
            seen: Arc::default(),
        }
    }

    async fn connect(&self, kept: usize) -> Client {
        let node = &self.gateway.nodes[0];
        let judge = Judge {
            appraiser: Appraiser::new(node.machine.verifier(), node.policy()),
            clock: self.clock.clone(),
            seen: SeenPolicies::default(),
        };
        let gateway = client::Gateway {
            url: GatewayUrl::parse(&self.gateway.url).unwrap(),
            roots: Roots::System,
            api_key: None,
        };
        let settings = Settings {
            nodes: NonZeroUsize::new(kept).unwrap(),
            ..Settings::default()
        };
        Client::connect_with(&gateway, judge, settings, self.seen.clone())
            .await
            .unwrap()
    }

    fn turn_clocks(&self, seconds: u64) {
        self.clock.0.fetch_add(seconds, Ordering::Relaxed);
        for node in &self.gateway.nodes {
            node.ahead_s.fetch_add(seconds, Ordering::Relaxed);
        }
    }

    /// Waits, within bounds, for what happens beside the requests.
    async fn until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        for _ in 0..1000 {
            if holds(self) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let lines = self.seen.0.lock().unwrap().join("\n");
        panic!("{what} did not come about:\n{lines}");
    }
}

fn chat() -> Request {
    let body = format!(r#"{{"model":"{MODEL}","stream":true,"messages":[]}}"#);
    Request::post("/v1/chat/completions", body.into_bytes(), MODEL.to_owned())
}

/// The name of the node that answered whole.
async fn ask(client: &Client) -> Result<String, ClientError> {
    let mut exchange = client.send(&chat()).await?;
    let answer = exchange.collect().await?;
    assert_eq!(answer.status, 200);
    Ok(exchange.node().name().to_owned())
}

#[tokio::test]
async fn as_many_nodes_as_wanted_are_kept_beside_the_requests() {
    let bench = Bench::of(4).await;
    let client = bench.connect(3).await;
    assert_eq!(
        bench.gateway.calls("challenge"),
        1,
        "the first node is enough"
    );
    bench
        .until("three admissions", |bench| {
            bench.seen.count("node.kept") == 2
        })
        .await;
    assert_eq!(ask(&client).await.unwrap(), "node-a");
    assert_eq!(bench.gateway.calls("challenge"), 3);
}

#[tokio::test]
async fn one_node_is_kept_where_one_is_wanted() {
    let bench = Bench::of(3).await;
    let client = bench.connect(1).await;
    ask(&client).await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(bench.gateway.calls("challenge"), 1);
}

#[tokio::test]
async fn the_gateway_s_order_is_followed_among_admitted_nodes() {
    let bench = Bench::of(2).await;
    let client = bench.connect(2).await;
    bench
        .until("two admissions", |bench| bench.seen.count("node.kept") == 1)
        .await;
    assert_eq!(ask(&client).await.unwrap(), "node-a");
    bench.gateway.offer_in_order(&[1, 0]);
    bench.turn_clocks(10);
    let before = bench.gateway.calls("offers");
    ask(&client).await.unwrap();
    bench
        .until("new offers", |bench| bench.gateway.calls("offers") > before)
        .await;
    assert_eq!(ask(&client).await.unwrap(), "node-b");
    assert_eq!(bench.gateway.calls("challenge"), 2);
}

#[tokio::test]
async fn keys_are_renewed_before_they_end_and_no_request_waits() {
    let bench = Bench::of(2).await;
    let client = bench.connect(2).await;
    bench
        .until("two admissions", |bench| bench.seen.count("node.kept") == 1)
        .await;
    // Lists are valid for 600 s; three quarters have passed.
    bench.turn_clocks(460);
    ask(&client).await.unwrap();
    bench
        .until("new keys of both", |bench| bench.gateway.calls("keys") == 2)
        .await;
    // An hour's admission is renewed with a new challenge.
    bench.turn_clocks(2400);
    ask(&client).await.unwrap();
    bench
        .until("new admissions", |bench| {
            bench.gateway.calls("challenge") == 4
        })
        .await;
}

#[tokio::test]
async fn a_stream_outlives_the_keys_that_it_began_under() {
    let bench = Bench::of(1).await;
    let client = bench.connect(1).await;
    let mut under_way = client.send(&chat()).await.unwrap();
    bench.gateway.nodes[0].rotate();
    bench.turn_clocks(3601);
    ask(&client).await.unwrap();
    assert_eq!(under_way.collect().await.unwrap().status, 200);
}

#[tokio::test]
async fn a_node_that_cannot_prove_itself_is_told_once_and_left_out() {
    let bench = Bench::of(3).await;
    bench.gateway.fault(Fault::BadEvidence(1));
    let client = bench.connect(3).await;
    bench
        .until("the third admission", |bench| {
            bench.seen.count("node.kept node node-c") == 1
        })
        .await;
    for _ in 0..3 {
        bench.turn_clocks(30);
        assert_ne!(ask(&client).await.unwrap(), "node-b");
    }
    let asked = bench.gateway.calls("challenge");
    bench.turn_clocks(60);
    ask(&client).await.unwrap();
    bench
        .until("another challenge", |bench| {
            bench.gateway.calls("challenge") > asked
        })
        .await;
    assert_eq!(bench.seen.count("node node-b is passed over"), 1);
    assert_eq!(bench.seen.count("Fail"), 0);
}

/// R11.2.
#[tokio::test]
async fn a_node_lost_in_mid_stream_is_an_error_and_the_next_request_goes_elsewhere() {
    for kept in [1, 2] {
        let bench = Bench::of(2).await;
        let client = bench.connect(kept).await;
        bench.gateway.fault(Fault::Dies(0));
        let error = ask(&client).await.unwrap_err();
        assert_eq!(error.code(), "channel.interrupted");
        assert!(error.to_string().contains("NOT complete"), "{error}");
        for _ in 0..3 {
            assert_eq!(ask(&client).await.unwrap(), "node-b");
        }
        assert_eq!(
            bench.gateway.calls("relay"),
            4,
            "the lost node is left alone"
        );
        // Back, and after its pause the first choice again.
        bench.gateway.revive(0);
        bench.turn_clocks(10);
        assert_eq!(ask(&client).await.unwrap(), "node-a");
    }
}

/// R11.1.
#[tokio::test]
async fn a_node_that_the_gateway_does_not_reach_is_replaced_under_the_same_request_id() {
    let bench = Bench::of(3).await;
    let client = bench.connect(1).await;
    bench.gateway.fault(Fault::Dies(0));
    ask(&client).await.unwrap_err();
    bench.gateway.fault(Fault::Unavailable(1));
    let exchange = client.send(&chat()).await.unwrap();
    assert_eq!(exchange.node().name(), "node-c");
    assert_eq!(bench.seen.count("sealed to another node"), 1);
    assert_eq!(
        *bench.gateway.nodes[2].opened.lock().unwrap(),
        [exchange.id().0]
    );
}

/// R11.1.
#[tokio::test]
async fn a_request_is_tried_at_three_nodes_at_most() {
    let bench = Bench::of(4).await;
    let client = bench.connect(4).await;
    bench
        .until("four admissions", |bench| {
            bench.seen.count("node.kept") == 3
        })
        .await;
    bench.gateway.fault(Fault::AllUnavailable);
    let error = ask(&client).await.unwrap_err();
    assert_eq!(error.code(), "gateway.unavailable");
    assert_eq!(bench.gateway.calls("relay"), 3);
    bench.gateway.fault(None);
    ask(&client).await.unwrap();
}

#[tokio::test]
async fn the_node_that_attests_the_model_is_asked() {
    let bench = Bench::with(vec![Node::new("node-a"), Node::serving("node-b", "other")]).await;
    let client = bench.connect(2).await;
    let body = br#"{"model":"other","messages":[]}"#.to_vec();
    let request = Request::post("/v1/chat/completions", body, "other".to_owned());
    let mut exchange = client.send(&request).await.unwrap();
    assert_eq!(exchange.node().name(), "node-b");
    exchange.collect().await.unwrap();
    assert_eq!(ask(&client).await.unwrap(), "node-a");
    let request = Request::post("/v1/chat/completions", b"{}".to_vec(), "gpt-9".to_owned());
    let error = client.send(&request).await.err().unwrap();
    assert_eq!(error.code(), "model_not_found");
}

#[tokio::test]
async fn a_request_can_name_its_node() {
    let bench = Bench::of(2).await;
    let client = bench.connect(1).await;
    let mut exchange = client.send_to("node-b", &chat()).await.unwrap();
    assert_eq!(exchange.node().name(), "node-b");
    exchange.collect().await.unwrap();
    let error = client.send_to("node-z", &chat()).await.err().unwrap();
    assert_eq!(error.code(), "gateway.unavailable");
}
