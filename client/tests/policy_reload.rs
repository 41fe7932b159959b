//! Documents that come while a client runs: what they stop, they stop at once, also in the middle of an answer.

use crate::fake::{self, Fault};
use crate::team::{Bench, ask, chat};
use client::{Settings, TenantKey, UpdatesFrom};
use policy::{Action, HardwareId, Target};
use provision::{SigningKey, policy_keeper::PolicySource};
use std::{
    num::NonZeroUsize, os::unix::fs::PermissionsExt, sync::atomic::Ordering, time::Duration,
};

/// After this the end of a lease has ended what is under way: it is looked for each second, on the same thread.
const WATCHED: Duration = Duration::from_secs(5);
/// The first key of RFC 8410's examples.
const PRIVATE_KEY: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC
-----END PRIVATE KEY-----
";

fn two() -> Settings {
    Settings {
        nodes: NonZeroUsize::new(2).unwrap(),
        ..Settings::default()
    }
}

#[tokio::test]
async fn a_stopped_node_is_left_and_its_answer_breaks_off() {
    let mut bench = Bench::of(&["node-a", "node-b"]).await;
    let client = bench.connect(two()).await.unwrap();
    bench.seen.until("node.kept", 1).await;
    let mut under_way = client.send(&chat()).await.unwrap();
    assert_eq!(under_way.node().name(), "node-a");
    bench.stop(Target::Node("node-a".to_owned())).await;
    let error = under_way.collect().await.err().unwrap();
    assert_eq!(error.code(), "policy.stopped.node");
    assert!(error.to_string().contains("NOT complete"), "{error}");
    assert_eq!(ask(&client).await.unwrap(), "node-b");
    assert_eq!(bench.seen.count("node node-a is passed over"), 1);
    let error = client.send_to("node-a", &chat()).await.err().unwrap();
    assert_eq!(error.code(), "policy.stopped.node");
}

#[tokio::test]
async fn an_answer_of_another_node_goes_on() {
    let mut bench = Bench::of(&["node-a", "node-b"]).await;
    let client = bench.connect(two()).await.unwrap();
    bench.seen.until("node.kept", 1).await;
    let mut under_way = client.send_to("node-b", &chat()).await.unwrap();
    bench.stop(Target::Node("node-a".to_owned())).await;
    assert_eq!(under_way.collect().await.unwrap().status, 200);
}

#[tokio::test]
async fn hardware_models_and_measurements_are_stopped() {
    let node = fake::Node::new("node-a");
    let report = node.machine.report();
    for (target, code) in [
        (
            Target::Hardware(HardwareId::SnpChip(report.chip_id)),
            "policy.stopped.hardware",
        ),
        (
            Target::Model(node.manifest.model_digest),
            "policy.stopped.model",
        ),
        (
            Target::Measurement(report.measurement),
            "policy.stopped.measurement",
        ),
    ] {
        let mut bench = Bench::of(&["node-a"]).await;
        let client = bench.connect(Settings::default()).await.unwrap();
        let mut under_way = client.send(&chat()).await.unwrap();
        bench.stop(target).await;
        let error = under_way.collect().await.err().unwrap();
        assert_eq!(error.code(), code);
        let before = bench.gateway.calls("relay");
        let error = ask(&client).await.unwrap_err();
        assert_eq!(error.code(), "policy.denied");
        assert_eq!(bench.gateway.calls("relay"), before, "nothing was sealed");
        assert!(bench.seen.count(code) > 0);
    }
}

#[tokio::test]
async fn everything_stops_until_enough_signers_start_it() {
    let mut bench = Bench::of(&["node-a"]).await;
    let client = bench.connect(Settings::default()).await.unwrap();
    let mut under_way = client.send(&chat()).await.unwrap();
    bench.stop(Target::Everything).await;
    let error = under_way.collect().await.err().unwrap();
    assert_eq!(error.code(), "policy.stopped.everything");
    let error = ask(&client).await.unwrap_err();
    assert_eq!(error.code(), "policy.stopped.everything");
    assert_eq!(bench.gateway.calls("relay"), 1);
    bench.order(Action::Start, Target::Everything);
    bench.seen.until("is in force now", 2).await;
    assert_eq!(ask(&client).await.unwrap(), "node-a");
}

#[tokio::test]
async fn a_client_does_not_begin_where_everything_is_stopped() {
    let mut bench = Bench::of(&["node-a"]).await;
    bench.order(Action::Stop, Target::Everything);
    let error = bench.connect(Settings::default()).await.err().unwrap();
    assert_eq!(error.code(), "policy.stopped.everything");
    assert_eq!(bench.gateway.calls("challenge"), 0);
}

#[tokio::test]
async fn one_s_own_tenant_is_stopped_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tenant.pem");
    std::fs::write(&path, PRIVATE_KEY).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    let key = SigningKey::read(&path).unwrap();
    let own = key.public_key();
    let mut bench = Bench::of(&["node-a"]).await;
    let settings = Settings {
        tenant: Some(TenantKey::new(key)),
        ..Settings::default()
    };
    let client = bench.connect(settings).await.unwrap();
    bench.stop(Target::Tenant([7; 32])).await;
    ask(&client).await.unwrap();
    bench.stop(Target::Tenant(own)).await;
    let error = ask(&client).await.unwrap_err();
    assert_eq!(error.code(), "policy.stopped.tenant");
}

