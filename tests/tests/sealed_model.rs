//! The real model, sealed by its owner with the shipped `narthex`; its key, which only a node that the policy admits is given; an answer, and
//! its receipt. And whoever gets no key: each is told so with a stable code, and serves nobody.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod shared;

use attestation::{EvidenceBundle, Manifest, UnixTime, crypto::sha256};
use base64::prelude::{BASE64_STANDARD, Engine};
use policy::{Action, Target};
use shared::{
    Shared, model, place, programs,
    scene::{now, policy, said, until},
    start_in,
};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::OnceLock,
    time::Duration,
};
use tee_sim::Publisher;
use tests::{
    child::Process,
    fleet::{SNP_NODE, Tees},
    memory::{count, occurrences},
    publication::{self, Reader},
    sealed::{self, Owner},
    stack::{self, Directory, Inspection},
};

/// What an exchange leaves for an auditor.
const ARCHIVED: [&str; 5] = ["receipt", "opening", "bundle", "request", "response"];
/// Where the first segment of a sealed file has its ciphertext (docs/sealed-models.md).
const FIRST_CIPHERTEXT: usize = 80 + 16;

/// The model's owner: sealing takes a while, so once for all tests.
fn owner() -> &'static Owner {
    static OWNER: OnceLock<Owner> = OnceLock::new();
    OWNER.get_or_init(|| owner_in("-owner"))
}

fn owner_in(name: &str) -> Owner {
    let folder = Directory::replace(place(name)).unwrap().file("");
    Owner::seal(&programs(), folder, &model()).unwrap()
}

fn digest() -> [u8; 32] {
    sha256(&fs::read(model()).unwrap())
}

/// Files of a stack whose policy admits its nodes.
fn directory(name: &str) -> Directory {
    let directory = Directory::replace(place(name)).unwrap();
    stack::publish_policy(&directory, &programs(), &model()).unwrap();
    directory
}

/// A releaser with the owner's key, on whom the runtimes of `directory` depend.
fn releaser(directory: &Directory) -> Process {
    sealed::prepare_releaser(directory).unwrap();
    owner().leave_key(directory, &digest()).unwrap();
    asked(directory, &owner().sealed(), &owner().public_key())
}

/// A prepared releaser is started, and the runtimes of `directory` are to ask it.
fn asked(directory: &Directory, sealed: &Path, owner: &Path) -> Process {
    let releaser = sealed::start_releaser(&programs(), directory).unwrap();
    sealed::have_runtimes_ask(directory, (sealed, owner), &releaser.ready).unwrap();
    releaser
}

/// What a runtime told that ended before it was ready.
fn told_at_its_end(directory: &Directory) -> String {
    let how = (Inspection::Refused, Tees::Snp);
    let started = stack::start_runtimes(&programs(), directory, &model(), how);
    let told = started.err().expect("it is never ready").to_string();
    assert!(told.contains("ended before it was ready"), "{told}");
    told
}

/// The runtime is refused without a reason, which the releaser's log has.
fn refuses(directory: &Directory, releaser: &Process, code: &str) {
    let told = told_at_its_end(directory);
    assert!(told.contains("code=\"model_key.refused\""), "{told}");
    assert!(told.contains("HTTP 403, releaser.refused"), "{told}");
    assert!(!told.contains(code), "the peer learns no reason: {told}");
    let line = format!("event=\"key.refused\" code=\"{code}\"");
    until(&line, || said(releaser, &line));
    assert!(!said(releaser, "key.released"));
}

#[test]
fn a_sealed_model_is_served_by_an_admitted_node_and_its_key_is_in_no_log() {
    let directory = directory("-served");
    directory.write_access().unwrap();
    let releaser = releaser(&directory);
    let shared = start_in(directory, Tees::SnpAndTdx);
    ask(&shared);
    check_manifest(&shared);
    replay(&shared);
    let log = String::from_utf8_lossy(&releaser.output()).into_owned();
    assert_eq!(log.matches("event=\"key.released\"").count(), 1, "{log}");
    assert!(log.contains(&format!("node=\"{SNP_NODE}\"")), "{log}");
    let key = fs::read_to_string(owner().key_file()).unwrap();
    look_for_the_key(&shared, &releaser, key.trim_end());
}

