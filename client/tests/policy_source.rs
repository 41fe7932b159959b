//! Where a policy comes from: a file, a folder, an address, the gateway; under keys or a root document. The shipped command.

use crate::narthex::{Run, narthex};
use crate::team::{Bench, ask};
use crate::{fake, narthex};
use attestation::Nonce;
use client::{Settings, UpdatesFrom};
use policy::{Action, Target};
use provision::policy_keeper::PolicySource;
use std::fs;

/// Runs the command in the bench's folder.
async fn run(bench: &Bench, arguments: &[&str]) -> Run {
    let folder = bench.folder.path().to_owned();
    let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
    let run = tokio::task::spawn_blocking(move || narthex(&folder, &arguments));
    run.await.unwrap()
}

/// `verify bundle` of the node's evidence.
async fn verify(bench: &Bench, policy: &[&str]) -> Run {
    let bundle = bench.gateway.nodes[0].bundle(&Nonce([7; 32])).to_cbor();
    fs::write(bench.folder.path().join("node.bundle"), bundle).unwrap();
    run(
        bench,
        &[&["verify", "bundle", "node.bundle"], policy].concat(),
    )
    .await
}

async fn chat(bench: &Bench, policy: &[&str]) -> Run {
    let at = ["chat", "--gateway", &bench.gateway.url, "hi"];
    run(bench, &[&at[..], policy].concat()).await
}

/// The shipped command refuses invented vendors: that it does says that it took the policy.
fn assert_took_the_policy(run: &Run) {
    assert_eq!(run.status, 10, "{run:?}");
    let said = format!("{}{}", run.stdout, run.stderr);
    assert!(said.contains("snp.chain."), "{run:?}");
}

