//! `narthex model`: keys, sealing, verifying and opening, and how each ends.

use crate::narthex::{Run, narthex};
use std::{
    fs,
    os::unix::fs::{FileExt, PermissionsExt},
    path::{Path, PathBuf},
};

const OPEN: &str = "model open sealed --out again --key weights.key --owner-key owner.pub.pem";
const VERIFY: &str = "model verify sealed --owner-key owner.pub.pem";
const SEAL: &str =
    "model seal plain --out sealed --key weights.key --owner owner.pem --segment-bytes 4096";

/// A folder with a model, the owner's pair and a key.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        fs::create_dir_all(folder.file("plain/weights")).unwrap();
        fs::write(folder.file("plain/config.json"), b"{\"model\": \"tiny\"}").unwrap();
        fs::write(folder.file("plain/weights/a"), vec![7; 10_000]).unwrap();
        folder.accept("policy keygen owner");
        folder.accept("model keygen weights.key");
        folder
    }

    fn sealed() -> Self {
        let folder = Self::new();
        folder.accept(SEAL);
        folder
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn run(&self, command: &str) -> Run {
        narthex(self.0.path(), &command.split(' ').collect::<Vec<_>>())
    }

    fn accept(&self, command: &str) -> Run {
        let run = self.run(command);
        assert_eq!(run.status, 0, "{command}: {run:?}");
        run
    }

    /// The command ends with `status`, and says `code`.
    fn refuse(&self, command: &str, status: i32, code: &str) {
        let run = self.run(command);
        assert_eq!(run.status, status, "{command}: {run:?}");
        let told = format!("{}{}", run.stdout, run.stderr);
        assert!(told.contains(code), "{command}: {run:?}");
    }

    fn change(&self, name: &str, at: u64) {
        let file = fs::File::options()
            .read(true)
            .write(true)
            .open(self.file(name))
            .unwrap();
        let mut byte = [0];
        file.read_exact_at(&mut byte, at).unwrap();
        file.write_all_at(&[byte[0] ^ 1], at).unwrap();
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_model_is_sealed_verified_and_opened() {
    let folder = Folder::new();
    let sealed = folder.accept(&format!("{SEAL} --json")).json();
    assert_eq!(sealed["files"][0]["name"], "config.json");
    assert_eq!(sealed["files"][1]["bytes"], 10_000);
    let verified = folder.accept(VERIFY);
    assert_eq!(verified.last_line(), "ACCEPTED");
    assert!(
        verified.stdout.contains("PASS  sealed.segment"),
        "{verified:?}"
    );
    let report = folder.accept(&format!("{VERIFY} --json")).json();
    assert_eq!(report["claims"], sealed);
    folder.accept(OPEN);
    for name in ["config.json", "weights/a"] {
        let [plain, again] = ["plain", "again"].map(|place| folder.file(place).join(name));
        assert_eq!(fs::read(plain).unwrap(), fs::read(&again).unwrap());
        assert_eq!(mode(&again), 0o600);
    }
    assert_eq!(mode(&folder.file("again")), 0o700);
    folder.refuse(OPEN, 2, "sealed.output.exists");
    folder.refuse(SEAL, 2, "sealed.output.exists");
}

#[test]
fn a_key_is_its_owner_s_and_is_never_printed() {
    let folder = Folder::new();
    let path = folder.file("weights.key");
    let key = fs::read_to_string(&path).unwrap();
    assert_eq!((mode(&path), key.len()), (0o600, 65));
    for run in [
        folder.accept("model keygen other.key"),
        folder.accept(SEAL),
        folder.accept(OPEN),
    ] {
        assert!(!run.stdout.contains(key.trim()) && !run.stderr.contains(key.trim()));
    }
    folder.refuse("model keygen weights.key", 2, "model.key.exists");
    assert_eq!(fs::read_to_string(&path).unwrap(), key);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    folder.refuse(OPEN, 2, "model.key.permissions");
    let other = OPEN.replace("weights.key", "other.key");
    folder.refuse(&other, 10, "sealed.key");
    folder.refuse(&OPEN.replace("weights.key", "-"), 2, "model.key.stdin");
    fs::write(folder.file("other.key"), b"not a key").unwrap();
    folder.refuse(&other, 30, "model.key.malformed");
}

#[test]
fn a_key_is_made_with_the_model() {
    let folder = Folder::new();
    let seal = SEAL.replace("--key weights.key", "--new-key new.key");
    folder.accept(&seal);
    assert_eq!(mode(&folder.file("new.key")), 0o600);
    folder.accept(&OPEN.replace("weights.key", "new.key"));
    folder.refuse(&seal.replace("sealed", "other"), 2, "model.key.exists");
    let begun = SEAL.replace("plain", "nowhere");
    let begun = begun.replace("--key weights.key", "--new-key newer.key");
    folder.refuse(&begun, 2, "give it with --key newer.key");
    folder.refuse(&begun, 2, "goes on with --key");
    folder.refuse(
        &format!("{seal} --key weights.key"),
        2,
        "cannot be used with",
    );
    folder.refuse("model seal plain --out x --owner owner.pem", 2, "--key");
    folder.refuse(&SEAL.replace("4096", "4095"), 2, "power of two");
}

#[test]
fn what_was_changed_is_rejected_and_not_opened() {
    let folder = Folder::sealed();
    folder.change("sealed/weights/a.sealed", 5000);
    for command in [VERIFY, OPEN] {
        folder.refuse(command, 10, "sealed.segment");
    }
    assert!(!folder.file("again").exists());
    let report = folder.run(VERIFY);
    assert!(
        report.stdout.contains("PASS  sealed.signature"),
        "{report:?}"
    );
    assert_eq!(report.last_line(), "REJECTED  sealed.segment");
    folder.change("sealed/weights/a.sealed", 5000);
    folder.accept(VERIFY);
    folder.accept(OPEN);
}

#[test]
fn another_owner_s_model_is_rejected() {
    let folder = Folder::sealed();
    folder.accept("policy keygen other");
    for command in [VERIFY, OPEN] {
        let other = command.replace("owner.pub.pem", "other.pub.pem");
        folder.refuse(&other, 10, "sealed.signature");
        folder.refuse(
            &format!("{command} --owner-key other.pub.pem"),
            10,
            "sealed.signature",
        );
        folder.refuse(
            &command.replace("owner.pub.pem", "owner.pem"),
            30,
            "provision.public_key",
        );
    }
    let either = "--owner-key other.pub.pem --owner-threshold 1";
    folder.accept(&format!("{VERIFY} {either}"));
    folder.refuse("model verify sealed", 2, "--owner-key");
}

#[test]
fn statuses_follow_the_contract() {
    let folder = Folder::sealed();
    folder.refuse(
        &VERIFY.replace("verify sealed", "verify nowhere"),
        2,
        "sealed.missing",
    );
    folder.refuse(
        &VERIFY.replace("verify sealed", "verify plain"),
        2,
        "sealed.missing",
    );
    fs::remove_file(folder.file("sealed/config.json.sealed")).unwrap();
    folder.refuse(VERIFY, 10, "sealed.missing");
    fs::write(folder.file("sealed/MANIFEST.json"), b"{}").unwrap();
    folder.refuse(VERIFY, 30, "sealed.envelope");
    folder.refuse(&SEAL.replace("plain", "nowhere"), 2, "seal.source");
    folder.refuse(
        &SEAL.replace("--out sealed", "--out no/sealed"),
        1,
        "sealed.output.write",
    );
}

#[test]
fn several_owners_sign_together() {
    let folder = Folder::new();
    folder.accept("policy keygen bob");
    let doubled = format!("{SEAL} --owner owner.pem");
    folder.refuse(&doubled, 2, "policy.root.doubled_key");
    folder.accept(&format!("{SEAL} --owner bob.pem"));
    folder.accept(&format!("{VERIFY} --owner-key bob.pub.pem"));
}

#[test]
fn interrupted_work_goes_on() {
    let folder = Folder::sealed();
    fs::rename(folder.file("sealed"), folder.file("whole")).unwrap();
    let part = folder.file("again.part");
    fs::create_dir_all(&part).unwrap();
    fs::write(part.join("config.json"), b"{\"model\"").unwrap();
    let open = OPEN.replace("open sealed", "open whole");
    folder.refuse(&open, 2, "sealed.output.stranger");
    for (path, mode) in [(part.clone(), 0o700), (part.join("config.json"), 0o600)] {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }
    folder.accept(&open);
    assert!(!part.exists());
    let again = fs::read(folder.file("again/config.json")).unwrap();
    assert_eq!(again, fs::read(folder.file("plain/config.json")).unwrap());
}
