//! What comes into force on a host, what does not, and that nothing weaker ever does.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use attestation::UnixTime;
use policy::{Action, Files, PayloadType, Target, draft::InventoryDraft};
use provision::{Clock as _, PolicyKeeper, PolicySettings, PolicySource, Refreshed, RootSource};
use std::{collections::BTreeMap, fs};
use support::{
    NOW,
    host::{DAY, Host, Standing, policy_toml, publish, standing},
};
use tee_sim::Publisher;

fn team() -> Publisher {
    Publisher::new(NOW, &policy_toml(1, ""))
}

fn inventory(version: u64) -> InventoryDraft {
    let placement = policy::Placement {
        owner: "us".to_owned(),
        site: "fra1".to_owned(),
        country: "DE".to_owned(),
        valid_from: NOW,
        valid_until: None,
        custody: None,
    };
    InventoryDraft {
        version,
        name: "machines".to_owned(),
        not_before: UnixTime(NOW.0 - DAY),
        expires: NOW.plus(90 * DAY),
        hardware: BTreeMap::from([(policy::HardwareId::SnpChip([0xAB; 64]), placement)]),
    }
}

fn stop(team: &mut Publisher, node: &str) {
    team.order(NOW, Action::Stop, &[Target::Node(node.to_owned())]);
}

/// A team that has published everything there is, twice, and its first and second publication.
fn published_twice() -> (Publisher, Files, Files) {
    let mut team = team();
    team.publish_inventory(&inventory(1));
    stop(&mut team, "one");
    team.stamp(NOW, NOW.plus(DAY));
    let first = team.files();
    team.rotate(2);
    team.publish_policy(&policy_toml(2, ""));
    team.publish_inventory(&inventory(2));
    stop(&mut team, "two");
    team.resign();
    team.stamp(NOW, NOW.plus(2 * DAY));
    let second = team.files();
    (team, first, second)
}

const SECOND: Standing = [2, 2, 2, 2, 2];

/// A host that obeys `files`.
async fn obeying(team: &Publisher, files: &Files) -> (Host, PolicyKeeper) {
    let host = Host::pinning(team);
    host.publish(files);
    let (keeper, _) = host.open().await.unwrap();
    (host, keeper)
}

/// Publishes `files` to a host at `floor`, which must refuse them with `code`, keep what it has, and tell.
async fn assert_refused(host: &Host, keeper: &mut PolicyKeeper, files: &Files, code: &str) {
    let before = keeper.files().clone();
    host.publish(files);
    let Refreshed::Refused(error) = keeper.refresh().await else {
        panic!("{code}: taken");
    };
    assert_eq!(error.code(), code, "{error}");
    assert_eq!(keeper.files(), &before, "{code}: another is in force");
    let alarm = keeper.alarm().unwrap();
    assert_eq!((alarm.code, alarm.message), (code, error.to_string()));
    let (restarted, _) = host.open().await.unwrap();
    assert_eq!(
        restarted.files(),
        &before,
        "{code}: another after a restart"
    );
    assert_eq!(
        restarted.alarm().unwrap().code,
        code,
        "not told after a restart"
    );
}

#[tokio::test]
async fn newer_publications_come_into_force_and_stay_there() {
    let (team, first, second) = published_twice();
    let host = Host::pinning(&team);
    host.publish(&first);
    let (mut keeper, in_force) = host.open().await.unwrap();
    assert_eq!(standing(&in_force), [1; 5]);
    assert_eq!((keeper.files(), keeper.alarm()), (&first, None));
    assert!(matches!(keeper.refresh().await, Refreshed::Unchanged));
    host.publish(&second);
    let Refreshed::Changed(in_force) = keeper.refresh().await else {
        panic!("not taken");
    };
    assert_eq!(standing(&in_force), SECOND);
    assert_eq!((keeper.files(), keeper.alarm()), (&second, None));
    host.assert_never_below(SECOND, "after all is well").await;
}

