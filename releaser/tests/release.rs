//! Who gets a key, who does not and why, and what is written down of it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod support;

use attestation::Nonce;
use policy::{Action, Target};
use protocol::{
    key_release::{KeyId, KeyRecipient, SEALED_KEY_MEDIA_TYPE},
    secret::Heap,
};
use releaser::Limits;
use std::time::Duration;
use support::{
    Asking, NOW, POLICY_SECONDS, Stack, VENDOR, accepting, in_force, log, policy_text, random,
};
use tee_sim::{Machine, Publisher};

fn machine() -> Machine {
    Machine::new(&VENDOR)
}

#[tokio::test]
async fn an_admitted_node_gets_its_models_key() {
    let machine = machine();
    let stack = Stack::start(&machine).await;
    let node = stack.node(&machine).await;
    let bundle = node.bundle();
    let answer = stack.ask(&node.request_with(&bundle)).await;
    assert_eq!(
        (answer.status, answer.media_type.as_str()),
        (200, SEALED_KEY_MEDIA_TYPE)
    );
    let statement = node.statement(&bundle);
    let key = node
        .recipient
        .open(&statement, &answer.body, &Heap)
        .unwrap();
    assert_eq!(key.expose(), stack.key);
    let released = log::events("key.released", &hex::encode(stack.model));
    let [event] = released.as_slice() else {
        panic!("one line for one release: {released:?}");
    };
    assert_eq!(event["node"], "node-1");
    assert_eq!(event["binding"], hex::encode(statement.binding_id.0));
    assert_eq!(event["key"], hex::encode(stack.key_id().0));
    assert_eq!(event["policy_version"], 1);
    assert_eq!(event["peer"], "127.0.0.1");
}

#[tokio::test]
async fn a_nonce_is_answered_once() {
    let machine = machine();
    let stack = Stack::start(&machine).await;
    let request = stack.node(&machine).await.request();
    assert_eq!(stack.ask(&request).await.status, 200);
    stack.refuses(&request, "nonce.unknown").await;
}

#[tokio::test]
async fn a_refused_answer_uses_its_nonce_up() {
    let machine = machine();
    let stack = Stack::start(&machine).await;
    let mut node = stack.node(&machine).await;
    node.model = random();
    assert_eq!(stack.ask(&node.request()).await.status, 403);
    node.model = stack.model;
    stack.refuses(&node.request(), "nonce.unknown").await;
}

#[tokio::test]
async fn a_nonce_of_nobody_is_refused() {
    let machine = machine();
    let stack = Stack::start(&machine).await;
    let node = Asking::new(&machine, Nonce(random()), stack.key_id(), stack.model);
    stack.refuses(&node.request(), "nonce.unknown").await;
}

#[tokio::test]
async fn a_nonce_has_its_time() {
    let machine = machine();
    let limits = Limits {
        nonce_lifetime: Duration::ZERO,
        ..Limits::default()
    };
    let stack = Stack::limited(&machine, limits).await;
    let request = stack.node(&machine).await.request();
    stack.refuses(&request, "nonce.expired").await;
}

#[tokio::test]
async fn evidence_of_another_nonce_is_refused() {
    let machine = machine();
    let stack = Stack::start(&machine).await;
    let (one, other) = (stack.node(&machine).await, stack.node(&machine).await);
    let crossed = one.request_with(&other.bundle());
    stack.refuses(&crossed, "freshness.nonce").await;
}

#[tokio::test]
async fn evidence_of_another_key_is_refused() {
    let machine = machine();
    let stack = Stack::start(&machine).await;
    let node = stack.node(&machine).await;
    let mut bundle = node.bundle();
    bundle.identity = KeyRecipient::generate_in(&Heap).identity();
    stack
        .refuses(&node.request_with(&bundle), "binding.report_data")
        .await;
}

#[tokio::test]
async fn a_list_that_another_identity_signed_is_refused() {
    let machine = machine();
    let stack = Stack::start(&machine).await;
    let (node, other) = (stack.node(&machine).await, stack.node(&machine).await);
    let mut bundle = node.bundle();
    bundle.key_configs = other.bundle().key_configs;
    stack
        .refuses(&node.request_with(&bundle), "keys.signature")
        .await;
    let node = stack.node(&machine).await;
    let mut bundle = node.bundle();
    bundle.key_configs = None;
    stack
        .refuses(&node.request_with(&bundle), "release.keys_absent")
        .await;
}

#[tokio::test]
async fn bytes_that_are_no_bundle_are_refused() {
    let machine = machine();
    let stack = Stack::start(&machine).await;
    let mut request = stack.node(&machine).await.request();
    request.evidence.push(0);
    stack.refuses(&request, "bundle.encoding").await;
}

#[tokio::test]
async fn a_node_that_the_policy_denies_gets_nothing() {
    let (machine, other) = (
        machine(),
        machine().with_report(|report| report.measurement[0] ^= 1),
    );
    let stack = Stack::start(&machine).await;
    let request = stack.node(&other).await.request();
    stack.refuses(&request, "policy.snp.measurement").await;
    let denied = log::text();
    assert!(denied.contains("node.denied"), "each unmet rule has a line");
}

