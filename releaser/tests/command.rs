//! The command: what it prints, what it refuses, that the shipped one starts, gives a nonce over TLS, refuses simulated evidence, and ends.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod support;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, client::conn::http1};
use hyper_util::rt::TokioIo;
use protocol::key_release::{KEY_REQUEST_MEDIA_TYPE, KeyId};
use provision::Https;
use releaser::{Config, config};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    fs,
    io::{BufRead, BufReader, Read},
    net::SocketAddr,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, Command, Output, Stdio},
    sync::Arc,
    time::Duration,
};
use support::{Asking, CHALLENGE, RELEASE, VENDOR, random, write_key};
use tee_sim::{Machine, PolicySigner, PolicyText};
use tokio::net::TcpStream;

const PUBLIC_KEY_PREFIX: [u8; 12] = [
    0x30, 0x2A, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x03, 0x21, 0x00,
];
const NOW: attestation::UnixTime = attestation::UnixTime(0);
const NEVER: attestation::UnixTime = attestation::UnixTime(4_000_000_000);

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_narthex-releaser"));
    command.args(arguments);
    command
}

fn run(arguments: &[&str]) -> Output {
    command(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A folder with all that a releaser needs, and its configuration.
fn folder(machine: &Machine, key: &[u8; 32], model: &[u8; 32]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    fs::write(path.join("tls.crt"), made.cert.pem()).unwrap();
    fs::write(path.join("tls.key"), made.signing_key.serialize_pem()).unwrap();
    let signer = PolicySigner::generate();
    let policy = PolicyText::admitting(machine.report(), NOW, NEVER).to_toml();
    fs::write(
        path.join("policy.json"),
        signer.signed_policy(&policy).to_json(),
    )
    .unwrap();
    fs::write(path.join("policy.pem"), public_key_pem(&signer)).unwrap();
    fs::create_dir(path.join("keys")).unwrap();
    fs::create_dir(path.join("state")).unwrap();
    write_key(&path.join("keys"), key, model);
    let config = r#"
listen = "127.0.0.1:0"
keys = "keys"
tls = { certificate = "tls.crt", key = "tls.key" }
policy = { source = "policy.json", keys = ["policy.pem"], state = "state" }
"#;
    fs::write(path.join("releaser.toml"), config).unwrap();
    folder
}

/// 44 bytes: one line of base64.
fn public_key_pem(signer: &PolicySigner) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let der = [&PUBLIC_KEY_PREFIX[..], &signer.public_key()].concat();
    let line = STANDARD.encode(der);
    format!("-----BEGIN PUBLIC KEY-----\n{line}\n-----END PUBLIC KEY-----\n")
}

fn of_any_machine() -> tempfile::TempDir {
    folder(&Machine::new(&VENDOR), &random(), &random())
}

fn check(folder: &Path) -> Output {
    let path = folder.join("releaser.toml");
    run(&["--config", path.to_str().unwrap(), "--check-config"])
}

#[test]
fn the_printed_defaults_are_a_configuration() {
    let output = run(&["--print-config-defaults"]);
    assert!(output.status.success());
    assert_eq!(text(&output.stdout).trim_end(), config::DEFAULTS.trim_end());
    let config = Config::parse(config::DEFAULTS, Path::new("/")).unwrap();
    assert_eq!(config.limits, releaser::Limits::default());
}

#[test]
fn a_task_is_needed() {
    assert_eq!(run(&[]).status.code(), Some(2));
    assert_eq!(run(&["--check-config"]).status.code(), Some(2));
}

#[test]
fn a_good_configuration_is_good() {
    let folder = of_any_machine();
    let output = check(folder.path());
    assert!(output.status.success(), "{}", text(&output.stderr));
    let said = text(&output.stdout);
    assert!(said.contains("keys 1, policy version 1"), "{said}");
}

#[test]
fn every_file_that_is_named_is_looked_at() {
    for name in ["tls.crt", "tls.key", "policy.json", "policy.pem", "keys"] {
        let folder = of_any_machine();
        let (path, away) = (folder.path().join(name), folder.path().join("away"));
        fs::rename(path, away).unwrap();
        let output = check(folder.path());
        assert_eq!(output.status.code(), Some(2), "{name}");
        let said = text(&output.stderr);
        assert!(said.contains(name), "{name}: {said}");
    }
    let folder = of_any_machine();
    let keys = fs::read_dir(folder.path().join("keys")).unwrap();
    let key = keys.last().unwrap().unwrap().path();
    fs::set_permissions(key, fs::Permissions::from_mode(0o644)).unwrap();
    let output = check(folder.path());
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("0600"));
}

#[test]
fn every_mistake_is_told_at_once() {
    let bad = r#"
listen = "here"
keys = "keys"
tls = { certificate = "a", key = "b" }
policy = { source = "gateway", state = "state", refresh_seconds = 0 }
limits = { max_nonces = 0, burst = 0, period_ms = 0, max_appraisals = 0, nonce_seconds = 4000 }
log = { format = "xml" }
"#;
    let error = Config::parse(bad, Path::new("/")).unwrap_err().to_string();
    for field in [
        "listen",
        "policy.source",
        "policy.refresh_seconds",
        "policy.root",
        "limits.max_nonces",
        "limits.burst",
        "limits.period_ms",
        "limits.max_appraisals",
        "limits.nonce_seconds",
        "log.format",
    ] {
        assert!(error.contains(&format!("{field}: ")), "{field}: {error}");
    }
    let unknown = format!("simulated = true\n{}", config::DEFAULTS);
    assert!(Config::parse(&unknown, Path::new("/")).is_err());
}

