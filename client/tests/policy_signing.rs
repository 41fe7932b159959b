//! `narthex policy`: who signs, what has been signed, large documents and files with an envelope on each line.

use crate::policy_folder::Folder;
use std::fs;

const LOG: &str = "published/orders.jsonl";
const CHIP: &str = "node:fra-1-a";

impl Folder {
    /// Alice stops [`CHIP`], then Bob `site:fra-1`.
    fn with_stops() -> Self {
        let folder = Self::with_signers();
        for (target, key) in [(CHIP, "alice.pem"), ("site:fra-1", "bob.pem")] {
            let stop = ["policy", "stop", target, "--reason", "r", "--key", key];
            folder.accept(&[&stop[..], &["--orders", LOG, "--policy-root", "root.json"]].concat());
        }
        folder
    }

    fn payloads(&self, log: &str) -> Vec<serde_json::Value> {
        let lines = self.read(log);
        let payload = |line| serde_json::from_str::<serde_json::Value>(line).unwrap();
        lines
            .lines()
            .map(|line| payload(line)["payload"].clone())
            .collect()
    }
}

#[test]
fn ten_thousand_pieces_of_hardware_are_one_inventory() {
    let folder = Folder::with_signers();
    let mut text = folder.read("inventory.toml");
    for id in 2..=10_001 {
        text.push_str(&format!(
            "\n[[hardware]]\nid = \"nvidia:{id:016x}\"\nowner = \"clinic of the north\"\nsite = \"par-2\"\ncountry = \"FR\"\nvalid_from = 2026-11-01T00:00:00Z\n"
        ));
    }
    assert!(text.len() > 1024 * 1024);
    folder.write("inventory.toml", &text);
    folder.accept(&["policy", "lint", "inventory.toml"]);
    folder.accept(&["policy", "fmt", "--check", "inventory.toml"]);
    let envelope = "published/inventory.json";
    folder.sign(&["alice", "bob"], "inventory.toml", envelope);
    folder.accept(&["policy", "lint", envelope]);
    folder.accept(&["policy", "explain", envelope]);
    let list = ["policy", "inventory", "list", envelope, "--json"];
    let list = folder.accept(&[&list[..], &["--country", "FR"]].concat());
    assert_eq!(list.json().as_array().unwrap().len(), 10_000);
    let verify = ["policy", "verify", "--policy-root", "root.json"];
    let at = ["published", "--at", "2026-12-01T00:00:00Z"];
    folder.accept(&[&verify[..], &at].concat());
    let add = "policy inventory add inventory.toml --id nvidia:00000000ffffffff --owner o --site s --country FR";
    folder.accept(&add.split(' ').collect::<Vec<_>>());
}

#[test]
fn only_inventories_may_be_large() {
    let folder = Folder::new();
    let text = folder.read("policy.toml") + &"#".repeat(1024 * 1024);
    folder.write("policy.toml", &text);
    let lint = folder.run(&["policy", "lint", "policy.toml"]);
    assert_eq!(lint.status, 30, "{lint:?}");
    folder.accept(&["policy", "keygen", "alice"]);
    let sign = folder.run(&["policy", "sign", "--key", "alice.pem", "policy.toml"]);
    assert_eq!(sign.status, 30, "{sign:?}");
}

#[test]
fn every_line_of_a_log_is_signed_once_by_each() {
    let folder = Folder::with_stops();
    let before = folder.payloads(LOG);
    let sign = ["policy", "sign", "--key", "alice.pem", LOG, "-o", LOG];
    let run = folder.accept(&sign);
    assert!(
        run.stderr.contains("1 of 2 lines got a signature"),
        "{run:?}"
    );
    assert_eq!(folder.payloads(LOG), before);
    let signed = folder.read(LOG);
    assert_eq!(signed.matches("\"sig\"").count(), 3);
    folder.accept(&sign);
    assert_eq!(folder.read(LOG), signed);
    let verify = ["policy", "verify", "--policy-root", "root.json", LOG];
    let verified = folder.accept(&verify);
    assert!(
        verified
            .stdout
            .contains("published/orders.jsonl:2: role stop"),
        "{verified:?}"
    );
    folder.accept(&["policy", "lint", LOG]);
}

#[test]
fn a_log_of_one_line_stays_a_log() {
    let folder = Folder::with_stops();
    let first = format!("{}\n", folder.read(LOG).lines().next().unwrap());
    folder.write(LOG, &first);
    folder.sign(&["carol"], LOG, LOG);
    assert_eq!(folder.read(LOG).lines().count(), 1);
    let verify = ["policy", "verify", "--policy-root", "root.json", LOG];
    folder.accept(&verify);
}

#[test]
fn a_broken_line_is_named() {
    let folder = Folder::with_stops();
    let log = folder.read(LOG);
    folder.write(LOG, &format!("{log}{{\n"));
    for command in ["lint", "verify", "sign"] {
        let keys: &[&str] = match command {
            "lint" => &[],
            "verify" => &["--policy-root", "root.json"],
            _ => &["--key", "alice.pem"],
        };
        let run = folder.run(&[&["policy", command, LOG], keys].concat());
        assert_eq!(run.status, 30, "{run:?}");
        let told = format!("{}{}", run.stdout, run.stderr);
        assert!(told.contains("published/orders.jsonl:3: "), "{run:?}");
    }
}

