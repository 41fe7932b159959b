//! The highest policy version survives restarts, kills and damage.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "tests; the killed child learns its folder from the environment"
)]

use attestation::{UnixTime, snp::Product};
use policy::{Policy, TrustRoot};
use provision::{FileError, MemoryError, PolicyMemory};
use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
};
use tee_sim::{PolicyText, Report};
use tempfile::{TempDir, tempdir};

const FOLDER: &str = "NARTHEX_TEST_MEMORY_FOLDER";

fn root() -> TrustRoot {
    TrustRoot::new(vec![[7; 32]], 1).unwrap()
}

fn text(version: u64) -> PolicyText {
    let report = Report::of(Product::Genoa);
    let mut text = PolicyText::admitting(&report, UnixTime(1000), UnixTime(2000));
    text.version = version;
    text
}

fn policy(version: u64) -> Policy {
    Policy::from_toml(text(version).to_toml().as_bytes()).unwrap()
}

fn other_policy(version: u64) -> Policy {
    let mut text = text(version);
    text.name = "another".to_owned();
    Policy::from_toml(text.to_toml().as_bytes()).unwrap()
}

fn memory() -> (TempDir, PolicyMemory) {
    let directory = tempdir().unwrap();
    let memory = PolicyMemory::new(directory.path(), &root());
    (directory, memory)
}

#[test]
fn a_rising_version_is_remembered_and_repeated() {
    let (_directory, memory) = memory();
    for version in [3, 3, 4, 9, 9] {
        memory.remember(&policy(version)).unwrap();
    }
}

#[test]
fn a_lower_version_is_refused() {
    let (directory, memory) = memory();
    memory.remember(&policy(4)).unwrap();
    let after_restart = PolicyMemory::new(directory.path(), &root());
    let error = after_restart.remember(&policy(3)).unwrap_err();
    assert_eq!(error.code(), "policy.rollback");
    assert!(error.to_string().contains(memory.path().to_str().unwrap()));
    memory.remember(&policy(4)).unwrap();
}

#[test]
fn another_document_of_the_same_version_is_refused() {
    let (_directory, memory) = memory();
    memory.remember(&policy(4)).unwrap();
    let error = memory.remember(&other_policy(4)).unwrap_err();
    assert_eq!(error.code(), "policy.equivocation");
    memory.remember(&other_policy(5)).unwrap();
}

#[test]
fn roots_have_memories_of_their_own() {
    let (directory, memory) = memory();
    memory.remember(&policy(4)).unwrap();
    let other = TrustRoot::new(vec![[8; 32]], 1).unwrap();
    let other = PolicyMemory::new(directory.path(), &other);
    other.remember(&policy(1)).unwrap();
    fs::copy(other.path(), memory.path()).unwrap();
    assert_corrupt(&memory, "another root's state under our name");
}

fn assert_corrupt(memory: &PolicyMemory, case: &str) {
    let before = fs::read(memory.path()).unwrap();
    let error = memory.remember(&policy(100)).unwrap_err();
    assert_eq!(error.code(), "provision.memory.corrupt", "{case}");
    assert_eq!(
        fs::read(memory.path()).unwrap(),
        before,
        "{case}: left as it was"
    );
}

#[test]
fn damage_is_an_error_and_never_a_fresh_start() {
    let (_directory, memory) = memory();
    memory.remember(&policy(4)).unwrap();
    let good = fs::read_to_string(memory.path()).unwrap();
    let digest = hex::encode(policy(4).digest());
    let damaged = [
        ("empty", String::new()),
        ("cut", good.chars().take(good.len() / 2).collect()),
        ("trailing bytes", format!("{good}x")),
        (
            "unknown field",
            good.replace("\"schema\"", "\"more\": 1, \"schema\""),
        ),
        (
            "unknown schema",
            good.replace("\"schema\": 1", "\"schema\": 2"),
        ),
        ("short digest", good.replace(&digest, "ab")),
        ("absent version", good.replace("\"version\": 4,", "")),
        (
            "too large",
            good.replace('{', &format!("{{{}", " ".repeat(5000))),
        ),
    ];
    for (case, content) in damaged {
        assert_ne!(content, good, "{case}");
        fs::write(memory.path(), content).unwrap();
        assert_corrupt(&memory, case);
    }
}

#[test]
fn what_cannot_be_read_or_written_is_an_error() {
    let (directory, memory) = memory();
    fs::create_dir(memory.path()).unwrap();
    let error = memory.remember(&policy(1)).unwrap_err();
    assert!(matches!(error, MemoryError::File(FileError::Read { .. })));

    let absent = PolicyMemory::new(&directory.path().join("absent"), &root());
    let error = absent.remember(&policy(1)).unwrap_err();
    assert_eq!(error.code(), "provision.memory.write");
}

#[test]
fn a_half_written_successor_is_overwritten() {
    let (_directory, memory) = memory();
    memory.remember(&policy(4)).unwrap();
    fs::write(memory.path().with_extension("new"), "{\"schema\": 1, \"ro").unwrap();
    memory.remember(&policy(5)).unwrap();
    assert_eq!(
        memory.remember(&policy(4)).unwrap_err().code(),
        "policy.rollback"
    );
}

#[test]
fn what_a_killed_process_was_told_is_still_remembered() {
    let directory = tempdir().unwrap();
    for round in 1..=8 {
        let told = version_told_before_kill(directory.path(), round);
        let memory = PolicyMemory::new(directory.path(), &root());
        let error = memory.remember(&policy(1)).unwrap_err();
        let MemoryError::Rollback { remembered, .. } = error else {
            panic!("round {round}: {error}");
        };
        assert!(remembered >= told, "round {round}: {remembered} < {told}");
    }
}

/// Starts a child that remembers rising versions, kills it after some, and returns the last that it was told is durable.
fn version_told_before_kill(directory: &Path, round: u64) -> u64 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "child_remembers_until_killed",
            "--ignored",
            "--nocapture",
        ])
        .env(FOLDER, directory)
        .env("NARTHEX_TEST_FIRST_VERSION", (round * 100_000).to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut versions = lines.filter_map(|line| line.unwrap().strip_prefix("told ")?.parse().ok());
    let early = versions.nth(usize::try_from(3 * round).unwrap());
    child.kill().unwrap();
    child.wait().unwrap();
    versions.last().or(early).unwrap()
}

#[test]
#[ignore = "the child of what_a_killed_process_was_told_is_still_remembered"]
fn child_remembers_until_killed() {
    let directory = std::env::var(FOLDER).unwrap();
    let first: u64 = std::env::var("NARTHEX_TEST_FIRST_VERSION")
        .unwrap()
        .parse()
        .unwrap();
    let memory = PolicyMemory::new(Path::new(&directory), &root());
    for version in first..first + 5_000 {
        memory.remember(&policy(version)).unwrap();
        println!("\ntold {version}");
    }
}

#[test]
fn threads_agree_on_the_highest() {
    let (directory, memory) = memory();
    std::thread::scope(|scope| {
        for version in 1..=16 {
            let memory = PolicyMemory::new(directory.path(), &root());
            scope.spawn(move || {
                memory
                    .remember(&policy(version))
                    .map_err(|error| error.code())
            });
        }
    });
    assert_eq!(
        memory.remember(&policy(15)).unwrap_err().code(),
        "policy.rollback"
    );
    memory.remember(&policy(16)).unwrap();
}
