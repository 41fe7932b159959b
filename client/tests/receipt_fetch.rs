//! Receipts that did not come with their answer: which node is asked, and what is believed (R7.6).
#![allow(unreachable_pub, reason = "a test binary has no documentation")]

use crate::fake::{Fault, Gateway, MODEL, Node};
use client::{
    Client, Clock, Event, GatewayUrl, Judge, Observer, Request, RequestId, Roots, SeenPolicies,
    SystemClock,
};
use policy::Appraiser;
use std::sync::Arc;

struct Nobody;

impl Observer for Nobody {
    fn observe(&self, _: &Event) {}
}

struct Bench {
    gateway: Gateway,
    client: Client,
}

impl Bench {
    async fn new(names: &[&str]) -> Self {
        let gateway = Gateway::start(names.iter().map(|name| Node::new(name)).collect()).await;
        let node = &gateway.nodes[0];
        let judge = Judge {
            appraiser: Appraiser::new(node.machine.verifier(), node.policy()),
            clock: Arc::new(SystemClock) as Arc<dyn Clock>,
            seen: SeenPolicies::default(),
        };
        let settings = client::Gateway {
            url: GatewayUrl::parse(&gateway.url).unwrap(),
            roots: Roots::System,
            api_key: None,
        };
        let client = Client::connect(&settings, judge, Arc::new(Nobody))
            .await
            .unwrap();
        Self { gateway, client }
    }

    /// Asks `node`, loses the end of the answer, and gives the request's id.
    async fn lose_an_answer(&self, node: &str) -> RequestId {
        let body = format!(r#"{{"model":"{MODEL}","stream":true,"messages":[]}}"#);
        let request = Request::post("/v1/chat/completions", body.into_bytes(), MODEL.to_owned());
        self.gateway.fault(Fault::DropEnd);
        let mut exchange = self.client.send_to(node, &request).await.unwrap();
        assert!(exchange.collect().await.is_err());
        self.gateway.fault(None);
        exchange.id()
    }

    /// The refusal of what the first node has kept as the receipt of `id`.
    async fn refusal(&self, id: RequestId) -> &'static str {
        let fetched = self.client.fetch_receipt(&id).await;
        fetched.err().expect("the receipt is refused").code()
    }

    /// What node `index` has kept of `id`.
    fn kept(&self, index: usize, id: RequestId) -> Vec<u8> {
        self.gateway.nodes[index].kept.lock().unwrap()[&id.to_string()].clone()
    }

    /// Has the first node keep `receipt` as that of `id`.
    fn keep(&self, id: RequestId, receipt: Vec<u8>) {
        let mut kept = self.gateway.nodes[0].kept.lock().unwrap();
        kept.insert(id.to_string(), receipt);
    }
}

#[tokio::test]
async fn the_node_that_answered_is_found_among_others() {
    let bench = Bench::new(&["node-a", "node-b", "node-c"]).await;
    for (index, name) in ["node-a", "node-b", "node-c"].into_iter().enumerate() {
        let id = bench.lose_an_answer(name).await;
        let found = bench.client.fetch_receipt(&id).await.unwrap().unwrap();
        assert_eq!(found.node().name(), name);
        assert_eq!(found.receipt.request_id, id.0);
        assert_eq!(found.signed.as_bytes(), bench.kept(index, id));
    }
}

#[tokio::test]
async fn a_receipt_that_nobody_has() {
    let bench = Bench::new(&["node-a", "node-b"]).await;
    let none = bench.client.fetch_receipt(&RequestId([1; 16])).await;
    assert!(none.unwrap().is_none());
    let id = bench.lose_an_answer("node-b").await;
    let elsewhere = bench.client.fetch_receipt_from("node-a", &id).await;
    assert!(elsewhere.unwrap().is_none());
}

#[tokio::test]
async fn a_receipt_of_another_request_or_of_nobody_is_not_believed() {
    let bench = Bench::new(&["node-a"]).await;
    let id = bench.lose_an_answer("node-a").await;
    let other = RequestId([1; 16]);
    bench.keep(other, bench.kept(0, id));
    assert_eq!(bench.refusal(other).await, "receipt.mismatch");
    let mut flipped = bench.kept(0, id);
    *flipped.last_mut().unwrap() ^= 1;
    bench.keep(id, flipped);
    assert_eq!(bench.refusal(id).await, "receipt.signature");
    bench.keep(id, b"no receipt".to_vec());
    assert_eq!(bench.refusal(id).await, "receipt.malformed");
}

#[tokio::test]
async fn a_receipt_of_another_nodes_identity_is_not_believed() {
    let bench = Bench::new(&["node-a", "node-b"]).await;
    let id = bench.lose_an_answer("node-b").await;
    let theirs = bench.kept(1, id);
    bench.gateway.nodes[1].kept.lock().unwrap().clear();
    bench.keep(id, theirs);
    assert_eq!(bench.refusal(id).await, "receipt.signature");
}

#[tokio::test]
async fn a_node_that_cannot_be_asked_is_told_if_no_other_has_it() {
    let bench = Bench::new(&["node-a", "node-b"]).await;
    let id = bench.lose_an_answer("node-b").await;
    bench.gateway.fault(Fault::Unavailable(0));
    let found = bench.client.fetch_receipt(&id).await.unwrap().unwrap();
    assert_eq!(found.node().name(), "node-b");
    assert_eq!(
        bench.refusal(RequestId([1; 16])).await,
        "gateway.unavailable"
    );
}

#[test]
fn a_request_id_is_32_lower_case_digits() {
    let id = RequestId([0xab; 16]);
    assert_eq!(RequestId::parse(&id.to_string()), Some(id));
    for wrong in [
        "",
        "ab",
        &"AB".repeat(16),
        &"ab".repeat(17),
        &"xy".repeat(16),
    ] {
        assert_eq!(RequestId::parse(wrong), None, "{wrong}");
    }
}