#[tokio::test]
async fn one_file_and_keys_by_hand_are_a_publication_too() {
    let team = team();
    let host = Host::pinning(&team);
    let file = host.folder().join("policy.json");
    fs::write(&file, team.policy.to_json()).unwrap();
    let keys = team.signers.iter().enumerate().map(|(index, signer)| {
        let path = host.folder().join(format!("{index}.pem"));
        fs::write(&path, support::public_pem(&signer.public_key())).unwrap();
        path
    });
    let settings = PolicySettings {
        root: RootSource::Keys {
            files: keys.collect(),
            threshold: Some(2),
        },
        source: PolicySource::parse(file.to_str().unwrap()).unwrap(),
        state: Some(host.state()),
    };
    let (keeper, in_force) = host.open_with(settings.clone()).await.unwrap();
    assert_eq!(standing(&in_force), [0, 1, 0, 0, 0]);
    assert_eq!(keeper.pinned_root().version(), 0);
    fs::remove_file(&file).unwrap();
    let (keeper, in_force) = host.open_with(settings).await.unwrap();
    assert_eq!(in_force.policy().version(), 1);
    assert_eq!(keeper.alarm().unwrap().code, "provision.file.read");
}

#[tokio::test]
async fn nothing_good_and_nothing_remembered_is_an_error() {
    let team = team();
    let host = Host::pinning(&team);
    let code = |error: provision::PolicyKeeperError| error.code();
    assert_eq!(
        host.open().await.err().map(code),
        Some("provision.file.read")
    );
    let stranger = Publisher::new(NOW, &policy_toml(1, ""));
    host.publish(&stranger.files());
    let refused = host.open().await.err().map(code);
    assert_eq!(refused, Some("policy.signature.too_few"));
    fs::write(host.folder().join("root.json"), "{}").unwrap();
    let refused = host.open().await.err().map(code);
    assert_eq!(refused, Some("policy.signature.malformed"));
}

#[tokio::test]
async fn an_older_publication_is_refused() {
    let (team, first, second) = published_twice();
    let (host, mut keeper) = obeying(&team, &second).await;
    assert_refused(&host, &mut keeper, &first, "policy.rollback").await;
    host.assert_never_below(SECOND, "rollback").await;
}

/// Each document by itself.
#[tokio::test]
async fn one_older_or_missing_document_is_enough_to_refuse() {
    let (mut team, _, _) = published_twice();
    team.timestamp = None;
    let unstamped = team.files();
    let (host, mut keeper) = obeying(&team, &unstamped).await;
    let without = |change: fn(&mut Files)| {
        let mut files = unstamped.clone();
        change(&mut files);
        files
    };
    let policy = policy_only(&team, 1).policy;
    let older = Files {
        policy,
        ..unstamped.clone()
    };
    let cases = [
        ("policy.rollback", older),
        ("policy.missing", without(|files| files.inventory = None)),
        (
            "policy.order.shortened",
            without(|files| files.orders = None),
        ),
    ];
    for (code, files) in cases {
        assert_refused(&host, &mut keeper, &files, code).await;
    }
    host.assert_never_below([2, 2, 2, 2, 0], "a part is older")
        .await;
}

/// A policy of this version, signed by those who are the team now.
fn policy_only(team: &Publisher, version: u64) -> Files {
    let policy = team.signed(PayloadType::Policy, &policy_toml(version, ""), 2);
    Files::of_policy(policy.to_json().into_bytes())
}

#[tokio::test]
async fn another_document_of_the_same_version_is_refused() {
    let team = team();
    let (host, mut keeper) = obeying(&team, &team.files()).await;
    let other = team.signed(PayloadType::Policy, &policy_toml(1, "\n# other\n"), 2);
    let other = Files::of_policy(other.to_json().into_bytes());
    assert_refused(&host, &mut keeper, &other, "policy.equivocation").await;
}

/// The order that stopped the second node is cut off, or another one stands in its place.
#[tokio::test]
async fn a_log_of_orders_is_not_taken_back() {
    let mut team = team();
    stop(&mut team, "one");
    let one = team.files();
    stop(&mut team, "two");
    let (host, mut keeper) = obeying(&team, &team.files()).await;
    assert_refused(&host, &mut keeper, &one, "policy.order.shortened").await;
    team.orders.pop();
    stop(&mut team, "other");
    assert_refused(&host, &mut keeper, &team.files(), "policy.order.forked").await;
    stop(&mut team, "three");
    assert_refused(&host, &mut keeper, &team.files(), "policy.order.forked").await;
    let (_, in_force) = host.open().await.unwrap();
    assert!(
        in_force
            .orders()
            .stopped(&Target::Node("two".to_owned()))
            .is_some()
    );
}

