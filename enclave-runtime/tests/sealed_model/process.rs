//! The shipped binary before a server of keys that refuses: it asks so often, listens to nobody, and ends.

use crate::owner::Owner;
use attestation::{UnixTime, snp::Product};
use base64::prelude::{BASE64_STANDARD, Engine};
use std::{
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    process::{Child, Command, Output, Stdio},
    sync::mpsc::{Receiver, channel},
    time::Duration,
};
use tee_sim::{PolicySigner, PolicyText, Report};
use tempfile::TempDir;

/// Far enough for any clock that runs this.
const END: UnixTime = UnixTime(4_000_000_000);
/// For a start and two tries on a machine that has much to do.
const PATIENCE: Duration = Duration::from_secs(120);
/// What the server says beside its code, and what is in the environment: nobody's business.
const SAID: &str = "Canary-said-by-the-server";
const ENVIRONMENT: &str = "Canary-of-the-environment";

#[test]
fn a_runtime_whose_key_is_refused_serves_nobody_and_ends() {
    let owner = Owner::new();
    let (server, asked) = refusing();
    let listen = free_address();
    let folder = installed(&owner, server, (listen, 2));
    let runtime = started(&folder);
    let tries = (0..2).map_while(|_| asked.recv_timeout(PATIENCE).ok());
    let tries: Vec<String> = tries
        .inspect(|_| assert!(TcpStream::connect(listen).is_err(), "nothing says ready"))
        .collect();
    let output = runtime.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", log(&output));
    let challenge = "POST /narthex/v1/model-key/challenge ";
    assert!(tries.iter().all(|head| head.starts_with(challenge)));
    assert_eq!(tries.len() + asked.try_iter().count(), 2);
    check_log(&owner, &log(&output));
}

#[test]
fn a_runtime_that_waits_for_its_key_ends_at_once_when_told() {
    let owner = Owner::new();
    let (server, asked) = refusing();
    let folder = installed(&owner, server, (free_address(), 1000));
    let mut runtime = started(&folder);
    assert!(asked.recv_timeout(PATIENCE).is_ok(), "it asks");
    let id = rustix::process::Pid::from_child(&runtime);
    rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
    let status = runtime.wait().unwrap();
    assert_eq!(status.code(), Some(0), "it ended by itself, and well");
    assert!(asked.try_iter().count() < 900, "it did not ask to the end");
}

fn started(folder: &TempDir) -> Child {
    Command::new(env!("CARGO_BIN_EXE_narthex-runtime"))
        .arg("--config")
        .arg(folder.path().join("runtime.toml"))
        .env("NARTHEX_CANARY", ENVIRONMENT)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn check_log(owner: &Owner, log: &str) {
    let told = log.matches("model_key.refused").count();
    assert_eq!(told, 2, "the first try, and the end: {log}");
    assert!(log.contains("HTTP 403, releaser.refused"), "{log}");
    let id = hex::encode(owner.key.id().0);
    assert!(log.contains(&id), "the control: this log tells of this key");
    let key = owner.key.to_file();
    for secret in [key.trim_end(), SAID, ENVIRONMENT] {
        assert!(!log.contains(secret), "{log}");
    }
}

fn log(output: &Output) -> String {
    assert!(output.stdout.is_empty());
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// A server that refuses everybody, and the heads of what it was asked.
fn refusing() -> (SocketAddr, Receiver<String>) {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    let (asked, heads) = channel();
    let document = format!(r#"{{"code":"releaser.refused","detail":"{SAID}"}}"#);
    let length = document.len();
    let answer = format!(
        "HTTP/1.1 403 Forbidden\r\nset-cookie: {SAID}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{document}"
    );
    std::thread::spawn(move || {
        for stream in socket.incoming() {
            let mut stream = stream.unwrap();
            let mut head = [0; 4096];
            let read = stream.read(&mut head).unwrap();
            let head = String::from_utf8_lossy(&head[..read]).into_owned();
            if asked.send(head).is_err() {
                return;
            }
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    (address, heads)
}

/// One that no server of another test binds meanwhile: those are all at 127.0.0.1.
fn free_address() -> SocketAddr {
    let socket = TcpListener::bind("127.0.0.2:0").unwrap();
    socket.local_addr().unwrap()
}

/// A folder with a configuration and all that it names; its evidence would come from an empty folder, if it were asked for.
fn installed(owner: &Owner, server: SocketAddr, (listen, attempts): (SocketAddr, u32)) -> TempDir {
    let folder = TempDir::new().unwrap();
    let put = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    let signer = PolicySigner::generate();
    let text = PolicyText::admitting(&Report::of(Product::Genoa), UnixTime(1), END);
    let policy = signer.signed_policy(&text.to_toml()).to_json();
    put("policy.json", policy.as_bytes());
    put("policy.pem", public_pem(&signer.public_key()).as_bytes());
    put("owner.pem", public_pem(&owner.public_key()).as_bytes());
    fs::create_dir(folder.path().join("tsm")).unwrap();
    let model = owner.sealed.display();
    let config = format!(
        r#"
        node = "node-1"
        listen = "{listen}"
        model = "{model}"
        model_name = "tiny"
        [policy]
        source = "policy.json"
        keys = ["policy.pem"]
        [evidence]
        tsm_root = "tsm"
        [model_key]
        releaser = "http://{server}"
        owner = ["owner.pem"]
        attempts = {attempts}
        "#
    );
    put("runtime.toml", config.as_bytes());
    folder
}

/// RFC 8410: the fixed prefix of an Ed25519 SubjectPublicKeyInfo, then the key.
fn public_pem(key: &[u8; 32]) -> String {
    let prefix = hex::decode("302a300506032b6570032100").unwrap();
    let base64 = BASE64_STANDARD.encode([prefix, key.to_vec()].concat());
    format!("-----BEGIN PUBLIC KEY-----\n{base64}\n-----END PUBLIC KEY-----\n")
}
