//! Newer documents come into force while a gateway runs: at once for every node, and for every exchange under way.

use crate::support::{
    self, NOW, Stack,
    client::{Version, envelope},
    node::FakeNode,
    streams::{UnderWay, fed_by_hand, within},
    team::{admitting, denying, team, version},
};
use hyper::StatusCode;
use listener::body;
use provision::policy_keeper::Alarm;
use std::sync::Arc;
use tokio::sync::Notify;

/// No timer of a test's length appraises.
const SELDOM: &str = "[appraisal]\nretry_min_ms = 3600000\nretry_max_ms = 3600000";

/// R8.8.
#[tokio::test]
async fn a_policy_that_denies_takes_a_node_off_and_cuts_what_is_under_way() {
    let (node, mut feeds) = fed_by_hand().await;
    for http in [Version::Http1, Version::Http2] {
        let mut team = team(node.machine());
        let stack = Stack::under(&team, &[&node], SELDOM).await;
        let begun = UnderWay::begin(&stack, http, "node-1", &mut feeds).await;
        team.publish_policy(&denying(node.machine(), 2).to_toml());
        stack.obey(&team);
        begun.breaks_off().await;
        assert_eq!(stack.offered().await, [""; 0], "{http:?}");
        let refused = stack.ask(envelope("node-1", body::full("envelope"))).await;
        assert_eq!(refused.code(), "gateway.node_not_admitted");
        let ends = "narthex_gateway_relay_ends_total{end=\"refused\"}";
        assert_eq!(stack.metric(ends).await.as_deref(), Some("1"));
    }
}

/// R8.8.
#[tokio::test]
async fn an_exchange_without_a_head_yet_is_refused_with_a_code() {
    let arrived = Arc::new(Notify::new());
    let heard = Arc::clone(&arrived);
    let node = FakeNode::serving("node-1", move |_| {
        heard.notify_one();
        std::future::pending()
    })
    .await;
    let mut team = team(node.machine());
    let stack = Stack::under(&team, &[&node], SELDOM).await;
    let asking = stack.ask(envelope("node-1", body::full("envelope")));
    let refusing = async {
        within(arrived.notified()).await;
        team.publish_policy(&denying(node.machine(), 2).to_toml());
        stack.obey(&team);
    };
    let (answer, ()) = tokio::join!(asking, refusing);
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.code(), "gateway.node_not_admitted");
}

#[tokio::test]
async fn a_policy_that_admits_leaves_everything_as_it_is() {
    let (node, mut feeds) = fed_by_hand().await;
    let mut team = team(node.machine());
    let stack = Stack::under(&team, &[&node], SELDOM).await;
    let mut begun = UnderWay::begin(&stack, Version::Http2, "node-1", &mut feeds).await;
    let challenges = node.seen().len();
    team.publish_policy(&version(node.machine(), 2).to_toml());
    stack.obey(&team);
    assert_eq!(stack.offered().await, ["node-1"]);
    begun.goes_on().await;
    assert_eq!(
        stack.metric("narthex_policy_version").await.as_deref(),
        Some("2")
    );
    assert_eq!(
        node.seen().len(),
        challenges,
        "its evidence was judged anew"
    );
}

#[tokio::test]
async fn a_node_that_was_refused_is_challenged_as_soon_as_documents_change() {
    let node = FakeNode::start("node-1").await;
    let mut team = team(node.machine());
    team.publish_policy(&denying(node.machine(), 1).to_toml());
    let stack = Stack::under(&team, &[&node], SELDOM).await;
    assert_eq!(stack.appraise().await, Err("policy.snp.measurement"));
    team.publish_policy(&version(node.machine(), 2).to_toml());
    stack.obey(&team);
    within(async { while stack.offered().await.is_empty() {} }).await;
}

/// Evidence that is only too old for the newer policy does not end what it began.
#[tokio::test]
async fn evidence_that_is_too_old_now_is_asked_for_again() {
    let (node, mut feeds) = fed_by_hand().await;
    let mut team = team(node.machine());
    let stack = Stack::under(&team, &[&node], SELDOM).await;
    let mut begun = UnderWay::begin(&stack, Version::Http2, "node-1", &mut feeds).await;
    stack.clock.turn(100);
    let mut strict = version(node.machine(), 2);
    strict.max_age_seconds = 60;
    team.publish_policy(&strict.to_toml());
    stack.obey(&team);
    within(async { while stack.offered().await.is_empty() {} }).await;
    begun.goes_on().await;
}

/// An appraisal that refuses is as good a reason as a document.
#[tokio::test]
async fn evidence_that_is_refused_later_cuts_too() {
    let (node, mut feeds) = fed_by_hand().await;
    let team = team(node.machine());
    let stack = Stack::under(&team, &[&node], SELDOM).await;
    let begun = UnderWay::begin(&stack, Version::Http2, "node-1", &mut feeds).await;
    stack.clock.turn(support::POLICY_SECONDS + 1);
    assert_eq!(stack.appraise().await, Err("policy.expired"));
    begun.breaks_off().await;
}

#[tokio::test]
async fn an_alarm_is_a_metric_until_all_is_well() {
    let node = FakeNode::start("node-1").await;
    let team = team(node.machine());
    let stack = Stack::under(&team, &[&node], SELDOM).await;
    let metric = |code| format!("narthex_policy_alarm{{code=\"{code}\"}}");
    let (rollback, corrupt) = (
        metric("policy.rollback"),
        metric("provision.memory.corrupt"),
    );
    let raise = |code| {
        let message = "told to people".to_owned();
        stack.gateway.alarm(Some(Alarm { code, message }));
    };
    assert_eq!(stack.metric(&rollback).await, None);
    raise("policy.rollback");
    assert_eq!(stack.metric(&rollback).await.as_deref(), Some("1"));
    raise("provision.memory.corrupt");
    assert_eq!(stack.metric(&rollback).await, None);
    assert_eq!(stack.metric(&corrupt).await.as_deref(), Some("1"));
    assert_eq!(stack.admin("/readyz").await.status, StatusCode::OK);
    stack.gateway.alarm(None);
    assert_eq!(stack.metric(&corrupt).await, None);
}

#[tokio::test]
async fn metrics_tell_what_is_in_force() {
    let node = FakeNode::start("node-1").await;
    let mut team = team(node.machine());
    let stack = Stack::under(&team, &[&node], SELDOM).await;
    let age = "narthex_policy_timestamp_age_seconds{}";
    assert_eq!(stack.metric(age).await, None);
    assert_eq!(
        stack
            .metric("narthex_policy_orders_serial")
            .await
            .as_deref(),
        Some("0")
    );
    team.publish_policy(&admitting(node.machine()).to_toml());
    team.stamp(NOW, NOW.plus(3600));
    stack.obey(&team);
    stack.clock.turn(50);
    assert_eq!(stack.metric(age).await.as_deref(), Some("50"));
}