/// A question, whose answer and receipt are verified and kept.
fn ask(shared: &Shared) {
    let stack = &shared.stack;
    let mut chat = stack.client();
    chat.arg("chat")
        .args(stack.connection("policy.json", "state-client"));
    chat.args(["--max-tokens", "8", "--temperature", "0"]);
    chat.args(archived(shared));
    let question = "What is the capital of France?";
    let output = chat.arg("--").arg(question).output().unwrap();
    let answer = stack::succeed(output).unwrap().stdout;
    assert!(String::from_utf8_lossy(&answer).contains("Paris"));
    let mut verify = stack.client();
    let output = verify.args(["receipt", "verify"]).args(archived(shared));
    stack::succeed(output.output().unwrap()).unwrap();
}

fn archived(shared: &Shared) -> Vec<String> {
    let file = |name| shared.stack.directory.text(name);
    let flags = ARCHIVED.map(|name| [format!("--{name}"), file(name)]);
    flags.into_iter().flatten().collect()
}

/// The node's evidence names the model that its owner sealed.
fn check_manifest(shared: &Shared) {
    let bundle = fs::read(shared.stack.directory.file("bundle")).unwrap();
    let bundle = EvidenceBundle::from_cbor(&bundle).unwrap();
    let manifest = Manifest::from_cbor(&bundle.manifest).unwrap();
    assert_eq!(manifest.model_digest, digest());
    let root = provision::read_trust_root(&[owner().public_key()], None).unwrap();
    let sealed = sealed_model::SealedModel::open(&owner().sealed(), &root).unwrap();
    let [file] = sealed.manifest().files() else {
        panic!("a sealed model is one file");
    };
    assert_eq!(manifest.model_digest, *file.sha256());
}

/// Whoever has the plain model finds that the sealed one gave the same tokens.
fn replay(shared: &Shared) {
    let stack = &shared.stack;
    let file = |name| stack.directory.text(name);
    let mut replay = stack.client();
    replay.args(["audit", "replay", &file("receipt")]);
    for name in ["opening", "request", "bundle"] {
        replay.args([format!("--{name}"), file(name)]);
    }
    let output = replay.arg("--model").arg(&stack.model).output().unwrap();
    stack::succeed(output).unwrap();
}

/// Logs of every role, memory of those that had the key or passed it on, and the wires.
fn look_for_the_key(shared: &Shared, releaser: &Process, key: &str) {
    let stack = &shared.stack;
    let roles = [
        ("releaser", releaser),
        ("runtime", &stack.runtime),
        ("gateway", &stack.gateway),
    ];
    let wires = [
        stack.inner_wire.recording().unwrap(),
        stack.outer_wire.recording().unwrap(),
    ];
    for form in forms(key) {
        for (role, process) in roles {
            let found = count(&process.output(), &form);
            assert_eq!(found, 0, "the log of the {role}");
        }
        assert!(wires.iter().all(|wire| count(wire, &form) == 0));
    }
    for form in [key.as_bytes().to_vec(), hex::decode(key).unwrap()] {
        for (role, process) in roles {
            let found = occurrences(process.id(), &form).unwrap();
            assert_eq!(found, 0, "the memory of the {role}");
        }
    }
    // Controls: the same search finds what these logs and memories do tell.
    let id = key_id();
    for (role, process) in &roles[..2] {
        assert!(count(&process.output(), id.as_bytes()) > 0, "{role}");
    }
    for (role, process) in roles {
        let found = occurrences(process.id(), SNP_NODE.as_bytes()).unwrap();
        assert!(found > 0, "the memory of the {role} was searched");
    }
}

/// As bytes, and as a log would write them.
fn forms(key: &str) -> [Vec<u8>; 5] {
    let bytes = hex::decode(key).unwrap();
    assert_eq!(bytes.len(), 32);
    let decimal: Vec<String> = bytes.iter().map(u8::to_string).collect();
    [
        key.as_bytes().to_vec(),
        key.to_uppercase().into_bytes(),
        BASE64_STANDARD.encode(&bytes).into_bytes(),
        decimal.join(", ").into_bytes(),
        bytes,
    ]
}