#[tokio::test]
async fn a_newer_policy_judges_what_was_admitted() {
    let mut bench = Bench::of(&["node-a"]).await;
    let client = bench.connect(Settings::default()).await.unwrap();
    let mut under_way = client.send(&chat()).await.unwrap();
    let mut text = bench.gateway.nodes[0].policy_text();
    (text.version, text.measurement) = (2, [0xee; 48]);
    bench.publisher.publish_policy(&text.to_toml());
    bench.publish();
    bench.seen.until("is in force now", 1).await;
    let error = under_way.collect().await.err().unwrap();
    assert_eq!(error.code(), "policy.denied");
    assert_eq!(ask(&client).await.unwrap_err().code(), "policy.denied");
    // Taken back with the next version: the node gets another chance at once.
    let mut text = bench.gateway.nodes[0].policy_text();
    text.version = 3;
    bench.publisher.publish_policy(&text.to_toml());
    bench.publish();
    bench.seen.until("is in force now", 2).await;
    assert_eq!(ask(&client).await.unwrap(), "node-a");
}

#[tokio::test]
async fn a_newer_policy_that_admits_the_node_costs_no_challenge() {
    let mut bench = Bench::of(&["node-a"]).await;
    let client = bench.connect(Settings::default()).await.unwrap();
    let mut under_way = client.send(&chat()).await.unwrap();
    let mut text = bench.gateway.nodes[0].policy_text();
    text.version = 2;
    bench.publisher.publish_policy(&text.to_toml());
    bench.publish();
    bench.seen.until("is in force now", 1).await;
    assert_eq!(under_way.collect().await.unwrap().status, 200);
    let exchange = client.send(&chat()).await.unwrap();
    assert_eq!(exchange.node().admitted().policy_version(), 2);
    assert_eq!(bench.gateway.calls("challenge"), 1);
}

#[tokio::test]
async fn what_does_not_verify_changes_nothing_and_is_told_once() {
    let mut bench = Bench::of(&["node-a"]).await;
    let client = bench.connect(Settings::default()).await.unwrap();
    let good = bench.publisher.policy.clone();
    let mut text = bench.gateway.nodes[0].policy_text();
    (text.version, text.measurement) = (2, [0xee; 48]);
    // One of the two signatures that the root asks for.
    bench.publisher.policy =
        bench
            .publisher
            .signed(policy::PayloadType::Policy, &text.to_toml(), 1);
    bench.publish();
    bench.seen.until("Info alarm.policy", 1).await;
    assert_eq!(ask(&client).await.unwrap(), "node-a");
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(bench.seen.count("note ALARM"), 1);
    assert_eq!(bench.seen.count("is in force now"), 0);
    bench.publisher.policy = good;
    bench.publish();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(ask(&client).await.unwrap(), "node-a");
}

#[tokio::test]
async fn orders_cannot_be_taken_away() {
    let mut bench = Bench::of(&["node-a"]).await;
    let client = bench.connect(Settings::default()).await.unwrap();
    bench.stop(Target::Everything).await;
    std::fs::remove_file(bench.published().join(policy::publication::ORDERS)).unwrap();
    bench.seen.until("Info alarm.policy", 1).await;
    let error = ask(&client).await.unwrap_err();
    assert_eq!(error.code(), "policy.stopped.everything");
}

#[tokio::test]
async fn when_the_lease_ends_nothing_is_sent_and_answers_break_off() {
    let lease = "\n[lease]\nmax_age_seconds = 600\nwhen_absent = \"stop\"\n";
    let mut bench = Bench::with_policy(&["node-a"], |policy| policy + lease).await;
    let now = fake::now();
    bench.publisher.stamp(now, now.plus(600));
    bench.publish();
    let client = bench.connect(Settings::default()).await.unwrap();
    let mut under_way = client.send(&chat()).await.unwrap();
    bench.clock.0.fetch_add(601, Ordering::Relaxed);
    let error = ask(&client).await.unwrap_err();
    assert_eq!(error.code(), "policy.lease");
    tokio::time::sleep(WATCHED).await;
    let error = under_way.collect().await.err().unwrap();
    assert_eq!(error.code(), "policy.lease");
    let now = fake::now().plus(601);
    bench.publisher.stamp(now, now.plus(600));
    bench.publish();
    bench.seen.until("is in force now", 1).await;
    let node = &bench.gateway.nodes[0];
    node.ahead_s.fetch_add(601, Ordering::Relaxed);
    assert_eq!(ask(&client).await.unwrap(), "node-a");
}

#[tokio::test]
async fn a_gateway_that_gives_no_answer_prolongs_no_lease() {
    let lease = "\n[lease]\nmax_age_seconds = 600\nwhen_absent = \"stop\"\n";
    let mut bench = Bench::with_policy(&["node-a"], |policy| policy + lease).await;
    let now = fake::now();
    bench.publisher.stamp(now, now.plus(600));
    bench.publish();
    bench.gateway.fault(Fault::SilentPolicy);
    let source = PolicySource::Folder(bench.published());
    let client = bench.connect_from(source, UpdatesFrom::Gateway, Settings::default());
    let client = client.await.unwrap();
    let mut under_way = client.send(&chat()).await.unwrap();
    bench.clock.0.fetch_add(601, Ordering::Relaxed);
    tokio::time::sleep(WATCHED).await;
    assert_eq!(bench.gateway.calls("policy"), 1, "the look is under way");
    let error = under_way.collect().await.err().unwrap();
    assert_eq!(error.code(), "policy.lease");
}

#[tokio::test]
async fn the_age_of_evidence_ends_no_answer_under_way() {
    let mut bench = Bench::of(&["node-a"]).await;
    let client = bench.connect(Settings::default()).await.unwrap();
    let mut under_way = client.send(&chat()).await.unwrap();
    bench.clock.0.fetch_add(3601, Ordering::Relaxed);
    bench.stop(Target::Node("another".to_owned())).await;
    assert_eq!(under_way.collect().await.unwrap().status, 200);
}
