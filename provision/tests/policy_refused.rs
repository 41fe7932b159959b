//! What is older, forked, frozen or signed by others is refused, and what is in force stays so.

use crate::support::{
    NOW,
    host::{DAY, Host, policy_toml, standing},
    team::{SECOND, obeying, published_twice, stop, team},
};
use policy::{Files, PayloadType, Target};
use provision::{Clock as _, PolicyKeeper, Refreshed};
use std::fs;
use tee_sim::Publisher;

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

/// Whoever holds the timestamp's key alone moves no host day by day to the end of its documents.
#[tokio::test]
async fn timestamps_do_not_carry_each_other_into_the_future() {
    let mut team = team();
    team.stamp(NOW, NOW.plus(3600));
    let (host, mut keeper) = obeying(&team, &team.files()).await;
    let ahead = |days: u64| NOW.plus(days * DAY);
    team.stamp(ahead(1), ahead(9));
    host.publish(&team.files());
    assert!(matches!(keeper.refresh().await, Refreshed::Changed(_)));
    team.stamp(ahead(2), ahead(9));
    assert_refused(&host, &mut keeper, &team.files(), "policy.timestamp.future").await;
    host.clock.set(ahead(1));
    assert!(matches!(keeper.refresh().await, Refreshed::Changed(_)));
}

/// A stop does not wait until everything that is published with it is right.
#[tokio::test]
async fn orders_are_obeyed_although_the_rest_of_their_publication_is_not() {
    let mut team = team();
    stop(&mut team, "one");
    let (host, mut keeper) = obeying(&team, &team.files()).await;
    stop(&mut team, "two");
    let garbled = Files {
        policy: Some(b"{}".to_vec()),
        ..team.files()
    };
    host.publish(&garbled);
    let Refreshed::Changed(in_force) = keeper.refresh().await else {
        panic!("the stop is not obeyed");
    };
    let two = Target::Node("two".to_owned());
    assert!(in_force.orders().stopped(&two).is_some());
    assert_eq!(keeper.alarm().unwrap().code, "policy.signature.malformed");
    let (restarted, in_force) = host.open().await.unwrap();
    assert!(in_force.orders().stopped(&two).is_some(), "forgotten");
    assert_eq!(restarted.files().orders, garbled.orders);
    assert_ne!(restarted.files().policy, garbled.policy);

    let mut starting = team.clone();
    starting.order(
        NOW,
        policy::Action::Start,
        &[Target::Node("two".to_owned())],
    );
    let garbled_start = Files {
        policy: Some(b"{}".to_vec()),
        ..starting.files()
    };
    // A start waits for what was published with it.
    assert_refused(
        &host,
        &mut keeper,
        &garbled_start,
        "policy.signature.malformed",
    )
    .await;

    let foreign = Publisher::new(NOW, &policy_toml(1, ""));
    let mut theirs = team.orders.clone();
    let mut stranger = foreign;
    stop(&mut stranger, "three");
    theirs.extend(stranger.orders);
    team.orders = theirs;
    let garbled = Files {
        policy: Some(b"{}".to_vec()),
        ..team.files()
    };
    assert_refused(&host, &mut keeper, &garbled, "policy.signature.malformed").await;
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

/// A host that is kept from newer documents ends by itself, if the policy says so.
#[tokio::test]
async fn a_lease_that_nobody_renews_ends() {
    let lease = "\n[lease]\nmax_age_seconds = 3600\nwhen_absent = \"stop\"\n";
    let mut team = Publisher::new(NOW, &policy_toml(1, lease));
    team.stamp(NOW, NOW.plus(DAY));
    let (host, keeper) = obeying(&team, &team.files()).await;
    let (_, in_force) = host.open().await.unwrap();
    let ended = |now| {
        in_force
            .judge_standing(now)
            .iter()
            .any(|r| r.code == "policy.lease")
    };
    assert!(!ended(keeper.clock().now()));
    host.clock.set(NOW.plus(3 * DAY));
    assert!(ended(keeper.clock().now()));
    host.clock.set(NOW);
    assert!(
        ended(keeper.clock().now()),
        "a clock set back revives nothing"
    );
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
