//! `narthex policy`: the tools, run as people and their CI run them.

use crate::policy_folder::Folder;
use std::{fs, path::Path, process::Command};

const CHIP: &str = "node:fra-1-a";

#[test]
fn the_example_repository_s_ci_holds() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/policies/ci.sh");
    let output = Command::new("sh")
        .arg(script)
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("NARTHEX", env!("CARGO_BIN_EXE_narthex"))
        .output()
        .unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{stdout}\n{stderr}");
    assert!(stdout.ends_with("all of it holds\n"), "{stdout}\n{stderr}");
}

#[test]
fn what_init_writes_is_sound_and_never_overwritten() {
    let folder = Folder::new();
    let documents = ["policy.toml", "root.toml", "inventory.toml"];
    folder.accept(&[&["policy", "lint"][..], &documents].concat());
    folder.accept(
        &[
            &["policy", "fmt", "--check"][..],
            &documents,
            &["cases/accept.toml"],
        ]
        .concat(),
    );
    folder.accept(&["policy", "test", "cases"]);
    folder.write("policy.toml", "mine");
    let again = folder.run(&["policy", "init"]);
    assert_eq!(again.status, 2, "{again:?}");
    assert!(
        again.stderr.contains("error[policy.init.exists]"),
        "{again:?}"
    );
    assert_eq!(folder.read("policy.toml"), "mine");
}

#[test]
fn a_layout_is_checked_then_made() {
    let folder = Folder::new();
    let untidy = folder
        .read("policy.toml")
        .replace("version = 1", "  version=1");
    folder.write("policy.toml", &untidy);
    folder.refuse(&["policy", "fmt", "--check", "policy.toml"], "policy.fmt");
    assert_eq!(folder.read("policy.toml"), untidy);
    folder.accept(&["policy", "fmt", "policy.toml"]);
    assert_eq!(
        folder.read("policy.toml"),
        untidy.replace("  version=1", "version = 1")
    );
    folder.write("policy.toml", "version = ");
    let broken = folder.run(&["policy", "fmt", "policy.toml"]);
    assert_eq!(broken.status, 30, "{broken:?}");
    assert_eq!(folder.read("policy.toml"), "version = ");
}

#[test]
fn mistakes_of_every_kind_name_file_and_line() {
    let folder = Folder::new();
    folder.write("order.toml", "schema = 1\nserial = 1\nissued = 2026-11-01T00:00:00Z\naction = \"pause\"\nreason = \"r\"\ntargets = [\"x\"]\n");
    let lint = folder.run(&["policy", "lint", "root.toml", "order.toml"]);
    assert_eq!(lint.status, 30, "{lint:?}");
    assert!(lint.stdout.contains("PASS  policy.document"), "{lint:?}");
    assert!(
        lint.stdout.contains("order.toml: line 4, column 10"),
        "{lint:?}"
    );
    assert!(lint.stdout.contains("order.toml: line 6"), "{lint:?}");
    let other = folder.run(&["policy", "lint", "--kind", "inventory", "root.toml"]);
    assert_eq!(other.status, 30, "{other:?}");
}