#[tokio::test]
async fn invented_vendors_are_denied_by_every_policy_that_was_not_told_of_them() {
    let machine = machine();
    let signer = tee_sim::PolicySigner::generate();
    let envelope = signer.signed_policy(&policy_text(&machine).to_toml());
    let policy = policy::Policy::from_envelope(&envelope, &signer.trust_root()).unwrap();
    let stack = Stack::judging(policy.into(), Limits::default()).await;
    let request = stack.node(&machine).await.request();
    stack.refuses(&request, "policy.anchors").await;
}

#[tokio::test]
async fn an_expired_policy_releases_nothing() {
    let machine = machine();
    let stack = Stack::start(&machine).await;
    stack.clock.turn(POLICY_SECONDS + 1);
    let request = stack.node(&machine).await.request();
    stack.refuses(&request, "policy.expired").await;
}

#[tokio::test]
async fn a_stop_order_is_obeyed_at_once() {
    let machine = machine();
    let mut team = Publisher::new(NOW, &policy_text(&machine).to_toml());
    let stack = Stack::judging(accepting(team.in_force(NOW)), Limits::default()).await;
    let node = stack.node(&machine).await;
    assert_eq!(stack.ask(&node.request()).await.status, 200);
    team.order(NOW, Action::Stop, &[Target::Node("node-1".to_owned())]);
    stack.releaser.obey(accepting(team.in_force(NOW)));
    let request = stack.node(&machine).await.request();
    stack.refuses(&request, "policy.stopped.node").await;
    let mut other = stack.node(&machine).await;
    other.name = "node-2".to_owned();
    assert_eq!(stack.ask(&other.request()).await.status, 200);
    team.order(NOW, Action::Stop, &[Target::Everything]);
    stack.releaser.obey(accepting(team.in_force(NOW)));
    let mut other = stack.node(&machine).await;
    other.name = "node-2".to_owned();
    let refused = "policy.stopped.everything";
    stack.refuses(&other.request(), refused).await;
}

#[tokio::test]
async fn an_order_that_comes_while_a_node_is_judged_is_obeyed() {
    let machine = machine();
    let mut team = Publisher::new(NOW, &policy_text(&machine).to_toml());
    let stack = Stack::judging(accepting(team.in_force(NOW)), Limits::default()).await;
    team.order(NOW, Action::Stop, &[Target::Everything]);
    let (releaser, stopped) = (stack.releaser.clone(), accepting(team.in_force(NOW)));
    let request = stack.node(&machine).await.request();
    stack.clock.after_a_look(move |_| releaser.obey(stopped));
    stack.refuses(&request, "release.superseded").await;
    let request = stack.node(&machine).await.request();
    stack.refuses(&request, "policy.stopped.everything").await;
}

#[tokio::test]
async fn an_admission_that_ends_while_its_node_is_judged_releases_nothing() {
    let machine = machine();
    let stack = Stack::start(&machine).await;
    let request = stack.node(&machine).await.request();
    stack
        .clock
        .after_a_look(|clock| clock.turn(POLICY_SECONDS + 1));
    stack.refuses(&request, "release.admission_expired").await;
}

/// Two that come with one nonce at the same time: one of them is answered.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_race_for_one_nonce_has_one_winner() {
    let machine = machine();
    let stack = Stack::start(&machine).await;
    for _ in 0..4 {
        let request = stack.node(&machine).await.request();
        let (one, other) = tokio::join!(stack.ask(&request), stack.ask(&request));
        let mut statuses = [one.status, other.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 403]);
    }
}

#[tokio::test]
async fn a_later_policy_judges_from_now_on() {
    let machine = machine();
    let stack = Stack::start(&machine).await;
    let mut stricter = policy_text(&machine).model("other", random());
    stricter.version = 2;
    stack.releaser.obey(in_force(&stricter));
    let request = stack.node(&machine).await.request();
    stack.refuses(&request, "policy.model").await;
}

#[tokio::test]
async fn the_key_of_another_model_is_not_released() {
    let machine = machine();
    let stack = Stack::start(&machine).await;
    let mut node = stack.node(&machine).await;
    node.manifest.model_digest = random();
    let request = node.request();
    stack.refuses(&request, "release.other_model").await;
    // Both agree on a model that is not this key's.
    let mut node = stack.node(&machine).await;
    node.model = random();
    node.manifest.model_digest = node.model;
    stack.refuses(&node.request(), "release.unknown_key").await;
}

#[tokio::test]
async fn a_key_that_is_not_there_is_not_released() {
    let machine = machine();
    let stack = Stack::start(&machine).await;
    let mut node = stack.node(&machine).await;
    node.key_id = KeyId(random());
    stack.refuses(&node.request(), "release.unknown_key").await;
}

#[tokio::test]
async fn a_key_file_that_changed_is_not_released() {
    let machine = machine();
    let stack = Stack::start(&machine).await;
    support::write_key(stack.folder.path(), &random(), &stack.model);
    let request = stack.node(&machine).await.request();
    stack.refuses(&request, "key_folder.changed").await;
}

#[tokio::test]
async fn no_key_is_in_the_log() {
    let machine = machine();
    let stack = Stack::start(&machine).await;
    let node = stack.node(&machine).await;
    assert_eq!(stack.ask(&node.request()).await.status, 200);
    stack.refuses(&node.request(), "nonce.unknown").await;
    let text = log::text();
    assert!(text.contains(&hex::encode(stack.model)), "the control");
    assert!(!text.contains(&hex::encode(stack.key)));
}
