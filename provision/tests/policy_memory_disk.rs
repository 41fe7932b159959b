//! Disks that are full or read only: what cannot be remembered is not obeyed, and what was obeyed stays so.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "tests; the child with a small disk learns its folder from the environment"
)]

mod support;

use policy::{Files, PayloadType};
use provision::{PolicyKeeper, PolicySettings, PolicySource, Refreshed};
use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Output},
    thread,
};
use support::{
    NOW,
    host::{Hand, Host, policy_toml, settings, standing},
};
use tee_sim::Publisher;

const FOLDER: &str = "NARTHEX_TEST_HOST";

/// Of a policy that makes the memory grow.
const LARGE: usize = 700_000;

fn large_policy(version: u64) -> String {
    policy_toml(version, &format!("\n# {}\n", "x".repeat(LARGE)))
}

/// A team, and a host with the first two policies, the second of them large, in its folder.
fn host_with_offers() -> (Publisher, Host) {
    let team = Publisher::new(NOW, &policy_toml(1, ""));
    let host = Host::pinning(&team);
    let large = team.signed(PayloadType::Policy, &large_policy(2), 2);
    fs::write(host.folder().join("1.json"), team.policy.to_json()).unwrap();
    fs::write(host.folder().join("2.json"), large.to_json()).unwrap();
    (team, host)
}

fn offered(folder: &Path, version: u64) -> Files {
    Files::of_policy(fs::read(folder.join(format!("{version}.json"))).unwrap())
}

