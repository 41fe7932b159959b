//! What comes into force on a host, from where, and what it remembers of it.

use crate::support::{
    self, NOW,
    host::{DAY, Host, policy_toml, publish, standing},
    team::{SECOND, obeying, published_twice, team},
};
use attestation::UnixTime;
use provision::{Clock as _, PolicyKeeper, PolicySettings, PolicySource, Refreshed, RootSource};
use std::fs;
use tee_sim::Publisher;

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

/// Whoever takes the memory away makes the next process forget, not this one.
#[tokio::test]
async fn a_running_process_is_not_led_back_by_what_happens_to_its_disk() {
    let (team, first, second) = published_twice();
    let (host, mut keeper) = obeying(&team, &first).await;
    let old_memory = fs::read(host.state().join("policy.redb")).unwrap();
    host.publish(&second);
    assert!(matches!(keeper.refresh().await, Refreshed::Changed(_)));
    host.publish(&first);
    fs::write(host.state().join("policy.redb"), old_memory).unwrap();
    for _ in 0..2 {
        let Refreshed::Refused(error) = keeper.refresh().await else {
            panic!("taken");
        };
        assert_eq!(error.code(), "policy.rollback");
        assert_eq!(keeper.files(), &second);
        fs::remove_file(host.state().join("policy.redb")).unwrap_or_default();
    }
    host.publish(&second);
    assert!(matches!(keeper.refresh().await, Refreshed::Unchanged));
    host.assert_never_below(SECOND, "remembered again").await;
}
