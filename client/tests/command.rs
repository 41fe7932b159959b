//! The shipped command: statuses, messages, files; and that it refuses simulated evidence.

use crate::fake::{Fault, Gateway, MODEL, Node};
use crate::narthex::{Run, command, narthex, run, run_with_input};
use attestation::Nonce;
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};
use tee_sim::PolicySigner;

/// A folder with the policy of a node, signed by alice, and her public key.
struct Folder(tempfile::TempDir);

impl Folder {
    fn of(node: &Node) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        folder.write("policy.toml", node.policy_text().to_toml().as_bytes());
        folder.accept(&["policy", "keygen", "alice"]);
        folder.accept(&[
            "policy",
            "sign",
            "--key",
            "alice.pem",
            "policy.toml",
            "-o",
            "policy.json",
        ]);
        folder
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.file(name), bytes).unwrap();
    }

    fn run(&self, arguments: &[&str]) -> Run {
        narthex(self.path(), arguments)
    }

    fn accept(&self, arguments: &[&str]) -> Run {
        let run = self.run(arguments);
        assert_eq!(run.status, 0, "{arguments:?}: {run:?}");
        run
    }

    /// `chat` with the policy, against `url`.
    fn chat(&self, url: &str, more: &[&str]) -> Run {
        let mut arguments = vec!["chat", "--gateway", url];
        arguments.extend(["--policy", "policy.json", "--policy-key", "alice.pub.pem"]);
        arguments.extend(more);
        self.run(&arguments)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_shipped_command_refuses_simulated_evidence() {
    let gateway = Gateway::start(vec![Node::new("node-a")]).await;
    let folder = Folder::of(&gateway.nodes[0]);
    let chat = folder.chat(&gateway.url, &["never sealed"]);
    assert_eq!(chat.status, 10, "{chat:?}");
    assert_eq!(chat.stdout, "");
    assert!(chat.stderr.contains("FAIL  snp.chain."), "{chat:?}");
    assert!(chat.stderr.contains("error[snp.chain."), "{chat:?}");

    let json = folder.chat(&gateway.url, &["--json", "--model", MODEL, "never sealed"]);
    assert_eq!(json.status, 10);
    assert_eq!(json.json()["verdict"], "rejected");
    assert!(
        json.json()["error"]["code"]
            .as_str()
            .unwrap()
            .starts_with("snp.chain.")
    );

    let arguments = [
        "proxy",
        "--gateway",
        &gateway.url,
        "--policy",
        "policy.json",
        "--policy-key",
        "alice.pub.pem",
    ];
    assert_eq!(folder.run(&arguments).status, 10);
    assert_eq!(gateway.calls("relay"), 0, "nothing was sealed");
}

#[test]
fn a_simulated_bundle_is_rejected() {
    let node = Node::new("node-a");
    let folder = Folder::of(&node);
    folder.write("node.bundle", &node.bundle(&Nonce([7; 32])).to_cbor());
    let verify = folder.run(&["verify", "bundle", "node.bundle"]);
    assert_eq!(verify.status, 10, "{verify:?}");
    assert!(
        verify.last_line().starts_with("REJECTED  snp.chain."),
        "{verify:?}"
    );
    assert!(
        verify.stdout.contains("\nSKIP  binding.report_data"),
        "{verify:?}"
    );
    folder.write("cut.bundle", &node.bundle(&Nonce([7; 32])).to_cbor()[1..]);
    let cut = folder.run(&["verify", "bundle", "cut.bundle"]);
    assert_eq!(cut.status, 30, "{cut:?}");
    let none = folder.run(&["receipt", "show", "node.bundle"]);
    assert_told(&none, 30, "receipt.malformed");
}

/// That the run ended with `status` and said `code` and what to do.
fn assert_told(run: &Run, status: i32, code: &str) {
    assert_eq!(run.status, status, "{run:?}");
    assert!(run.stderr.contains(&format!("error[{code}]")), "{run:?}");
    assert!(run.stderr.contains("what to do: "), "{run:?}");
}

#[test]
fn what_is_missing_is_said() {
    let folder = Folder::of(&Node::new("node-a"));
    let chat = |more: &[&str]| {
        let at = ["chat", "--gateway", "http://127.0.0.1:1", "hi"];
        folder.run(&[&at[..], more].concat())
    };
    assert_told(&chat(&[]), 2, "policy.absent");
    assert_told(
        &chat(&["--policy", "policy.json"]),
        2,
        "policy.root.no_keys",
    );
    let unsigned = ["--policy", "policy.toml", "--policy-key", "alice.pub.pem"];
    assert_told(&chat(&unsigned), 30, "policy.signature.malformed");
    let private = ["--policy", "policy.json", "--policy-key", "alice.pem"];
    assert_told(&chat(&private), 30, "provision.public_key.private");
    let listen = [
        "proxy",
        "--gateway",
        "http://127.0.0.1:1",
        "--listen",
        "0.0.0.0:0",
    ];
    assert_told(&folder.run(&listen), 2, "proxy.listen");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_with_the_gateway_is_said() {
    let gateway = Gateway::start(vec![Node::new("node-a")]).await;
    let folder = Folder::of(&gateway.nodes[0]);
    gateway.fault(Fault::BadOffers);
    for (url, status, code) in [
        ("http://192.0.2.1", 2, "gateway.plaintext"),
        ("gateway", 2, "gateway.url"),
        ("http://127.0.0.1:1", 1, "gateway.unreachable"),
        (&gateway.url, 30, "gateway.answer"),
    ] {
        assert_told(&folder.chat(url, &["hi"]), status, code);
    }
}

#[test]
fn flags_come_from_the_environment_too() {
    let folder = Folder::of(&Node::new("node-a"));
    let mut with = command(folder.path());
    with.args([
        "chat",
        "--policy",
        "policy.json",
        "--policy-key",
        "alice.pub.pem",
        "hi",
    ])
    .env("NARTHEX_GATEWAY", "http://192.0.2.1")
    .env("NARTHEX_API_KEY", "secret-key")
    .current_dir(folder.path());
    let with = run(&mut with);
    assert!(with.stderr.contains("gateway.plaintext"), "{with:?}");
    assert!(!with.stderr.contains("secret-key"), "{with:?}");
    let mut help = command(folder.path());
    let help = run(help
        .args(["chat", "--help"])
        .env("NARTHEX_API_KEY", "secret-key"));
    assert_eq!(help.status, 0);
    assert!(!help.stdout.contains("secret-key") && help.stdout.contains("Examples:"));
}

#[test]
fn keys_are_private_and_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let made = narthex(folder.path(), &["policy", "keygen", "alice"]);
    assert_eq!(made.status, 0, "{made:?}");
    let mode = |name: &str| {
        let metadata = fs::metadata(folder.path().join(name)).unwrap();
        metadata.permissions().mode() & 0o777
    };
    assert_eq!(mode("alice.pem"), 0o600);
    assert_ne!(mode("alice.pub.pem") & 0o400, 0);
    let before = fs::read(folder.path().join("alice.pem")).unwrap();
    let again = narthex(folder.path(), &["policy", "keygen", "alice"]);
    assert_eq!(again.status, 2, "{again:?}");
    assert_eq!(fs::read(folder.path().join("alice.pem")).unwrap(), before);
}

#[test]
fn signatures_are_counted_by_distinct_keys() {
    let folder = Folder::of(&Node::new("node-a"));
    folder.accept(&["policy", "keygen", "bob"]);
    let both = [
        "policy",
        "verify",
        "--policy-key",
        "alice.pub.pem",
        "--policy-key",
        "bob.pub.pem",
        "policy.json",
    ];
    let one_of_two = folder.run(&both);
    assert_eq!(one_of_two.status, 10, "{one_of_two:?}");
    assert_eq!(one_of_two.last_line(), "REJECTED  policy.signature.too_few");
    let threshold = [&both[..], &["--policy-threshold", "1"]].concat();
    folder.accept(&threshold);
    assert_eq!(
        folder
            .run(&[&both[..], &["--policy-threshold", "3"]].concat())
            .status,
        2
    );
    folder.accept(&[
        "policy",
        "sign",
        "--key",
        "alice.pem",
        "policy.json",
        "-o",
        "twice.json",
    ]);
    let twice = [&both[..both.len() - 1], &["twice.json"]].concat();
    assert_eq!(
        folder.run(&twice).status,
        10,
        "one key signing twice counts once"
    );
    folder.accept(&[
        "policy",
        "sign",
        "--key",
        "bob.pem",
        "policy.json",
        "-o",
        "policy.json",
    ]);
    folder.accept(&both);
    let json = folder.accept(&[&both[..], &["--json"]].concat()).json();
    assert_eq!(json["claims"]["version"], 1);
}

#[test]
fn a_changed_policy_is_rejected_everywhere() {
    let folder = Folder::of(&Node::new("node-a"));
    let mut envelope: serde_json::Value =
        serde_json::from_slice(&fs::read(folder.file("policy.json")).unwrap()).unwrap();
    let payload = envelope["payload"].as_str().unwrap().to_owned();
    envelope["payload"] = format!("Y{}", &payload[1..]).replacen("Yz", "Yy", 1).into();
    assert_ne!(envelope["payload"], payload.as_str());
    folder.write("policy.json", envelope.to_string().as_bytes());
    let chat = folder.chat("http://127.0.0.1:1", &["hi"]);
    assert_eq!(chat.status, 10, "{chat:?}");
    let verify = folder.run(&[
        "policy",
        "verify",
        "--policy-key",
        "alice.pub.pem",
        "policy.json",
    ]);
    assert_eq!(verify.status, 10, "{verify:?}");
    assert!(
        verify.last_line().contains("policy.signature."),
        "{verify:?}"
    );
}

#[test]
fn an_older_policy_than_the_newest_one_used_is_not_obeyed() {
    let folder = Folder::of(&Node::new("node-a"));
    let text = fs::read_to_string(folder.file("policy.toml")).unwrap();
    folder.write(
        "newer.toml",
        text.replace("version = 1\nname", "version = 2\nname")
            .as_bytes(),
    );
    folder.accept(&[
        "policy",
        "sign",
        "--key",
        "alice.pem",
        "newer.toml",
        "-o",
        "newer.json",
    ]);
    let chat = |policy: &str, state: &[&str]| {
        let mut arguments = vec![
            "chat",
            "--gateway",
            "http://127.0.0.1:1",
            "--policy",
            policy,
        ];
        arguments.extend(["--policy-key", "alice.pub.pem", "hi"]);
        arguments.extend(state);
        folder.run(&arguments)
    };
    assert!(
        chat("newer.json", &[])
            .stderr
            .contains("gateway.unreachable")
    );
    // The newest one stays in force, and an alarm says so.
    let older = chat("policy.json", &[]);
    for told in ["note: ALARM: ", "[policy.rollback]", "gateway.unreachable"] {
        assert!(older.stderr.contains(told), "{older:?}");
    }
    let elsewhere = chat("policy.json", &["--state", "elsewhere"]);
    assert!(!elsewhere.stderr.contains("ALARM"), "{elsewhere:?}");
    assert!(
        elsewhere.stderr.contains("gateway.unreachable"),
        "{elsewhere:?}"
    );
}

#[test]
fn lint_tells_every_mistake_and_remarks_without_rejecting() {
    let folder = Folder::of(&Node::new("node-a"));
    let good = folder.accept(&["policy", "lint", "policy.toml"]);
    assert!(
        good.stdout.contains("\nINFO  policy.lint.no_models  "),
        "{good:?}"
    );
    folder.accept(&["policy", "lint", "policy.json"]);
    let text = fs::read_to_string(folder.file("policy.toml")).unwrap();
    let bad = text.replace("vmpl = [0]", "vmpl = []\nvpml = 1");
    folder.write("bad.toml", bad.as_bytes());
    let bad = folder.run(&["policy", "lint", "bad.toml"]);
    assert_eq!(bad.status, 30, "{bad:?}");
    for code in [
        "policy.document.empty_list",
        "policy.document.unknown_field",
    ] {
        assert!(
            bad.stdout.contains(&format!("FAIL  {code}  ")),
            "{code}: {bad:?}"
        );
    }
    let codes = "MALFORMED  policy.document.empty_list, policy.document.unknown_field";
    assert_eq!(bad.last_line(), codes);
    let sign = folder.run(&["policy", "sign", "--key", "alice.pem", "bad.toml"]);
    assert_told(&sign, 30, "policy.document.empty_list");
    assert_eq!(
        sign.stderr.matches("policy.document.empty_list").count(),
        1,
        "{sign:?}"
    );
    assert_eq!(
        sign.status, 30,
        "what no client could read is not signed: {sign:?}"
    );
}

#[test]
fn an_envelope_of_another_signer_is_rejected() {
    let node = Node::new("node-a");
    let folder = Folder::of(&node);
    let envelope = node.signed_policy(&PolicySigner::generate());
    folder.write("other.json", envelope.to_json().as_bytes());
    let verify = folder.run(&[
        "policy",
        "verify",
        "--policy-key",
        "alice.pub.pem",
        "other.json",
    ]);
    assert_eq!(verify.status, 10, "{verify:?}");
}

#[test]
fn usage_is_told_as_json_too() {
    let folder = tempfile::tempdir().unwrap();
    let run = narthex(folder.path(), &["verify", "snp", "--at", "x", "--json"]);
    assert_eq!((run.status, run.stderr.as_str()), (2, ""), "{run:?}");
    let document = run.json();
    assert_eq!(document["exit"], 2);
    assert_eq!(document["error"]["code"], "usage");
}

#[test]
fn completions_and_help_are_there() {
    let folder = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish"] {
        let script = narthex(folder.path(), &["completion", shell]);
        assert_eq!(script.status, 0);
        assert!(script.stdout.contains("policy-threshold"), "{shell}");
    }
    let help = narthex(folder.path(), &["--help"]);
    assert!(help.stdout.contains("Exit status:"));
    assert_eq!(narthex(folder.path(), &["--version"]).status, 0);
    assert_eq!(narthex::<&str>(folder.path(), &[]).status, 2);
}

#[test]
fn a_reader_that_leaves_is_no_panic() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = command(folder.path())
        .args(["completion", "zsh"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}

#[test]
fn the_question_may_come_on_standard_input() {
    let folder = Folder::of(&Node::new("node-a"));
    let mut chat = command(folder.path());
    chat.args([
        "chat",
        "--gateway",
        "http://127.0.0.1:1",
        "--policy",
        "policy.json",
    ])
    .args(["--policy-key", "alice.pub.pem"])
    .current_dir(folder.path());
    let asked = run_with_input(&mut chat, b"from a pipe");
    assert!(asked.stderr.contains("gateway.unreachable"), "{asked:?}");
    let garbled = run_with_input(&mut chat, b"\xff");
    assert_eq!(garbled.status, 30, "{garbled:?}");
}
