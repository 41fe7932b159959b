//! The command: what it prints, what it refuses, and that the shipped one starts, is not ready without admitted nodes, and ends.

use rustix::process::{Pid, Signal, kill_process};
use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Output, Stdio},
};
use tee_sim::PolicySigner;

const PUBLIC_KEY_PREFIX: [u8; 12] = [
    0x30, 0x2A, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x03, 0x21, 0x00,
];

fn gateway(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_narthex-gateway"));
    command.args(arguments);
    command
}

fn run(arguments: &[&str]) -> Output {
    gateway(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A folder with all that a gateway needs, and its configuration.
fn folder() -> tempfile::TempDir {
    folder_signed_by(&PolicySigner::generate())
}

fn folder_signed_by(signer: &PolicySigner) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    fs::write(path.join("tls.crt"), made.cert.pem()).unwrap();
    fs::write(path.join("tls.key"), made.signing_key.serialize_pem()).unwrap();
    let envelope = signer.signed_policy(&policy(1)).to_json();
    fs::write(path.join("policy.json"), envelope).unwrap();
    fs::write(path.join("policy.pem"), public_key_pem(signer)).unwrap();
    fs::write(path.join("gateway.toml"), config(path)).unwrap();
    folder
}

fn policy(version: u64) -> String {
    use attestation::{UnixTime, snp::Product};
    let report = tee_sim::Report::of(Product::Genoa);
    let text = tee_sim::PolicyText::admitting(&report, UnixTime(0), UnixTime(4_000_000_000));
    tee_sim::PolicyText { version, ..text }.to_toml()
}

fn public_key_pem(signer: &PolicySigner) -> String {
    let der = [&PUBLIC_KEY_PREFIX[..], &signer.public_key()].concat();
    rustls_pem(&der)
}

/// 44 bytes: one line of base64.
fn rustls_pem(der: &[u8]) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
        STANDARD.encode(der)
    )
}

fn config(folder: &Path) -> String {
    let folder = folder.display();
    let digest = "0".repeat(64);
    format!(
        r#"
listen = "127.0.0.1:0"
admin_listen = "127.0.0.1:0"
tls = {{ certificate = "{folder}/tls.crt", key = "{folder}/tls.key" }}
policy = {{ source = "{folder}/policy.json", keys = ["{folder}/policy.pem"], state = "{folder}" }}
api_keys = [{{ name = "tests", sha256 = "{digest}" }}]
nodes = [{{ name = "node-1", upstream = "127.0.0.1:1" }}]
"#
    )
}

#[test]
fn the_printed_defaults_are_a_configuration() {
    let output = run(&["--print-config-defaults"]);
    assert!(output.status.success());
    gateway::Config::from_toml(&text(&output.stdout)).unwrap();
}

#[test]
fn a_task_is_needed() {
    assert_eq!(run(&[]).status.code(), Some(2));
    assert_eq!(run(&["--check-config"]).status.code(), Some(2));
}

#[test]
fn a_good_configuration_is_good() {
    let folder = folder();
    let path = folder.path().join("gateway.toml");
    let output = run(&["--config", path.to_str().unwrap(), "--check-config"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("policy version 1"));
}

#[test]
fn a_bad_configuration_is_refused_with_all_its_mistakes() {
    let folder = folder();
    let path = folder.path().join("gateway.toml");
    let broken = config(folder.path())
        .replace("127.0.0.1:1\"", "nowhere\"")
        .replace("\"node-1\"", "\"Node\"");
    fs::write(&path, broken).unwrap();
    let output = run(&["--config", path.to_str().unwrap(), "--check-config"]);
    assert_eq!(output.status.code(), Some(2));
    let complaint = text(&output.stderr);
    assert!(
        complaint.contains("nodes[0].name") && complaint.contains("nodes[0].upstream"),
        "{complaint}"
    );
}

#[test]
fn an_unsigned_policy_is_refused_before_anything_is_served() {
    let folder = folder();
    let other = PolicySigner::generate();
    fs::write(folder.path().join("policy.pem"), public_key_pem(&other)).unwrap();
    let path = folder.path().join("gateway.toml");
    let output = run(&["--config", path.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
}

#[test]
fn the_command_says_that_it_listens_and_ends_on_a_signal() {
    for signal in [Signal::TERM, Signal::INT] {
        let folder = folder();
        let path = folder.path().join("gateway.toml");
        let mut child = gateway(&["--config", path.to_str().unwrap()])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let line = first_line(&mut child);
        kill_process(Pid::from_child(&child), signal).unwrap();
        let ended = child.wait().unwrap();
        assert!(
            line.starts_with("listening on https://127.0.0.1:"),
            "{line}"
        );
        assert!(ended.success(), "{signal:?}: {ended}");
    }
}

/// A running gateway that looks for newer documents when it is told to, else once an hour.
struct Running {
    child: Child,
    admin: String,
}

impl Running {
    fn start(folder: &Path) -> Self {
        let path = folder.join("gateway.toml");
        let seldom = config(folder).replace("policy = {", "policy = { refresh_seconds = 3600,");
        fs::write(&path, seldom).unwrap();
        let mut child = gateway(&["--config", path.to_str().unwrap()])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let line = first_line(&mut child);
        let (_, admin) = line.split_once("admin http://").unwrap();
        let admin = admin.trim_end_matches(")\n").to_owned();
        Self { child, admin }
    }

    /// Tells it to look, and waits until a metric has come or gone.
    fn look_until(&self, line: &str, is_there: bool) {
        kill_process(Pid::from_child(&self.child), Signal::HUP).unwrap();
        for _ in 0..600 {
            let metrics = self.metrics();
            if metrics.lines().any(|found| found == line) == is_there {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        unreachable!("{line} in {}", self.metrics());
    }

    fn metrics(&self) -> String {
        let mut stream = TcpStream::connect(&self.admin).unwrap();
        let request = b"GET /metrics HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
        stream.write_all(request).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// R8.8.
#[test]
fn a_hang_up_brings_newer_documents_into_force_and_keeps_the_last_good_ones() {
    let (signer, stranger) = (PolicySigner::generate(), PolicySigner::generate());
    let folder = folder_signed_by(&signer);
    let publish = |signer: &PolicySigner, version| {
        let envelope = signer.signed_policy(&policy(version)).to_json();
        fs::write(folder.path().join("policy.json"), envelope).unwrap();
    };
    let running = Running::start(folder.path());
    let version = |version: u64| format!("narthex_policy_version {version}");
    let alarm = |code| format!("narthex_policy_alarm{{code=\"{code}\"}} 1");
    running.look_until(&version(1), true);
    publish(&signer, 3);
    running.look_until(&version(3), true);
    publish(&stranger, 4);
    running.look_until(&alarm("policy.signature.too_few"), true);
    publish(&signer, 2);
    running.look_until(&alarm("policy.rollback"), true);
    assert!(running.metrics().contains(&version(3)));
    publish(&signer, 4);
    running.look_until(&version(4), true);
    running.look_until(&alarm("policy.rollback"), false);
}

fn first_line(child: &mut Child) -> String {
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    line
}
