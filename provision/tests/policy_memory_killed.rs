//! A process that takes ever newer publications is killed 500 times at random points: what was told to be in force is in force after
//! a restart, or its successor, and nothing else. And two such processes at once, with one memory.
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
    io::{BufRead as _, BufReader, Read, Write as _, stdout},
    ops::Range,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
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

/// A child is killed after it told this many versions less one at most,
const MOST_TOLD: u64 = 4;

/// and so much later at most: about as long as it takes to start, or to take another.
const LATER: Duration = Duration::from_millis(20);

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
    if let Some(folder) = std::env::var_os(FOLDER) {
        return takes_until_killed(Path::new(&folder));
    }
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
        told >= HOSTS * KILLS_OF_EACH,
        "the children did next to nothing"
    );
}

#[test]
fn two_processes_at_once_agree_on_the_newest() {
    const VERSIONS: u64 = 40;
    let team = Publisher::new(NOW, &policy_toml(1, ""));
    let host = Host::pinning(&team);
    offer(&host, &team, 1..VERSIONS + 1);
    let children = [child(host.folder()), child(host.folder())];
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let told: Vec<_> = told(output.stdout.as_slice()).collect();
        let rises = told.windows(2).all(|pair| pair[0] < pair[1]);
        assert!(rises && told.last() == Some(&VERSIONS), "{told:?}");
    }
    assert_eq!(after_restart(host.folder()), VERSIONS);
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
        offer(&host, &team, version + 1..version + 1 + OFFERED_AT_ONCE);
        let told = killed_child(host.folder(), next(&mut random));
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
fn offer(host: &Host, team: &Publisher, versions: Range<u64>) {
    fs::remove_dir_all(host.published()).unwrap();
    fs::create_dir(host.published()).unwrap();
    for version in versions {
        let policy = team.signed(PayloadType::Policy, &policy_toml(version, ""), 2);
        fs::write(offered(host.folder(), version), policy.to_json()).unwrap();
    }
}

fn offered(folder: &Path, version: u64) -> PathBuf {
    folder.join("published").join(format!("{version}.json"))
}

/// What the child that runs in `folder` told to be in force until it was killed at a random point.
fn killed_child(folder: &Path, random: u64) -> Vec<u64> {
    let mut child = child(folder);
    let mut told = told(child.stdout.take().unwrap());
    let least = usize::try_from(random % MOST_TOLD).unwrap();
    let mut seen: Vec<u64> = told.by_ref().take(least).collect();
    thread::sleep(LATER.mul_f64((random % 1009) as f64 / 1009.0));
    child.kill().unwrap();
    child.wait().unwrap();
    seen.extend(told);
    seen
}

/// The first of these tests in a process of its own, which finds itself to be the child.
fn child(folder: &Path) -> Child {
    let itself = "whatever_was_told_to_be_in_force_is_in_force_after_a_kill";
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", itself, "--nocapture"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// The versions that a child told, as it tells them.
fn told(output: impl Read) -> impl Iterator<Item = u64> {
    let lines = BufReader::new(output).lines().map(Result::unwrap);
    lines.filter_map(|line| line.strip_prefix("told ")?.parse().ok())
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
fn next(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

fn takes_until_killed(folder: &Path) {
    runtime().block_on(async {
        let mut offers = (0..).map(|version| offered(folder, version));
        let first = offers
            .by_ref()
            .find_map(|path| fs::read(path).ok())
            .unwrap();
        let settings = nothing_offered(folder);
        let opened = PolicyKeeper::open_with(settings, Hand::at(NOW), Files::of_policy(first));
        let (mut keeper, in_force) = opened.await.unwrap();
        tell(in_force.policy().version());
        for policy in offers.map_while(|path| fs::read(path).ok()) {
            match keeper.take(Files::of_policy(policy)).await {
                // The newer one of the other process, where that is ahead.
                Refreshed::Changed(in_force) => tell(in_force.policy().version()),
                Refreshed::Unchanged => {}
                Refreshed::Refused(error) => assert_eq!(error.code(), "policy.rollback"),
            }
        }
        thread::sleep(LATER);
    });
}

fn tell(version: u64) {
    println!("\ntold {version}");
    stdout().flush().unwrap();
}
