//! Orders and leases at the gateway: what is stopped is refused with a code at once, and comes back by an order alone.

use crate::support::{
    NOW, Stack,
    client::{Answer, Version, challenge, envelope, get, request},
    node::FakeNode,
    streams::{UnderWay, fed_by_hand, named_and_fed_by_hand, within},
    team::{admitting, team},
};
use bytes::Bytes;
use hyper::{Method, StatusCode};
use listener::body;
use policy::{Action, HardwareId, Target};
use tee_sim::Publisher;

const UNAVAILABLE: StatusCode = StatusCode::SERVICE_UNAVAILABLE;
const SELDOM: &str = "[appraisal]\nretry_min_ms = 3600000\nretry_max_ms = 3600000";

fn stop(team: &mut Publisher, target: Target) {
    team.order(NOW, Action::Stop, &[target]);
}

/// The serial that a refusal names; it says nothing else about the order.
fn order(answer: &Answer) -> Option<u64> {
    let problem: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    let members = problem.as_object().unwrap();
    let known = ["type", "title", "status", "code", "order"];
    assert!(members.keys().all(|name| known.contains(&name.as_str())));
    problem["order"].as_u64()
}

/// R8.6.
#[tokio::test]
async fn an_order_that_stops_everything_stops_every_route_but_what_tells_of_it() {
    let (node, mut feeds) = fed_by_hand().await;
    let mut team = team(node.machine());
    let stack = Stack::under(&team, &[&node], SELDOM).await;
    let begun = UnderWay::begin(&stack, Version::Http2, "node-1", &mut feeds).await;
    stop(&mut team, Target::Everything);
    stack.obey(&team);
    begun.breaks_off().await;
    for asked in [
        get("/narthex/v1/offers"),
        get("/narthex/v1/nodes/node-1/keys"),
        challenge("node-1", &[1; 32]),
        envelope("node-1", body::full("envelope")),
        request(Method::POST, "/narthex/v1/nodes/node-1/verdict")
            .body(body::empty())
            .unwrap(),
    ] {
        let answer = stack.ask(asked).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (UNAVAILABLE, "stopped")
        );
        assert_eq!(order(&answer), Some(1));
    }
    let orders = stack.ask(get("/narthex/v1/policy/orders.jsonl")).await;
    assert_eq!(orders.body, team.files().orders.unwrap());
    assert_eq!(stack.admin("/readyz").await.status, UNAVAILABLE);
    assert_eq!(stack.admin("/healthz").await.status, StatusCode::OK);
    let serial = stack.metric("narthex_policy_orders_serial").await;
    assert_eq!(serial.as_deref(), Some("1"));
}