/// A running one; ended when it is dropped.
struct Running {
    child: Child,
    address: SocketAddr,
    log: std::thread::JoinHandle<String>,
}

impl Running {
    fn start(folder: &Path) -> Self {
        let path = folder.join("releaser.toml");
        let mut child = command(&["--config", path.to_str().unwrap()])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stderr = child.stderr.take().unwrap();
        let log = std::thread::spawn(move || {
            let mut log = String::new();
            stderr.read_to_string(&mut log).unwrap();
            log
        });
        let mut line = String::new();
        let stdout = child.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on https://");
        let address = address.unwrap_or_else(|| panic!("{line}")).parse();
        Self {
            child,
            address: address.unwrap(),
            log,
        }
    }

    /// Tells it to end, waits, and gives what it wrote down.
    fn end(mut self) -> String {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::TERM).unwrap();
        assert!(self.child.wait().unwrap().success());
        self.log.join().unwrap()
    }
}

async fn post(folder: &Path, address: SocketAddr, path: &str, body: Vec<u8>) -> (u16, Vec<u8>) {
    let tls = tls(&fs::read(folder.join("tls.crt")).unwrap());
    let stream = TcpStream::connect(address).await.unwrap();
    let name = "localhost".try_into().unwrap();
    let stream = tokio_rustls::TlsConnector::from(tls)
        .connect(name, stream)
        .await
        .unwrap();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let request = Request::post(path)
        .header("host", "localhost")
        .header("content-type", KEY_REQUEST_MEDIA_TYPE)
        .body(Full::new(Bytes::from(body)))
        .unwrap();
    let response = sender.send_request(request).await.unwrap();
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, body.to_vec())
}

fn tls(certificate_pem: &[u8]) -> Arc<rustls::ClientConfig> {
    use rustls::pki_types::{CertificateDer, pem::PemObject};
    let mut roots = rustls::RootCertStore::empty();
    let certificate = CertificateDer::from_pem_slice(certificate_pem).unwrap();
    roots.add(certificate).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap();
    Arc::new(builder.with_root_certificates(roots).with_no_client_auth())
}

/// What a runtime asks a releaser with.
#[tokio::test]
async fn a_client_trusts_the_roots_that_it_was_given_and_no_others() {
    let (folder, other) = (of_any_machine(), of_any_machine());
    let running = Running::start(folder.path());
    let url = format!("https://localhost:{}{CHALLENGE}", running.address.port());
    let empty = other.path().join("empty.pem");
    fs::write(&empty, "").unwrap();
    for (roots, outcome) in [
        (Some(folder.path().join("tls.crt")), Ok(200)),
        (Some(other.path().join("tls.crt")), Err("https.unreachable")),
        (None, Err("https.unreachable")),
        (Some(empty), Err("https.roots")),
        (
            Some(other.path().join("absent")),
            Err("provision.file.read"),
        ),
    ] {
        let asked = ask_trusting(roots.as_deref(), &url).await;
        assert_eq!(asked, outcome, "{roots:?}");
    }
    running.end();
}

async fn ask_trusting(roots: Option<&Path>, url: &str) -> Result<u16, &'static str> {
    let https = Https::new(roots, Duration::from_secs(30)).map_err(|error| error.code())?;
    let request = Request::post(url).body(Bytes::new()).unwrap();
    let answer = https.send(request, 4096).await;
    let answer = answer.map_err(|error| error.code())?;
    Ok(answer.status().as_u16())
}

#[test]
fn a_core_of_it_is_not_dumped() {
    let folder = of_any_machine();
    let running = Running::start(folder.path());
    let limits = fs::read_to_string(format!("/proc/{}/limits", running.child.id())).unwrap();
    running.end();
    let core = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max core file size"));
    let core: Vec<&str> = core.unwrap().split_whitespace().collect();
    assert_eq!(core, ["0", "0", "bytes"]);
}

#[tokio::test]
async fn what_ships_refuses_simulated_evidence_and_ends_when_told() {
    let machine = Machine::new(&VENDOR);
    let (key, model) = (random(), random());
    let folder = folder(&machine, &key, &model);
    let running = Running::start(folder.path());
    let (status, nonce) = post(folder.path(), running.address, CHALLENGE, Vec::new()).await;
    assert_eq!(status, 200);
    let nonce = attestation::Nonce(nonce.try_into().unwrap());
    let key_id = sealed_model::ModelKey::copy_of(&key).unwrap().id();
    let node = Asking::new(&machine, nonce, KeyId(key_id.0), model);
    let request = node.request().to_cbor();
    let (status, _) = post(folder.path(), running.address, RELEASE, request).await;
    assert_eq!(status, 403);
    let log = running.end();
    assert!(log.contains("key.refused"), "{log}");
    assert!(log.contains("code=\"snp."), "{log}");
    assert!(!log.contains("key.released"), "{log}");
    assert!(log.contains("draining"), "{log}");
}
