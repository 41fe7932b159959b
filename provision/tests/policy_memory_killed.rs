//! A process that takes ever newer publications is killed 500 times at random points: what was told to be in force is in force after
//! a restart, or its successor, and nothing else.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "tests; the killed child learns its folder from the environment"
)]

mod support;

use policy::{Files, PayloadType};
use provision::{PolicyKeeper, PolicySettings, PolicySource, Refreshed};
use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _, stdout},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::Duration,
};
use support::{
    NOW,
    host::{Hand, Host, policy_toml, settings, standing},
};
use tee_sim::Publisher;

const FOLDER: &str = "NARTHEX_TEST_HOST";

/// Hosts that are killed beside each other.
const HOSTS: u64 = 2;

const KILLS_OF_EACH: u64 = 250;

/// More than a child takes before it is killed, most of the time.
const OFFERED_AT_ONCE: u64 = 8;

/// The longest life of a child.
const LIFE: Duration = Duration::from_millis(60);

/// What a host was seen to do.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    /// Versions that were told to be in force.
    told: u64,
    /// Kills after a version was durable and before it was told.
    between: u64,
}

#[test]
fn whatever_was_told_to_be_in_force_is_in_force_after_a_kill() {
    let hosts = thread::scope(|scope| {
        let hosts = (0..HOSTS).map(|seed| scope.spawn(move || killed_again_and_again(seed + 1)));
        let hosts: Vec<_> = hosts.collect();
        let seen = hosts.into_iter().map(|host| host.join().unwrap());
        seen.collect::<Vec<_>>()
    });
    let told: u64 = hosts.iter().map(|seen| seen.told).sum();
    let between: u64 = hosts.iter().map(|seen| seen.between).sum();
    println!(
        "{} kills, {told} versions told, {between} kills before one was told",
        HOSTS * KILLS_OF_EACH
    );
    assert!(
        told > HOSTS * KILLS_OF_EACH / 4,
        "the children did next to nothing"
    );
}

fn killed_again_and_again(seed: u64) -> Seen {
    let team = Publisher::new(NOW, &policy_toml(1, ""));
    let host = Host::pinning(&team);
    let mut random = seed;
    let mut seen = Seen::default();
    let mut version = 0;
    for kill in 1..=KILLS_OF_EACH {
        if kill % 25 == 0 {
            // The first of all commits makes the memory.
            fs::remove_dir_all(host.state()).unwrap();
            fs::create_dir(host.state()).unwrap();
            version = 0;
        }
        offer(&host, &team, version + 1);
        let told = killed_child(host.folder(), next(&mut random, LIFE));
        let found = after_restart(host.folder());
        let least = told.last().copied().unwrap_or(version);
        assert!(
            found == least || found == least + 1,
            "kill {kill}: {found} is in force; {version} was before, and {told:?} were told to be"
        );
        seen.told += told.len() as u64;
        seen.between += found - least;
        version = found;
    }
    seen
}

/// Publications of these versions lie ready to be taken.
fn offer(host: &Host, team: &Publisher, first: u64) {
    fs::remove_dir_all(host.published()).unwrap();
    fs::create_dir(host.published()).unwrap();
    for version in first..first + OFFERED_AT_ONCE {
        let policy = team.signed(PayloadType::Policy, &policy_toml(version, ""), 2);
        fs::write(offered(host.folder(), version), policy.to_json()).unwrap();
    }
}

fn offered(folder: &Path, version: u64) -> PathBuf {
    folder.join("published").join(format!("{version}.json"))
}

/// What the child that runs in `folder` told to be in force until it was killed after `life`.
fn killed_child(folder: &Path, life: Duration) -> Vec<u64> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "child_takes_until_killed",
            "--ignored",
            "--nocapture",
        ])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    thread::sleep(life);
    child.kill().unwrap();
    child.wait().unwrap();
    let lines = output.lines().map(Result::unwrap);
    lines
        .filter_map(|line| line.strip_prefix("told ")?.parse().ok())
        .collect()
}

/// The version in force where nothing is offered; 0 if nothing is remembered. Anything else that is wrong ends the test.
fn after_restart(folder: &Path) -> u64 {
    runtime().block_on(async {
        match PolicyKeeper::open(nothing_offered(folder), Hand::at(NOW)).await {
            Ok((_, in_force)) => standing(&in_force)[1],
            Err(error) => {
                assert_eq!(error.code(), "policy.nothing_offered", "{error}");
                0
            }
        }
    })
}

fn nothing_offered(folder: &Path) -> PolicySettings {
    PolicySettings {
        source: PolicySource::Gateway,
        ..settings(folder)
    }
}

fn runtime() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().unwrap()
}

/// xorshift64: any spread will do, and every run has the same.
fn next(state: &mut u64, below: Duration) -> Duration {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    below.mul_f64((*state % 1000) as f64 / 1000.0)
}

#[test]
#[ignore = "the child of whatever_was_told_to_be_in_force_is_in_force_after_a_kill"]
fn child_takes_until_killed() {
    let folder = PathBuf::from(std::env::var(FOLDER).unwrap());
    runtime().block_on(async {
        let mut offers = (0..).map(|version| offered(&folder, version));
        let first = offers
            .by_ref()
            .find_map(|path| fs::read(path).ok())
            .unwrap();
        let settings = nothing_offered(&folder);
        let opened = PolicyKeeper::open_with(settings, Hand::at(NOW), Files::of_policy(first));
        let (mut keeper, in_force) = opened.await.unwrap();
        tell(in_force.policy().version());
        for policy in offers.map_while(|path| fs::read(path).ok()) {
            let taken = keeper.take(Files::of_policy(policy)).await;
            let Refreshed::Changed(in_force) = taken else {
                unreachable!("{taken:?}");
            };
            tell(in_force.policy().version());
        }
        thread::sleep(LIFE);
    });
}

fn tell(version: u64) {
    println!("\ntold {version}");
    stdout().flush().unwrap();
}