#[tokio::test]
async fn a_start_order_brings_everything_back() {
    let node = FakeNode::start("node-1").await;
    let mut team = team(node.machine());
    stop(&mut team, Target::Everything);
    let stack = Stack::under(&team, &[&node], SELDOM).await;
    let stopped = stack.ask(get("/narthex/v1/offers")).await;
    assert_eq!(stopped.code(), "stopped");
    team.order(NOW, Action::Start, &[Target::Everything]);
    stack.obey(&team);
    let offered = async { while stack.offered().await.is_empty() {} };
    within(offered).await;
    assert_eq!(stack.admin("/readyz").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_node_that_is_stopped_by_name_leaves_the_others_alone() {
    let (node, mut feeds) = fed_by_hand().await;
    let (other, mut other_feeds) = named_and_fed_by_hand("node-2").await;
    let mut team = team(node.machine());
    let stack = Stack::under(&team, &[&node, &other], SELDOM).await;
    let begun = UnderWay::begin(&stack, Version::Http2, "node-1", &mut feeds).await;
    let mut elsewhere = UnderWay::begin(&stack, Version::Http2, "node-2", &mut other_feeds).await;
    stop(&mut team, Target::Node("node-1".to_owned()));
    stack.obey(&team);
    begun.breaks_off().await;
    elsewhere.goes_on().await;
    assert_eq!(stack.offered().await, ["node-2"]);
    let refused = stack.ask(envelope("node-1", body::full("envelope"))).await;
    assert_eq!(
        (refused.code().as_str(), order(&refused)),
        ("stopped", Some(1))
    );
    assert_eq!(stack.appraise().await, Err("policy.stopped.node"));
}

#[tokio::test]
async fn hardware_measurement_and_model_stop_the_nodes_that_have_them() {
    let (node, mut feeds) = fed_by_hand().await;
    let report = node.machine().report();
    let targets = [
        (
            Target::Hardware(HardwareId::SnpChip(report.chip_id)),
            "policy.stopped.hardware",
        ),
        (
            Target::Measurement(report.measurement),
            "policy.stopped.measurement",
        ),
        (Target::Model([2; 32]), "policy.stopped.model"),
    ];
    for (target, code) in targets {
        let mut team = team(node.machine());
        let stack = Stack::under(&team, &[&node], SELDOM).await;
        let begun = UnderWay::begin(&stack, Version::Http1, "node-1", &mut feeds).await;
        stop(&mut team, target);
        stack.obey(&team);
        begun.breaks_off().await;
        let refused = stack.ask(envelope("node-1", body::full("envelope"))).await;
        assert_eq!(
            (refused.status, refused.code().as_str()),
            (UNAVAILABLE, "stopped"),
            "{code}"
        );
        assert_eq!(order(&refused), None);
        assert_eq!(stack.appraise().await, Err(code));
    }
}

/// A node that gives no evidence is off offer, and what it serves goes on until an order ends it.
#[tokio::test]
async fn a_stop_ends_what_is_under_way_with_a_node_that_answers_no_challenge() {
    let (node, mut feeds) = fed_by_hand().await;
    let chip = Target::Hardware(HardwareId::SnpChip(node.machine().report().chip_id));
    let named = Target::Node("node-1".to_owned());
    for (target, code) in [(named, "policy.stopped.node"), (chip, "upstream.status")] {
        node.claim(|claims| claims.answer = None);
        let mut team = team(node.machine());
        let stack = Stack::under(&team, &[&node], SELDOM).await;
        let mut begun = UnderWay::begin(&stack, Version::Http2, "node-1", &mut feeds).await;
        let failing = (
            StatusCode::INTERNAL_SERVER_ERROR,
            "text/plain",
            Bytes::new(),
        );
        node.claim(|claims| claims.answer = Some(failing));
        assert_eq!(stack.appraise().await, Err("upstream.status"));
        stop(&mut team, Target::Node("node-2".to_owned()));
        stack.obey(&team);
        begun.goes_on().await;
        stop(&mut team, target);
        stack.obey(&team);
        begun.breaks_off().await;
        assert_eq!(stack.appraise().await, Err(code));
        assert_eq!(stack.offered().await, [""; 0]);
    }
}

#[tokio::test]
async fn what_is_not_here_can_be_stopped_without_harm() {
    let (node, mut feeds) = fed_by_hand().await;
    let mut team = team(node.machine());
    let stack = Stack::under(&team, &[&node], SELDOM).await;
    let mut begun = UnderWay::begin(&stack, Version::Http2, "node-1", &mut feeds).await;
    for target in [
        Target::Node("node-2".to_owned()),
        Target::Hardware(HardwareId::SnpChip([77; 64])),
        Target::Model([77; 32]),
        Target::Tenant([77; 32]),
        Target::Site("elsewhere".to_owned()),
    ] {
        stop(&mut team, target);
    }
    stack.obey(&team);
    assert_eq!(stack.offered().await, ["node-1"]);
    begun.goes_on().await;
}

fn team_with_lease(node: &FakeNode, when_absent: &str) -> Publisher {
    let lease = format!("\n[lease]\nmax_age_seconds = 600\nwhen_absent = \"{when_absent}\"\n");
    let policy = admitting(node.machine()).to_toml() + &lease;
    let mut team = Publisher::new(NOW, &policy);
    team.stamp(NOW, NOW.plus(3600));
    team
}

/// R8.6: nobody has to look for newer documents to notice that there are none.
#[tokio::test]
async fn a_lease_that_ends_stops_everything_until_it_is_renewed() {
    let (node, mut feeds) = fed_by_hand().await;
    let mut team = team_with_lease(&node, "stop");
    let stack = Stack::under(&team, &[&node], SELDOM).await;
    let begun = UnderWay::begin(&stack, Version::Http2, "node-1", &mut feeds).await;
    stack.clock.turn(601);
    for asked in [
        get("/narthex/v1/offers"),
        envelope("node-1", body::full("envelope")),
    ] {
        let answer = stack.ask(asked).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (UNAVAILABLE, "lease_ended")
        );
    }
    begun.breaks_off().await;
    assert_eq!(stack.admin("/readyz").await.status, UNAVAILABLE);
    team.stamp(NOW.plus(601), NOW.plus(3600));
    stack.obey(&team);
    within(async { while stack.offered().await.is_empty() {} }).await;
}

#[tokio::test]
async fn a_lease_that_continues_stops_nothing() {
    let (node, mut feeds) = fed_by_hand().await;
    let team = team_with_lease(&node, "continue");
    let stack = Stack::under(&team, &[&node], SELDOM).await;
    let mut begun = UnderWay::begin(&stack, Version::Http2, "node-1", &mut feeds).await;
    let alarm = "narthex_policy_alarm{code=\"policy.lease\"}";
    assert_eq!(stack.metric(alarm).await, None);
    stack.clock.turn(601);
    assert_eq!(stack.offered().await, ["node-1"]);
    begun.goes_on().await;
    assert_eq!(stack.metric(alarm).await.as_deref(), Some("1"));
}