#[test]
fn a_failing_case_tells_rule_line_and_remedy() {
    let folder = Folder::new();
    let case = folder
        .read("cases/accept.toml")
        .replace("microcode = 84", "microcode = 83");
    folder.write("cases/accept.toml", &case);
    let run = folder.refuse(&["policy", "test", "cases"], "policy.snp.minimum_tcb");
    assert!(run.stdout.contains("policy.toml:"), "{run:?}");
    assert!(
        run.stdout.contains("expected 84 or more; actual 83"),
        "{run:?}"
    );
    assert!(run.stdout.contains("what satisfies it: "), "{run:?}");
    let json = folder.run(&["policy", "test", "cases", "--json"]).json();
    let reason = &json["cases"][0]["reasons"][0];
    assert_eq!(reason["code"], "policy.snp.minimum_tcb");
    assert!(reason["line"].as_u64().unwrap() > 1 && reason["remedy"].is_string());
    let denial = case.replace(
        "expect = \"admit\"",
        "expect = \"deny\"\ncodes = [\"policy.snp.minimum_tcb\"]",
    );
    folder.write("cases/accept.toml", &denial);
    folder.accept(&["policy", "test", "cases"]);
    folder.write(
        "cases/accept.toml",
        &denial.replace("minimum_tcb\"]", "minimum_tcb\", \"policy.model\"]"),
    );
    folder.refuse(&["policy", "test", "cases"], "1 cases, 1 failed");
    for wrong in [
        "expect = \"maybe\"",
        "expect = \"deny\"",
        "expect = \"admit\"\ncodes = [\"x\"]",
    ] {
        folder.write(
            "cases/accept.toml",
            &case.replace("expect = \"admit\"", wrong),
        );
        assert_eq!(
            folder.run(&["policy", "test", "cases"]).status,
            30,
            "{wrong}"
        );
    }
}