/// A timestamp tells a host that is shown older documents than there are, even one that has never seen newer ones.
#[tokio::test]
async fn a_timestamp_that_names_newer_documents_ends_a_freeze() {
    let mut team = team();
    let old = team.files();
    let (host, mut keeper) = obeying(&team, &old).await;
    team.publish_policy(&policy_toml(2, ""));
    team.stamp(NOW, NOW.plus(DAY));
    let frozen = Files {
        timestamp: team.files().timestamp,
        ..old
    };
    assert_refused(&host, &mut keeper, &frozen, "policy.timestamp.stale").await;
    let fresh = Host::pinning(&team);
    fresh.publish(&frozen);
    assert!(fresh.open().await.is_err());
}

#[tokio::test]
async fn too_few_signers_and_other_roots_are_refused() {
    let mut team = team();
    let (host, mut keeper) = obeying(&team, &team.files()).await;
    let alone = team.signed(PayloadType::Policy, &policy_toml(2, ""), 1);
    let alone = Files::of_policy(alone.to_json().into_bytes());
    assert_refused(&host, &mut keeper, &alone, "policy.signature.too_few").await;
    let stranger = Publisher::new(NOW, &policy_toml(9, ""));
    assert_refused(
        &host,
        &mut keeper,
        &stranger.files(),
        "policy.signature.too_few",
    )
    .await;
    let roots = stranger_rotation(&stranger);
    let with_roots = Files {
        roots,
        ..stranger.files()
    };
    assert_refused(&host, &mut keeper, &with_roots, "policy.signature.too_few").await;
    team.publish_policy(&policy_toml(3, ""));
    host.publish(&team.files());
    assert!(matches!(keeper.refresh().await, Refreshed::Changed(_)));
    assert_eq!(keeper.alarm(), None, "a good one ends the alarm");
}

fn stranger_rotation(stranger: &Publisher) -> Option<Vec<u8>> {
    let mut root = stranger.root.clone();
    (root.version, root.anchor) = (2, Some(*stranger.pinned().anchor()));
    let root = stranger.signed(PayloadType::Root, &root.to_string(), 3);
    tee_sim::publisher::lines(&[root])
}

/// Later roots are obeyed after a restart too: whoever was taken out signs nothing any more.
#[tokio::test]
async fn a_rotation_is_remembered() {
    let mut team = team();
    let outgoing = policy_only(&team, 7);
    team.rotate(0);
    team.rotate(1);
    team.resign();
    let (host, mut keeper) = obeying(&team, &team.files()).await;
    let roots = team.files().roots;
    let by_outgoing = Files {
        roots,
        ..outgoing.clone()
    };
    assert_refused(&host, &mut keeper, &by_outgoing, "policy.signature.too_few").await;
    assert_refused(&host, &mut keeper, &outgoing, "policy.rollback").await;
    host.assert_never_below([3, 1, 0, 0, 0], "rotation").await;
}

/// Whoever pins a later root has the same memory: an older pin brings nothing back.
#[tokio::test]
async fn a_later_root_can_be_pinned() {
    let mut team = team();
    team.rotate(0);
    team.resign();
    let (host, _) = obeying(&team, &team.files()).await;
    let pin = host.folder().join("root.json");
    fs::write(&pin, team.roots[1].to_json()).unwrap();
    let (keeper, in_force) = host.open().await.unwrap();
    assert_eq!(
        (standing(&in_force), keeper.alarm()),
        ([2, 1, 0, 0, 0], None)
    );
    fs::write(&pin, team.roots[0].to_json()).unwrap();
    let without_roots = Files {
        roots: None,
        ..team.files()
    };
    host.publish(&without_roots);
    let (keeper, _) = host.open().await.unwrap();
    assert!(keeper.alarm().is_some());
    host.assert_never_below([2, 1, 0, 0, 0], "an older pin")
        .await;
}

#[tokio::test]
async fn a_clock_set_back_is_told_and_revives_nothing() {
    let team = team();
    let host = Host::pinning(&team);
    host.publish(&team.files());
    host.clock.set(NOW.plus(DAY));
    let (keeper, _) = host.open().await.unwrap();
    assert_eq!(keeper.alarm(), None);
    host.clock.set(UnixTime(1000));
    assert!(keeper.clock().now() >= NOW.plus(DAY));
    assert_eq!(keeper.alarm().unwrap().code, "policy.clock.set_back");
    let (restarted, _) = host.open().await.unwrap();
    assert!(restarted.clock().now() >= NOW.plus(DAY));
    assert_eq!(restarted.alarm().unwrap().code, "policy.clock.set_back");
    host.clock.set(NOW.plus(DAY - 60));
    assert_eq!(restarted.alarm(), None, "a minute is a correction");
}

