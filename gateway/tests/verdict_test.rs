//! Split verification: a client's verdict beside the gateway's own. Neither believes the other.

use crate::support::{
    self, Stack,
    client::{Answer, request},
    node::{FakeNode, Keys},
    team::{denying, team},
};
use hyper::{
    Method, Request, StatusCode,
    header::{CONTENT_TYPE, RETRY_AFTER},
};
use listener::{Body, body};
use serde_json::{Value, json};

const SELDOM: &str = "[appraisal]\nretry_min_ms = 3600000\nretry_max_ms = 3600000";

fn report_as(media_type: &str, content: impl Into<bytes::Bytes>) -> Request<Body> {
    request(Method::POST, "/narthex/v1/nodes/node-1/verdict")
        .header(CONTENT_TYPE, media_type)
        .body(body::full(content))
        .unwrap()
}

async fn report(stack: &Stack, code: Option<&str>) -> Answer {
    let digest = "07".repeat(32);
    let verdict = json!({ "admitted": code.is_none(), "code": code, "policy_digest": digest });
    stack
        .ask(report_as("application/json", verdict.to_string()))
        .await
}

fn document(answer: &Answer) -> Value {
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.headers[CONTENT_TYPE], "application/json");
    serde_json::from_slice(&answer.body).unwrap()
}

/// How often the gateway has told of a difference, by who refuses.
async fn differences(stack: &Stack) -> [Option<String>; 2] {
    let line =
        |side| format!("narthex_verdict_differences_total{{node=\"node-1\",side=\"{side}\"}}");
    [
        stack.metric(&line("client")).await,
        stack.metric(&line("gateway")).await,
    ]
}

/// R8.7.
#[tokio::test]
async fn the_gateway_answers_with_its_own_verdict_and_notes_a_difference() {
    let node = FakeNode::start("node-1").await;
    let mut team = team(node.machine());
    let stack = Stack::under(&team, &[&node], SELDOM).await;
    let digest = hex::encode(
        support::team::in_force(&team, support::NOW)
            .policy()
            .digest(),
    );
    let admitted =
        json!({ "admitted": true, "code": null, "policy_version": 1, "policy_digest": digest });
    assert_eq!(document(&report(&stack, None).await), admitted);
    assert_eq!(differences(&stack).await, [None, None]);
    let answer = report(&stack, Some("policy.snp.milan")).await;
    assert_eq!(document(&answer), admitted);
    assert_eq!(differences(&stack).await, [Some("1".to_owned()), None]);
    assert_eq!(
        stack.offered().await,
        ["node-1"],
        "a client refuses for itself only"
    );

    team.publish_policy(&denying(node.machine(), 2).to_toml());
    stack.obey(&team);
    let refused = document(&report(&stack, None).await);
    assert_eq!(refused["admitted"], false);
    assert_eq!(refused["code"], "policy.snp.measurement");
    assert_eq!(refused["policy_version"], 2);
    let both = Some("1".to_owned());
    assert_eq!(differences(&stack).await, [both.clone(), both.clone()]);
    document(&report(&stack, Some("policy.cpu")).await);
    assert_eq!(differences(&stack).await, [both.clone(), both]);
    assert_eq!(stack.offered().await, [""; 0], "a client admits nothing");
}

#[tokio::test]
async fn a_gateway_that_could_not_look_has_no_verdict_to_compare() {
    let (seen, unseen) = (
        FakeNode::start("node-2").await,
        FakeNode::unreachable("node-1").await,
    );
    let stack = Stack::under(&team(seen.machine()), &[&unseen, &seen], SELDOM).await;
    for code in [None, Some("upstream.unreachable")] {
        let own = document(&report(&stack, code).await);
        assert_eq!(
            (&own["admitted"], &own["code"]),
            (&json!(false), &json!("upstream.unreachable"))
        );
    }
    stack.clock.turn(100);
    assert_eq!(differences(&stack).await, [None, None]);
}

#[tokio::test]
async fn a_key_list_that_is_refused_is_a_verdict() {
    let node = FakeNode::start("node-1").await;
    let stack = Stack::under(&team(node.machine()), &[&node], SELDOM).await;
    node.claim(|claims| claims.keys = Keys::Foreign);
    stack.appraise().await.unwrap_err();
    let own = document(&report(&stack, None).await);
    assert_eq!(own["code"], "keys.signature");
    assert_eq!(differences(&stack).await, [None, Some("1".to_owned())]);
}

#[tokio::test]
async fn an_admission_that_is_over_is_no_verdict() {
    let node = FakeNode::start("node-1").await;
    let stack = Stack::under(&team(node.machine()), &[&node], SELDOM).await;
    // The gateway has begun, and sees no reason to appraise.
    assert_eq!(stack.offered().await, ["node-1"]);
    stack.clock.turn(3601);
    let own = document(&report(&stack, None).await);
    assert_eq!(own["code"], "appraisal.over");
    assert_eq!(differences(&stack).await, [None, None]);
}

#[tokio::test]
async fn what_is_no_report_is_refused() {
    let node = FakeNode::start("node-1").await;
    let stack = Stack::under(&team(node.machine()), &[&node], SELDOM).await;
    let good = json!({ "admitted": true, "policy_digest": "07".repeat(32) }).to_string();
    let cases = [
        (report_as("text/plain", good.clone()), "gateway.media_type"),
        (report_as("application/json", ""), "gateway.verdict"),
        (report_as("application/json", "{}"), "gateway.verdict"),
        (
            report_as("application/json", good.replace("true", "false")),
            "gateway.verdict",
        ),
        (
            report_as("application/json", " ".repeat(4097)),
            "gateway.too_large",
        ),
    ];
    for (asked, code) in cases {
        assert_eq!(stack.ask(asked).await.code(), code);
    }
    let mut unknown = report_as("application/json", good);
    *unknown.uri_mut() = "https://localhost/narthex/v1/nodes/node-9/verdict"
        .parse()
        .unwrap();
    assert_eq!(stack.ask(unknown).await.code(), "gateway.unknown_node");
    assert_eq!(differences(&stack).await, [None, None]);
}

#[tokio::test]
async fn one_key_does_not_drown_the_others_reports() {
    let node = FakeNode::start("node-1").await;
    let stack = Stack::under(&team(node.machine()), &[&node], SELDOM).await;
    let too_often = async {
        loop {
            let answer = report(&stack, None).await;
            if answer.status != StatusCode::OK {
                return answer;
            }
        }
    };
    let refused = support::streams::within(too_often).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.code(), "gateway.too_often");
    assert_eq!(refused.headers[RETRY_AFTER], "1");
}
