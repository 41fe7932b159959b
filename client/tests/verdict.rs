//! Split verification: what client and gateway make of a node, compared.

use crate::fake::{self, Fault};
use crate::team::{Bench, ask};
use client::{Settings, Verdicts};
use serde_json::json;
use std::time::Duration;

fn admits() -> serde_json::Value {
    json!({"admitted": true, "code": null, "policy_version": 1, "policy_digest": "ab".repeat(32)})
}

fn refuses(code: &str) -> serde_json::Value {
    json!({"admitted": false, "code": code, "policy_version": 1, "policy_digest": "ab".repeat(32)})
}

/// Waits, within bounds, for a client's report.
async fn report(bench: &Bench) -> (String, serde_json::Value) {
    for _ in 0..1000 {
        if let Some(report) = bench.gateway.reports().pop() {
            return report;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("no verdict was told");
}

#[tokio::test]
async fn a_gateway_that_refuses_what_the_client_admits_is_an_alarm() {
    let bench = Bench::of(&["node-a"]).await;
    bench.gateway.say(refuses("snp.signature"));
    let client = bench.connect(Settings::default()).await.unwrap();
    bench.seen.until("Info alarm.verdict", 1).await;
    let told = "this client admits it under policy ";
    assert_eq!(bench.seen.count(told), 2, "the check and the notice");
    assert_eq!(bench.seen.count("note ALARM"), 1);
    let (node, report) = report(&bench).await;
    assert_eq!(node, "node-a");
    let policy = bench.publisher.in_force(fake::now());
    let digest = hex::encode(policy.policy().digest());
    let expected = json!({"admitted": true, "code": null, "policy_digest": digest});
    assert_eq!(report, expected);
    // The client goes by its own verdict.
    assert_eq!(ask(&client).await.unwrap(), "node-a");
}

#[tokio::test]
async fn a_gateway_that_admits_what_the_client_refuses_is_an_alarm() {
    let bench = Bench::of(&["node-a"]).await;
    bench.gateway.say(admits());
    bench.gateway.fault(Fault::OldEvidence);
    let error = bench.connect(Settings::default()).await.err().unwrap();
    assert_eq!(error.code(), "freshness.nonce");
    let (_, report) = report(&bench).await;
    assert_eq!(
        (&report["admitted"], &report["code"]),
        (&json!(false), &json!("freshness.nonce"))
    );
    bench.seen.until("Info alarm.verdict", 1).await;
}

#[tokio::test]
async fn the_same_verdict_is_no_alarm() {
    let bench = Bench::of(&["node-a"]).await;
    bench.gateway.say(admits());
    let client = bench.connect(Settings::default()).await.unwrap();
    report(&bench).await;
    ask(&client).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(bench.seen.count("alarm.verdict"), 0);
}

#[tokio::test]
async fn a_gateway_without_a_verdict_is_no_error() {
    for answer in [None, Some(refuses("upstream.unreachable")), Some(json!([]))] {
        let bench = Bench::of(&["node-a"]).await;
        answer
            .into_iter()
            .for_each(|answer| bench.gateway.say(answer));
        let client = bench.connect(Settings::default()).await.unwrap();
        report(&bench).await;
        ask(&client).await.unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(bench.seen.count("alarm.verdict"), 0);
    }
}

#[tokio::test]
async fn nobody_is_told_where_the_user_wants_it_so() {
    let bench = Bench::of(&["node-a"]).await;
    bench.gateway.say(refuses("snp.signature"));
    let settings = Settings {
        verdicts: Verdicts::Kept,
        ..Settings::default()
    };
    let client = bench.connect(settings).await.unwrap();
    ask(&client).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(bench.gateway.reports(), []);
    assert_eq!(bench.seen.count("alarm.verdict"), 0);
}