#[tokio::test]
async fn a_process_without_a_directory_remembers_for_itself() {
    let (team, first, second) = published_twice();
    let host = Host::pinning(&team);
    host.publish(&second);
    let settings = PolicySettings {
        state: None,
        ..host.settings()
    };
    let (mut keeper, _) = host.open_with(settings.clone()).await.unwrap();
    host.publish(&first);
    let Refreshed::Refused(error) = keeper.refresh().await else {
        panic!("taken");
    };
    assert_eq!(error.code(), "policy.rollback");
    assert_eq!(keeper.files(), &second);
    assert_eq!(fs::read_dir(host.state()).unwrap().count(), 0);
    let (_, in_force) = host.open_with(settings).await.unwrap();
    assert_eq!(
        standing(&in_force),
        [1; 5],
        "a new process has seen nothing"
    );
}

#[tokio::test]
async fn what_comes_through_the_gateway_is_judged_alike() {
    let (team, first, second) = published_twice();
    let host = Host::pinning(&team);
    let settings = || PolicySettings {
        source: PolicySource::Gateway,
        ..host.settings()
    };
    let nothing = host.open_with(settings()).await.err().unwrap();
    assert_eq!(nothing.code(), "policy.nothing_offered");
    let clock = || std::sync::Arc::clone(&host.clock) as std::sync::Arc<dyn provision::Clock>;
    let opened = PolicyKeeper::open_with(settings(), clock(), second.clone()).await;
    let (mut keeper, in_force) = opened.unwrap();
    assert_eq!(standing(&in_force), SECOND);
    assert!(matches!(keeper.refresh().await, Refreshed::Unchanged));
    let Refreshed::Refused(error) = keeper.take(first.clone()).await else {
        panic!("taken");
    };
    assert_eq!(error.code(), "policy.rollback");
    let opened = PolicyKeeper::open_with(settings(), clock(), first).await;
    let (keeper, in_force) = opened.unwrap();
    assert_eq!(standing(&in_force), SECOND, "the last good one");
    assert_eq!(keeper.alarm().unwrap().code, "policy.rollback");
    let (keeper, _) = host.open_with(settings()).await.unwrap();
    assert_eq!(keeper.files(), &second);
}

/// The narthex CLI beside a proxy: what one obeys binds the other.
#[tokio::test]
async fn processes_of_one_host_follow_each_other() {
    let (team, first, second) = published_twice();
    let (host, mut keeper) = obeying(&team, &first).await;
    let elsewhere = host.folder().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    publish(&elsewhere, &second);
    let settings = PolicySettings {
        source: PolicySource::Folder(elsewhere),
        ..host.settings()
    };
    host.open_with(settings).await.unwrap();
    let Refreshed::Changed(in_force) = keeper.refresh().await else {
        panic!("the older one stayed in force");
    };
    assert_eq!(standing(&in_force), SECOND);
    assert_eq!(
        keeper.alarm().unwrap().code,
        "policy.rollback",
        "its own source is behind"
    );
    assert!(matches!(keeper.refresh().await, Refreshed::Refused(_)));
}

#[tokio::test]
async fn a_damaged_memory_is_an_error_and_never_a_fresh_start() {
    let (team, first, second) = published_twice();
    let (host, mut keeper) = obeying(&team, &second).await;
    let path = host.state().join("policy.redb");
    fs::write(&path, b"not a memory").unwrap();
    host.publish(&first);
    let code = |error: provision::PolicyKeeperError| error.code();
    let opened = host.open().await.err().map(code);
    assert_eq!(opened, Some("provision.memory.corrupt"));
    let Refreshed::Refused(error) = keeper.refresh().await else {
        panic!("taken");
    };
    assert_eq!(error.code(), "provision.memory.corrupt");
    assert_eq!(keeper.files(), &second);
    assert_eq!(fs::read(&path).unwrap(), b"not a memory");
}