fn settings_of(folder: &Path, state: &Path) -> PolicySettings {
    PolicySettings {
        source: PolicySource::Gateway,
        state: Some(state.to_owned()),
        ..settings(folder)
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().unwrap().block_on(future)
}

/// Offers `version` to a host that starts; what is in force then, and whether an alarm says that the disk refused.
fn start(folder: &Path, state: &Path, version: u64) -> (u64, bool) {
    block_on(async {
        let settings = settings_of(folder, state);
        let opened = PolicyKeeper::open_with(settings, Hand::at(NOW), offered(folder, version));
        match opened.await {
            Ok((keeper, in_force)) => {
                let alarm = keeper.alarm().map(|alarm| alarm.code);
                assert!(
                    matches!(alarm, None | Some("provision.memory.write")),
                    "{alarm:?}"
                );
                (standing(&in_force)[1], alarm.is_some())
            }
            Err(error) => {
                assert_eq!(error.code(), "provision.memory.write", "{error}");
                (0, true)
            }
        }
    })
}

/// What is in force where nothing is offered.
fn after_restart(folder: &Path, state: &Path) -> u64 {
    block_on(async {
        match PolicyKeeper::open(settings_of(folder, state), Hand::at(NOW)).await {
            Ok((_, in_force)) => standing(&in_force)[1],
            Err(error) => {
                assert_eq!(error.code(), "policy.nothing_offered", "{error}");
                0
            }
        }
    })
}

/// The folder of the host, in a process that one of these tests started to run itself on a small disk.
fn as_child() -> Option<PathBuf> {
    std::env::var_os(FOLDER).map(PathBuf::from)
}

/// Runs `test` in a process of its own, which finds itself to be the child.
fn child(test: &str, folder: &Path, before: &str) -> Output {
    let test = [test, "--exact", "--nocapture"];
    Command::new("sh")
        .args(["-c", &format!("{before}; exec \"$0\" \"$@\"")])
        .arg(std::env::current_exe().unwrap())
        .args(test)
        .env(FOLDER, folder)
        .output()
        .unwrap()
}

fn told(output: &Output) -> (u64, bool) {
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    let told = text.lines().find_map(|line| line.strip_prefix("told "));
    let Some((version, refused)) = told.and_then(|told| told.split_once(' ')) else {
        panic!("{text}{errors}");
    };
    (version.parse().unwrap(), refused == "true")
}

/// The disk ends at ever later points of what is written, so that each kind of write fails once: the limit of a file's size takes no
/// privilege, and makes the write fail that would pass it.
#[test]
fn a_disk_that_is_full_at_any_point_leaves_what_was_in_force() {
    const SELF: &str = "a_disk_that_is_full_at_any_point_leaves_what_was_in_force";
    if let Some(folder) = as_child() {
        return takes_the_large_one(&folder);
    }
    let blocks_of_512 = [
        0, 1, 8, 700, 2000, 2200, 2700, 3200, 3700, 4200, 6000, 20_000,
    ];
    for fresh in [true, false] {
        let mut refusals = 0;
        for limit in blocks_of_512 {
            let (_team, host) = host_with_offers();
            let before = if fresh {
                0
            } else {
                start(host.folder(), &host.state(), 1).0
            };
            let limited = format!("trap '' XFSZ; ulimit -f {limit}");
            let (in_force, refused) = told(&child(SELF, host.folder(), &limited));
            let expected = if refused { before } else { 2 };
            assert_eq!(in_force, expected, "{limit} blocks");
            let found = after_restart(host.folder(), &host.state());
            assert!(found == before || found == 2, "{limit} blocks: {found}");
            assert!(refused || found == 2, "{limit} blocks: forgotten");
            assert_eq!(
                start(host.folder(), &host.state(), 2),
                (2, false),
                "with room again"
            );
            refusals += u32::from(refused);
        }
        assert!(
            (3..12).contains(&refusals),
            "{refusals} of the limits were met"
        );
    }
}

fn takes_the_large_one(folder: &Path) {
    let (version, refused) = start(folder, &folder.join("state"), 2);
    println!("\ntold {version} {refused}");
}

/// A file system that is really full, where the kernel lets this user mount one.
#[test]
fn a_full_file_system_leaves_what_was_in_force() {
    const SELF: &str = "a_full_file_system_leaves_what_was_in_force";
    if let Some(folder) = as_child() {
        return fills_a_small_file_system(&folder);
    }
    let (_team, host) = host_with_offers();
    let mount = "mount -t tmpfs -o size=1600k tmpfs \"$NARTHEX_TEST_HOST/state\"";
    let mounted = format!("unshare --user --map-root-user --mount sh -c '{mount}' || exit 77");
    if child("--list", host.folder(), &mounted).status.code() == Some(77) {
        println!(
            "this kernel lets this user mount nothing: only the limit of a file's size was tested"
        );
        return;
    }
    let test = std::env::current_exe().unwrap();
    let within = format!(
        "exec unshare --user --map-root-user --mount sh -c '{mount} && exec \"$0\" \"$@\"' {:?} {SELF} --exact --nocapture",
        test.display()
    );
    let output = child("", host.folder(), &within);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(text.contains("1 passed"), "{text}");
}

fn fills_a_small_file_system(folder: &Path) {
    let state = folder.join("state");
    assert_eq!(start(folder, &state, 1), (1, false));
    let filler = state.join("filler");
    let mut room = 1_600_000;
    while room > 0 && fs::write(&filler, vec![1; room]).is_err() {
        room -= 4096;
    }
    assert_eq!(start(folder, &state, 2), (1, true), "full");
    assert_eq!(after_restart(folder, &state), 1);
    fs::remove_file(filler).unwrap();
    assert_eq!(start(folder, &state, 1), (1, false));
}

/// A directory that its reader may not write: what is remembered there can still be obeyed, and nothing newer.
#[test]
fn a_read_only_directory_leaves_what_was_in_force() {
    let (team, host) = host_with_offers();
    let (folder, state) = (host.folder().to_owned(), host.state());
    assert_eq!(start(&folder, &state, 1), (1, false));
    for path in [folder.as_path(), state.as_path()] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o555)).unwrap();
    }
    for name in ["policy.redb", "policy.lock"] {
        fs::set_permissions(state.join(name), fs::Permissions::from_mode(0o444)).unwrap();
    }
    let unprivileged = thread::spawn(move || {
        give_up_privileges();
        assert!(
            fs::write(state.join("policy.redb"), b"").is_err(),
            "not read only"
        );
        assert_eq!(
            start(&folder, &state, 1),
            (1, false),
            "nothing new needs no writing"
        );
        assert_eq!(start(&folder, &state, 2), (1, true));
        assert_eq!(after_restart(&folder, &state), 1);
        block_on(keeps_what_it_has(&folder, &state));
    });
    let done = unprivileged.join();
    fs::set_permissions(host.folder(), fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(host.state(), fs::Permissions::from_mode(0o755)).unwrap();
    done.unwrap();
    drop(team);
}

async fn keeps_what_it_has(folder: &Path, state: &Path) {
    let settings = settings_of(folder, state);
    let (mut keeper, _) = PolicyKeeper::open(settings, Hand::at(NOW)).await.unwrap();
    let Refreshed::Refused(error) = keeper.take(offered(folder, 2)).await else {
        panic!("taken");
    };
    assert_eq!(error.code(), "provision.memory.write");
    assert_eq!(keeper.files(), &offered(folder, 1));
}

/// Whoever runs the tests as root reads and writes everything: this thread, and those that it starts, go on as nobody.
fn give_up_privileges() {
    use rustix::{process::getuid, thread::set_thread_res_uid};
    if getuid().is_root() {
        let nobody = rustix::process::Uid::from_raw(65_534);
        set_thread_res_uid(nobody, nobody, nobody).unwrap();
    }
}