#[test]
fn a_diff_says_what_is_allowed_and_what_forbidden() {
    let folder = Folder::new();
    let old = folder.read("policy.toml");
    let new = old
        .replace("version = 1", "version = 2")
        .replace("products = [\"genoa\"]", "products = [\"genoa\", \"turin\"]")
        .replace("microcode = 84\n", "microcode = 90\n\n[[snp.minimum_tcb]]\nproduct = \"turin\"\nfmc = 1\nbootloader = 1\ntee = 1\nsnp = 4\nmicrocode = 80\n")
        .replace("smt = \"allow\"", "smt = \"forbid\"");
    folder.write("new.toml", &new);
    let json = folder
        .accept(&["policy", "diff", "policy.toml", "new.toml", "--json"])
        .json();
    let rules = |group: &str| -> Vec<String> {
        let changes = json[group].as_array().unwrap().iter();
        changes
            .map(|change| change["rule"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(rules("allowed"), ["snp.products"]);
    assert_eq!(
        rules("forbidden"),
        ["snp.guest_policy.smt", "snp.minimum_tcb.microcode of genoa"]
    );
    assert_eq!(rules("changed"), ["snp.minimum_tcb", "version"]);
    let changed = folder.run(&["policy", "diff", "--exit-code", "policy.toml", "new.toml"]);
    assert_eq!(changed.status, 1, "{changed:?}");
    assert!(
        changed
            .stdout
            .starts_with("becomes allowed\n  snp.products  "),
        "{changed:?}"
    );
    let same = folder.accept(&[
        "policy",
        "diff",
        "--exit-code",
        "policy.toml",
        "policy.toml",
    ]);
    assert_eq!(same.stdout, "nothing changes\n");
}

#[test]
fn a_document_and_a_reason_are_explained() {
    let folder = Folder::new();
    let whole = folder.accept(&["policy", "explain", "policy.toml"]);
    assert!(
        whole.stdout.contains("snp.products  CPU products: genoa"),
        "{whole:?}"
    );
    assert!(whole.stdout.contains("absent  gpu  "), "{whole:?}");
    let one = folder.accept(&["policy", "explain", "policy.toml", "policy.snp.vmpl"]);
    assert!(one.stdout.contains("snp.vmpl  VMPLs: 0"), "{one:?}");
    assert!(one.stdout.contains("what satisfies it: "), "{one:?}");
    let unknown = folder.run(&["policy", "explain", "policy.toml", "policy.nothing"]);
    assert_eq!(unknown.status, 2, "{unknown:?}");
}

#[test]
fn schemas_are_those_of_the_repository() {
    let folder = Folder::new();
    for kind in ["policy", "root", "inventory", "order", "timestamp"] {
        let printed = folder.accept(&["policy", "schema", "--kind", kind]).stdout;
        let path = format!("../docs/policies/schema/{kind}.schema.json");
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        assert_eq!(printed, fs::read_to_string(path).unwrap());
        let schema: serde_json::Value = serde_json::from_str(&printed).unwrap();
        assert_eq!(
            schema["$schema"],
            "https://json-schema.org/draft/2020-12/schema"
        );
    }
}

const PUBLISHED: [&str; 4] = [
    "--orders",
    "published/orders.jsonl",
    "--policy-root",
    "root.json",
];

#[test]
#[expect(
    clippy::too_many_lines,
    reason = "one story, from the stop to the start"
)]
fn one_stops_and_two_start_again() {
    let folder = Folder::with_signers();
    let stop = [
        "policy",
        "stop",
        CHIP,
        "--reason",
        "found open",
        "--key",
        "carol.pem",
    ];
    let stopped = folder.accept(&[&stop[..], &PUBLISHED].concat());
    assert!(
        stopped.stdout.contains("stopped now: node:fra-1-a"),
        "{stopped:?}"
    );
    let log = folder.read("published/orders.jsonl");

    let start = [
        "policy",
        "start",
        CHIP,
        "--reason",
        "examined",
        "--key",
        "carol.pem",
    ];
    folder.refuse(
        &[&start[..], &PUBLISHED].concat(),
        "policy.signature.too_few",
    );
    assert_eq!(folder.read("published/orders.jsonl"), log);

    let written = [
        &start[..],
        &["--orders", "published/orders.jsonl", "-o", "order.json"],
    ]
    .concat();
    folder.accept(&written);
    let append = [
        "policy",
        "append",
        "order.json",
        "published/orders.jsonl",
        "--policy-root",
        "root.json",
    ];
    folder.refuse(&append, "policy.signature.too_few");
    folder.sign(&["alice"], "order.json", "order.json");
    let started = folder.accept(&append);
    assert!(
        started.stdout.contains("stopped now: nothing"),
        "{started:?}"
    );
    folder.refuse(&append, "policy.order.serial");
    assert_eq!(folder.read("published/orders.jsonl").lines().count(), 2);
    folder.accept(&[
        "policy",
        "verify",
        "--policy-root",
        "root.json",
        "published",
        "--at",
        "2026-12-01T00:00:00Z",
    ]);
}

#[test]
fn keys_given_by_hand_stop_nothing() {
    let folder = Folder::with_signers();
    let stop = [
        "policy",
        "stop",
        "everything",
        "--reason",
        "r",
        "--key",
        "alice.pem",
    ];
    let by_hand = [
        &stop[..],
        &["--policy-key", "alice.pub.pem", "--orders", "orders.jsonl"],
    ]
    .concat();
    folder.refuse(&by_hand, "policy.root.no_role");
    assert!(!folder.path().join("orders.jsonl").exists());
    folder.accept(&["policy", "keygen", "mallory"]);
    let stranger = [
        "policy",
        "stop",
        "everything",
        "--reason",
        "r",
        "--key",
        "mallory.pem",
    ];
    folder.refuse(
        &[&stranger[..], &PUBLISHED].concat(),
        "policy.signature.too_few",
    );
}

#[test]
fn a_timestamp_names_what_is_there_and_ends() {
    let folder = Folder::with_signers();
    let timestamp = [
        "policy",
        "timestamp",
        "--folder",
        "published",
        "--lifetime",
        "1h",
        "--policy-root",
        "root.json",
    ];
    let timestamp = [
        &timestamp[..],
        &["--issued", "2026-12-01T00:00:00Z", "--key", "bob.pem"],
    ]
    .concat();
    folder.accept(&timestamp);
    let again = folder.accept(&timestamp);
    assert!(
        again
            .stdout
            .contains("version 2, until 2026-12-01T01:00:00Z"),
        "{again:?}"
    );
    let verify = |at: &str| {
        folder.run(&[
            "policy",
            "verify",
            "--policy-root",
            "root.json",
            "published",
            "--at",
            at,
        ])
    };
    assert_eq!(verify("2026-12-01T00:30:00Z").status, 0);
    let late = verify("2026-12-01T02:00:00Z");
    assert_eq!(late.status, 10, "{late:?}");
    assert!(late.last_line().contains("policy.expired"), "{late:?}");
}

#[test]
fn a_root_rotates_by_both_thresholds() {
    let folder = Folder::with_signers();
    folder.accept(&["policy", "keygen", "dora"]);
    let next = folder
        .read("root.toml")
        .replace(&folder.key("carol"), &folder.key("dora"))
        .replace("carol", "dora")
        .replace("version = 1", "version = 2");
    folder.write("next.toml", &next);
    let rotate = [
        "policy",
        "rotate-root",
        "root.json",
        "next.toml",
        "--roots",
        "published/roots.jsonl",
    ];
    for few in [["alice.pem", "dora.pem"], ["bob.pem", "carol.pem"]] {
        let keys = ["--key", few[0], "--key", few[1]];
        folder.refuse(&[&rotate[..], &keys].concat(), "policy.signature.too_few");
    }
    assert!(!folder.path().join("published/roots.jsonl").exists());
    let keys = ["--key", "alice.pem", "--key", "bob.pem"];
    folder.accept(&[&rotate[..], &keys].concat());
    let verified = folder.accept(&[
        "policy",
        "verify",
        "--policy-root",
        "root.json",
        "published",
        "--at",
        "2026-12-01T00:00:00Z",
        "--json",
    ]);
    assert_eq!(verified.json()["claims"]["root"]["version"], 2);
    folder.refuse(&[&rotate[..], &keys].concat(), "policy.root.version");
}

#[test]
fn an_inventory_is_edited_without_losing_a_comment() {
    let folder = Folder::new();
    let before = folder.read("inventory.toml");
    let id = "nvidia:00000000000000ff";
    let add = [
        "policy",
        "inventory",
        "add",
        "inventory.toml",
        "--id",
        id,
        "--owner",
        "o",
        "--site",
        "par-2",
    ];
    let add = [
        &add[..],
        &["--country", "FR", "--from", "2026-11-01T00:00:00Z"],
    ]
    .concat();
    folder.accept(&add);
    assert!(folder.read("inventory.toml").starts_with(&before));
    let doubled = folder.run(&add);
    assert_eq!(doubled.status, 30, "{doubled:?}");
    let listed = folder.accept(&[
        "policy",
        "inventory",
        "list",
        "inventory.toml",
        "--country",
        "FR",
        "--json",
    ]);
    assert_eq!(listed.json()[0]["id"], id);
    folder.accept(&["policy", "inventory", "remove", "inventory.toml", id]);
    assert_eq!(folder.read("inventory.toml"), before);
    folder.write("rack.csv", "id,owner,site,country,valid_from\nnvidia:00000000000000ff,\"o, p\",par-2,FR,2026-11-01T00:00:00Z\n");
    folder.accept(&[
        "policy",
        "inventory",
        "import",
        "inventory.toml",
        "rack.csv",
    ]);
    assert!(folder.read("inventory.toml").contains("owner = \"o, p\""));
    folder.accept(&["policy", "lint", "inventory.toml"]);
}

#[test]
fn every_command_has_a_manual_page() {
    let folder = Folder::new();
    folder.accept(&["man", "man1"]);
    let pages = fs::read_dir(folder.path().join("man1")).unwrap().count();
    assert!(pages > 40, "{pages}");
    for page in [
        "narthex",
        "narthex-policy-stop",
        "narthex-policy-inventory-add",
    ] {
        let text = folder.read(&format!("man1/{page}.1"));
        assert!(
            text.contains(".SH NAME") && text.contains(".SH SYNOPSIS"),
            "{page}"
        );
    }
}
