//! Orders and leases that end what runs: published into a folder that gateway, runtime and client each read for themselves.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod shared;

use attestation::crypto::sha256;
use policy::{Action, HardwareId, Target};
use shared::{
    scene::{Scene, now, policy, strangers},
    stream::Stream,
};
use std::{fs, thread, time::Duration};
use tests::fleet::{self, SNP_NODE};

/// `lease.max_age_seconds` of these tests.
const LEASE_SECONDS: u64 = 20;

/// For what the proxy prints about an answer that has ended.
const PATIENCE: Duration = Duration::from_secs(2);

/// A stop of each kind ends the stream under way before its end, is told to whoever comes next, and is over when the start comes.
#[test]
fn an_order_stops_what_runs_and_a_start_brings_it_back() {
    let mut scene = Scene::begin("orders", &policy(""));
    for target in targets() {
        let proxy = scene.proxy();
        let mut stream = Stream::begin(&proxy.base_url);
        stream.read_until("\"content\":\"");
        scene.order(Action::Stop, &target);
        let answer = stream.read_to_end();
        assert!(!answer.contains("[DONE]"), "{target}: {answer}");
        // The runtime's last word, unless the gateway has cut the connection before it.
        let told = ["stopped", "channel.interrupted"]
            .iter()
            .any(|code| answer.contains(code) || proxy.process.tells(code, PATIENCE));
        assert!(told, "{target}: {answer}");
        drop(proxy);
        scene.until_the_runtime_answers(503, "stopped");
        let refused = scene.ask();
        assert!(!refused.status.success(), "{target}");
        scene.order(Action::Start, &target);
        scene.until_the_runtime_answers(200, "");
        scene.until_asking_succeeds();
    }
}

fn targets() -> [Target; 5] {
    let report = fleet::snp_report();
    let model = sha256(&fs::read(shared::model()).unwrap());
    [
        Target::Everything,
        Target::Node(SNP_NODE.to_owned()),
        Target::Model(model),
        Target::Measurement(report.measurement),
        Target::Hardware(HardwareId::SnpChip(report.chip_id)),
    ]
}

/// Nobody outside the root stops anything, and an order that was taken back does nothing when it is shown again.
#[test]
fn orders_of_strangers_and_orders_replayed_change_nothing() {
    let mut scene = Scene::begin("strangers", &policy(""));
    scene.order(Action::Stop, &Target::Everything);
    scene.until_the_runtime_answers(503, "stopped");
    let stopped = scene.team.clone();
    scene.order(Action::Start, &Target::Everything);
    scene.until_the_runtime_answers(200, "");
    scene.until_asking_succeeds();

    // The log as it was before the start: shorter than what was obeyed.
    scene.publish(&stopped);
    scene.until_the_runtime_says("policy refused");
    assert!(scene.ask().status.success());

    // The first order again, at the end of the log.
    let mut replayed = scene.team.clone();
    replayed.orders.push(replayed.orders[0].clone());
    scene.publish(&replayed);
    scene.until_the_runtime_says("policy.order.serial");
    assert!(scene.ask().status.success());

    // The next order, by keys that the root does not know.
    let mut forged = scene.team.clone();
    forged.signers = strangers();
    forged.order(now(), Action::Stop, &[Target::Everything]);
    scene.publish(&forged);
    scene.until_the_runtime_says("policy.signature");
    assert!(scene.ask().status.success());
}

/// Cut off from their team, hosts do as the policy says: stop when the lease has ended, or go on.
#[test]
fn a_partition_fails_as_the_policy_says() {
    for when_absent in ["stop", "continue"] {
        let lease = format!(
            "[lease]\nmax_age_seconds = {LEASE_SECONDS}\nwhen_absent = \"{when_absent}\"\n"
        );
        let mut scene = Scene::stamped(&format!("lease-{when_absent}"), &policy(&lease));
        scene.until_asking_succeeds();
        scene.cut_off();
        match when_absent {
            "stop" => {
                scene.until_the_runtime_answers(503, "lease_ended");
                scene.until_asking_is_refused("policy.lease");
            }
            _ => {
                thread::sleep(Duration::from_secs(LEASE_SECONDS + 2));
                scene.until_the_runtime_answers(200, "");
                assert!(scene.ask().status.success());
            }
        }
        scene.reconnect();
        scene.until_the_runtime_answers(200, "");
        scene.until_asking_succeeds();
    }
}
