//! Policies signed by a key that never leaves its PKCS #11 token: SoftHSM 2, the software token of Debian's package `softhsm2`.

use crate::narthex::{self, command, narthex, run};
use attestation::{UnixTime, snp::Product};
use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};
use tee_sim::{PolicyText, Report};
use tempfile::TempDir;

const PIN: &str = "4711-canary";
const LIBRARIES: [&str; 3] = [
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib64/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
];

/// A token "policy" with the key "alice", and a policy to sign.
struct Token {
    folder: TempDir,
    library: &'static str,
}

impl Token {
    fn new() -> Self {
        let library = LIBRARIES.into_iter().find(|path| Path::new(path).exists());
        let library = library.expect("SoftHSM 2 is needed here (Debian: apt-get install softhsm2)");
        let folder = TempDir::new().unwrap();
        let token = Self { folder, library };
        let tokens = token.path("tokens");
        fs::create_dir(&tokens).unwrap();
        let conf = format!(
            "directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\n",
            tokens.display()
        );
        fs::write(token.path("softhsm2.conf"), conf).unwrap();
        fs::write(token.path("pin"), format!("{PIN}\n")).unwrap();
        token.softhsm(&[
            "--init-token",
            "--free",
            "--label",
            "policy",
            "--so-pin",
            "1234",
            "--pin",
            PIN,
        ]);
        assert_eq!(
            narthex(token.folder.path(), &["policy", "keygen", "alice"]).status,
            0
        );
        token.import("alice", "01");
        let text = PolicyText::admitting(
            &Report::of(Product::Genoa),
            UnixTime(1_700_000_000),
            UnixTime(1_900_000_000),
        );
        fs::write(token.path("policy.toml"), text.to_toml()).unwrap();
        token
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn softhsm(&self, arguments: &[&str]) {
        let mut command = Command::new("softhsm2-util");
        command
            .env("SOFTHSM2_CONF", self.path("softhsm2.conf"))
            .args(arguments);
        let output = command.output().expect("softhsm2-util runs");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }

    fn import(&self, label: &str, id: &str) {
        let pem = self.path("alice.pem");
        let arguments = [
            "--import",
            pem.to_str().unwrap(),
            "--token",
            "policy",
            "--label",
            label,
            "--id",
            id,
            "--pin",
            PIN,
        ];
        self.softhsm(&arguments);
    }

    fn uri(&self, path: &str) -> String {
        let pin = self.path("pin");
        format!(
            "pkcs11:{path}?module-path={}&pin-source=file:{}",
            self.library,
            pin.display()
        )
    }

    fn sign(&self, key: &str) -> narthex::Run {
        let mut command = command(self.folder.path());
        command.env("SOFTHSM2_CONF", self.path("softhsm2.conf"));
        command.args([
            "policy",
            "sign",
            "--key",
            key,
            "policy.toml",
            "-o",
            "policy.json",
        ]);
        run(command.current_dir(self.folder.path()))
    }

    fn refused(&self, key: &str, because: &str) {
        let run = self.sign(key);
        assert_eq!(run.status, 2, "{key}: {}", run.stderr);
        assert!(run.stderr.contains(because), "{key}: {}", run.stderr);
        assert!(!run.stderr.contains(PIN), "{}", run.stderr);
        assert!(!self.path("policy.json").exists());
    }
}

#[test]
fn a_key_of_a_token_signs_as_its_file_would() {
    let token = Token::new();
    fs::rename(token.path("alice.pem"), token.path("elsewhere")).unwrap();
    let signed = token.sign(&token.uri("token=policy;object=alice"));
    assert_eq!(signed.status, 0, "{}", signed.stderr);
    let verified = narthex(
        token.folder.path(),
        &[
            "policy",
            "verify",
            "--policy-key",
            "alice.pub.pem",
            "policy.json",
        ],
    );
    assert_eq!(verified.status, 0, "{}", verified.stderr);
    let mut shown = command(token.folder.path());
    shown.env("SOFTHSM2_CONF", token.path("softhsm2.conf"));
    let uri = token.uri("token=policy;object=alice");
    let shown = run(shown.args(["policy", "public-key", "--key", &uri]));
    assert_eq!(
        shown.stdout,
        fs::read_to_string(token.path("alice.pub.pem")).unwrap()
    );
    let by_token = fs::read(token.path("policy.json")).unwrap();
    fs::set_permissions(token.path("elsewhere"), Permissions::from_mode(0o600)).unwrap();
    assert_eq!(token.sign("elsewhere").status, 0);
    assert_eq!(
        fs::read(token.path("policy.json")).unwrap(),
        by_token,
        "Ed25519 is deterministic"
    );
}

#[test]
fn what_names_no_single_key_signs_nothing() {
    let token = Token::new();
    token.refused(
        &token.uri("token=other;object=alice"),
        "no token has that label",
    );
    token.refused(&token.uri("token=policy;object=bob"), "no such Ed25519 key");
    token.refused(
        &token.uri("token=policy;object=alice;id=%02"),
        "no such Ed25519 key",
    );
    token.import("alice", "02");
    token.refused(
        &token.uri("token=policy;object=alice"),
        "several of its keys",
    );
    assert_eq!(
        token
            .sign(&token.uri("token=policy;object=alice;id=%02"))
            .status,
        0
    );
}

#[test]
fn a_wrong_pin_or_library_signs_nothing_and_tells_no_pin() {
    let token = Token::new();
    let uri = token.uri("token=policy;object=alice");
    fs::write(token.path("pin"), format!("{PIN}x")).unwrap();
    token.refused(&uri, "it did not log in");
    fs::remove_file(token.path("pin")).unwrap();
    token.refused(&uri, "cannot be read");
    token.refused(
        "pkcs11:token=policy;object=alice?module-path=/dev/null",
        "it did not load its library",
    );
    token.refused("pkcs11:token=policy;object=alice", "names no library");
}