fn key_id() -> String {
    let file = fs::File::open(owner().key_file()).unwrap();
    let key = sealed_model::ModelKey::read(file).unwrap();
    key.unwrap().id().to_string()
}

#[test]
fn a_node_whose_measurement_the_policy_does_not_list_gets_no_key() {
    let directory = Directory::replace(place("-measurement")).unwrap();
    let mut text = stack::policy(&model()).unwrap();
    text.measurement = [0xE5; 48];
    stack::publish_policy_text(&directory, &programs(), &text).unwrap();
    let releaser = releaser(&directory);
    refuses(&directory, &releaser, "policy.snp.measurement");
    until("the unmet rule", || said(&releaser, "node.denied"));
}

/// The order reaches the releaser alone: what the runtime itself obeys would let it go on.
#[test]
fn nobody_gets_a_key_under_a_policy_that_stopped() {
    let directory = Directory::replace(place("-stopped")).unwrap();
    let mut team = Publisher::new(UnixTime(now().0 - 60), &policy(""));
    publication::publish(directory.root(), &team).unwrap();
    team.order(now(), Action::Stop, &[Target::Everything]);
    publication::publish_to(Reader::Releaser, directory.root(), &team).unwrap();
    let releaser = releaser(&directory);
    refuses(&directory, &releaser, "policy.stopped.everything");
}

/// It has one for another model only.
#[test]
fn a_releaser_without_the_key_gives_none() {
    let directory = directory("-no-key");
    sealed::prepare_releaser(&directory).unwrap();
    owner().leave_key(&directory, &[7; 32]).unwrap();
    let releaser = asked(&directory, &owner().sealed(), &owner().public_key());
    refuses(&directory, &releaser, "release.unknown_key");
}

/// Two owners of one model: the key of the one is no key of the other's.
#[test]
fn what_another_owner_sealed_is_not_served_with_this_ones_key() {
    let other = owner_in("-other-owner");
    let stack = directory("-other-key");
    sealed::prepare_releaser(&stack).unwrap();
    owner().leave_key(&stack, &digest()).unwrap();
    let releaser = asked(&stack, &other.sealed(), &other.public_key());
    refuses(&stack, &releaser, "release.unknown_key");

    let stack = directory("-other-owner-signed");
    sealed::prepare_releaser(&stack).unwrap();
    let releaser = asked(&stack, &other.sealed(), &owner().public_key());
    let told = told_at_its_end(&stack);
    assert!(told.contains("code=\"sealed.signature\""), "{told}");
    assert!(!said(&releaser, "event=\"key."), "nobody asked for a key");
}

#[test]
fn a_model_with_a_changed_segment_is_not_served() {
    let directory = directory("-changed");
    let changed = copy_of_the_sealed_model(&directory);
    let file = changed.join(model_name() + ".sealed");
    let mut bytes = fs::read(&file).unwrap();
    bytes[FIRST_CIPHERTEXT + 1000] ^= 1;
    fs::write(&file, bytes).unwrap();
    sealed::prepare_releaser(&directory).unwrap();
    owner().leave_key(&directory, &digest()).unwrap();
    let releaser = asked(&directory, &changed, &owner().public_key());
    let told = told_at_its_end(&directory);
    assert!(told.contains("code=\"sealed.segment\""), "{told}");
    assert!(
        releaser.tells("key.released", Duration::from_secs(10)),
        "the key itself was good"
    );
}

fn model_name() -> String {
    let model = model();
    model.file_name().unwrap().to_str().unwrap().to_owned()
}

fn copy_of_the_sealed_model(directory: &Directory) -> PathBuf {
    let copy = directory.file("changed");
    fs::create_dir(&copy).unwrap();
    for name in ["MANIFEST.json".to_owned(), model_name() + ".sealed"] {
        fs::copy(owner().sealed().join(&name), copy.join(name)).unwrap();
    }
    copy
}