#[test]
fn lines_out_of_order_are_refused() {
    let folder = Folder::with_stops();
    let log = folder.read(LOG);
    let turned: Vec<&str> = log.lines().rev().collect();
    folder.write(LOG, &(turned.join("\n") + "\n"));
    let verify = ["policy", "verify", "--policy-root", "root.json", LOG];
    folder.refuse(&verify, "policy.order.serial");
}

#[test]
fn a_rotation_tells_what_must_be_signed_again() {
    let folder = Folder::with_stops();
    folder.accept(&["policy", "keygen", "dora"]);
    let next = folder
        .read("root.toml")
        .replace(&folder.key("alice"), &folder.key("dora"))
        .replace("alice", "dora")
        .replace("version = 1", "version = 2");
    folder.write("next.toml", &next);
    let rotate = "policy rotate-root root.json next.toml --roots published/roots.jsonl --key alice.pem --key bob.pem --key dora.pem --json";
    let run = folder.accept(&rotate.split(' ').collect::<Vec<_>>());
    let again = serde_json::json!(["published/policy.json", LOG]);
    assert_eq!(run.json()["sign_again"], again);
    assert!(
        run.stderr
            .contains("`narthex policy sign --key K published/orders.jsonl -o"),
        "{run:?}"
    );
    for file in ["published/policy.json", LOG] {
        folder.sign(&["dora"], file, file);
    }
    let verify = "policy verify --policy-root root.json published --at 2026-12-01T00:00:00Z";
    folder.accept(&verify.split(' ').collect::<Vec<_>>());
    let rotations = "policy verify --policy-root root.json published/roots.jsonl";
    folder.accept(&rotations.split(' ').collect::<Vec<_>>());
}

#[test]
fn only_what_the_log_stops_can_start() {
    let folder = Folder::with_stops();
    let start = |target, log| {
        let start = ["policy", "start", target, "--reason", "r", "--key"];
        [
            &start[..],
            &["alice.pem", "--orders", log, "-o", "order.json"],
        ]
        .concat()
    };
    folder.refuse(&start("node:other", LOG), "policy.start.not_stopped");
    let nowhere = folder.refuse(&start(CHIP, "no.jsonl"), "policy.start.not_stopped");
    assert!(
        nowhere
            .stderr
            .contains("no log at no.jsonl: this is order 1"),
        "{nowhere:?}"
    );
    assert!(!folder.path().join("order.json").exists());
    folder.accept(&start(CHIP, LOG));
    folder.sign(&["bob"], "order.json", "order.json");
    let append = ["policy", "append", "order.json", LOG, "--policy-root"];
    folder.accept(&[&append[..], &["root.json"]].concat());
    folder.refuse(&start(CHIP, LOG), "policy.start.not_stopped");
}

#[test]
fn a_key_is_told_as_the_root_has_it() {
    let folder = Folder::with_signers();
    let pair = folder
        .accept(&["policy", "keygen", "dora", "--json"])
        .json();
    let key = folder.key("dora");
    assert_eq!(pair["key"], key.as_str());
    let erwin = folder.accept(&["policy", "keygen", "erwin"]);
    let told = format!("key          {}\n", folder.key("erwin"));
    assert!(erwin.stdout.contains(&told), "{erwin:?}");

    let sign = ["policy", "sign", "--key", "dora.pem", "root.toml"];
    let stranger = folder.accept(&sign);
    assert!(
        stranger.stderr.contains("root.toml does not have the key"),
        "{stranger:?}"
    );
    let keyid = pair["keyid"].as_str().unwrap();
    let mistaken = folder
        .read("root.toml")
        .replace(&folder.key("carol"), keyid);
    folder.write("root.toml", &mistaken);
    let mistaken = folder.accept(&sign);
    assert!(
        mistaken
            .stderr
            .contains("what stands for carol is this key's keyid"),
        "{mistaken:?}"
    );
    let known = ["policy", "sign", "--key", "alice.pem", "root.toml"];
    assert!(folder.accept(&known).stderr.is_empty());
}

#[test]
fn who_still_has_to_sign_is_told() {
    let folder = Folder::with_signers();
    folder.sign(&["alice"], "policy.toml", "half.json");
    let verify = ["policy", "verify", "--policy-root", "root.json"];
    let verify = folder.refuse(
        &[&verify[..], &["half.json"]].concat(),
        "policy.signature.too_few",
    );
    assert!(verify.stdout.contains("and 1 did; not yet: "), "{verify:?}");
    assert!(verify.stdout.contains("carol"), "{verify:?}");
    assert!(!verify.stdout.contains("alice"), "{verify:?}");
    folder.sign(&["bob"], "root.toml", "half-root.json");
    let root = folder.refuse(
        &["policy", "verify", "half-root.json"],
        "policy.signature.too_few",
    );
    assert!(root.stderr.contains("not yet: "), "{root:?}");
}

#[test]
fn places_in_an_envelope_are_those_of_its_document() {
    let folder = Folder::with_signers();
    fs::rename(
        folder.path().join("published/policy.json"),
        folder.path().join("a.json"),
    )
    .unwrap();
    let told = folder.accept(&["policy", "explain", "a.json"]);
    let toml = folder.read("policy.toml");
    let line = toml.lines().position(|line| line.starts_with("products"));
    let place = format!("policy.toml:{}  snp.products", line.unwrap() + 1);
    assert!(told.stdout.contains(&place), "{told:?}");
}