fn assert_told(run: &Run, status: i32, code: &str) {
    assert_eq!(run.status, status, "{run:?}");
    let said = format!("{}{}", run.stdout, run.stderr);
    assert!(said.contains(code), "{run:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_and_its_policy_alone_count_under_the_root() {
    let bench = Bench::of(&["node-a"]).await;
    for policy in ["published", "published/policy.json"] {
        let policy = ["--policy", policy, "--policy-root", "root.json"];
        assert_took_the_policy(&chat(&bench, &policy).await);
        assert_took_the_policy(&verify(&bench, &policy).await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_root_refuses_it() {
    let bench = Bench::of(&["node-a"]).await;
    let other = Bench::of(&["node-a"]).await;
    fs::copy(other.pinned(), bench.folder.path().join("other.json")).unwrap();
    let policy = ["--policy", "published", "--policy-root", "other.json"];
    assert_told(&chat(&bench, &policy).await, 10, "policy.signature.too_few");
    let verified = verify(&bench, &policy).await;
    assert_told(&verified, 10, "policy.signature.too_few");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flags_that_do_not_go_together_are_told() {
    let bench = Bench::of(&["node-a"]).await;
    let both = ["--policy-root", "root.json", "--policy-key", "root.json"];
    let both = [&["--policy", "published"], &both[..]].concat();
    assert_eq!(verify(&bench, &both).await.status, 2);
    let nobody = verify(&bench, &["--policy", "published"]).await;
    assert_told(&nobody, 2, "policy.root.no_keys");
    let nothing = verify(&bench, &["--policy-root", "root.json"]).await;
    assert_told(&nothing, 2, "policy.absent");
    let gateway = ["--policy", "gateway", "--policy-root", "root.json"];
    assert_told(&verify(&bench, &gateway).await, 2, "policy.source");
    let url = ["--policy", "https://a@b/", "--policy-root", "root.json"];
    assert_eq!(verify(&bench, &url).await.status, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_is_told_before_it_is_asked() {
    let bench = Bench::of(&["node-a"]).await;
    bench.gateway.publish(bench.files());
    let url = format!("{}/narthex/v1/policy/", bench.gateway.url);
    let policy = ["--policy", &url, "--policy-root", "root.json"];
    let verified = verify(&bench, &policy).await;
    assert_took_the_policy(&verified);
    assert!(
        verified.stderr.contains(&format!("fetched from {url}")),
        "{verified:?}"
    );
    bench.gateway.publish([]);
    let absent = verify(&bench, &policy).await;
    assert_told(&absent, 1, "policy.fetch.not_found");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_gateway_hands_it_out_and_is_not_believed() {
    let mut bench = Bench::of(&["node-a"]).await;
    let policy = ["--policy", "gateway", "--policy-root", "root.json"];
    let nothing = chat(&bench, &policy).await;
    assert_told(&nothing, 10, "policy.publication.no_policy");
    bench.gateway.publish(bench.files());
    assert_took_the_policy(&chat(&bench, &policy).await);
    // Another team's policy is an alarm; the last good one stays in force.
    let other = Bench::of(&["node-a"]).await;
    bench.gateway.publish(other.files());
    let chatted = chat(&bench, &policy).await;
    assert_took_the_policy(&chatted);
    assert!(chatted.stderr.contains("note: ALARM"), "{chatted:?}");
    bench.order(Action::Stop, Target::Everything);
    bench.gateway.publish(bench.files());
    let stopped = chat(&bench, &policy).await;
    assert_told(&stopped, 10, "policy.stopped.everything");
    // A gateway that forgets the order changes nothing.
    bench.publisher.orders.clear();
    bench.gateway.publish(bench.files());
    let stopped = chat(&bench, &policy).await;
    assert_told(&stopped, 10, "policy.stopped.everything");
}

#[tokio::test]
async fn what_the_gateway_hands_out_later_is_obeyed_at_once() {
    let mut bench = Bench::of(&["node-a"]).await;
    bench.gateway.publish(bench.files());
    let client = bench
        .connect_from(
            PolicySource::Gateway,
            UpdatesFrom::Gateway,
            Settings::default(),
        )
        .await
        .unwrap();
    ask(&client).await.unwrap();
    bench
        .publisher
        .order(fake::now(), Action::Stop, &[Target::Everything]);
    bench.gateway.publish(bench.files());
    bench.seen.until("is in force now", 1).await;
    let error = ask(&client).await.unwrap_err();
    assert_eq!(error.code(), "policy.stopped.everything");
    // Orders that are not handed out any more are an alarm, once.
    bench.publisher.orders.clear();
    bench.gateway.publish(bench.files());
    bench.seen.until("Info alarm.policy", 1).await;
    let error = ask(&client).await.unwrap_err();
    assert_eq!(error.code(), "policy.stopped.everything");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_denial_tells_the_line_and_what_would_do() {
    let bench = Bench::of(&["node-a"]).await;
    let rule = denied(&bench).await;
    assert!(
        rule["at"].as_str().unwrap().starts_with("policy.toml:"),
        "{rule}"
    );
    assert_eq!(rule["name"], "snp.measurements", "{rule}");
    assert!(!rule["remedy"].as_str().unwrap().is_empty(), "{rule}");
    for field in ["expected", "actual"] {
        assert!(!rule[field].as_str().unwrap().is_empty(), "{rule}");
    }
}

/// The rule of a check that denies real evidence: the measurement of the policy is an invented one.
async fn denied(bench: &Bench) -> serde_json::Value {
    for name in ["report_milan.hex", "vcek_milan.der"] {
        let from = narthex::sev_evidence().join(name);
        fs::copy(from, bench.folder.path().join(name)).unwrap();
    }
    let evidence = [
        "verify",
        "snp",
        "--report",
        "report_milan.hex",
        "--vek",
        "vcek_milan.der",
    ];
    let policy = [
        "--policy",
        "published",
        "--policy-root",
        "root.json",
        "--json",
    ];
    let judged = run(bench, &[&evidence[..], &policy].concat()).await;
    let document = judged.json();
    let checks = document["checks"].as_array().unwrap();
    let check = checks
        .iter()
        .find(|check| check["id"] == "policy.snp.measurement");
    check.unwrap()["rule"].clone()
}
