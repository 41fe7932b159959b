//! Key files as OpenSSL writes them, and what is signed with them.

use attestation::{UnixTime, snp::Product};
use policy::{Envelope, PayloadType};
use provision::{SigningKey, public_key::read_public_key, read_trust_root};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};
use tee_sim::{PolicyText, Report};
use tempfile::{TempDir, tempdir};

/// RFC 8410 section 10.3, the form that `openssl genpkey` writes.
const PRIVATE_PEM: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC
-----END PRIVATE KEY-----
";

/// RFC 8410 section 10.1, the public half of it.
const PUBLIC_PEM: &str = "-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=
-----END PUBLIC KEY-----
";

/// An X25519 public key: the right length, another algorithm (1.3.101.110).
const X25519_PEM: &str = "-----BEGIN PUBLIC KEY-----
MCowBQYDK2VuAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=
-----END PUBLIC KEY-----
";

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempdir().unwrap())
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

fn policy_toml() -> String {
    let report = Report::of(Product::Genoa);
    PolicyText::admitting(&report, UnixTime(1000), UnixTime(2000)).to_toml()
}

#[test]
fn the_published_key_pair_belongs_together() {
    let folder = Folder::new();
    let key = SigningKey::read(&folder.file("private.pem", PRIVATE_PEM)).unwrap();
    let public = folder.file("public.pem", PUBLIC_PEM);
    assert_eq!(read_public_key(&public).unwrap(), key.public_key());

    let mut envelope = Envelope::unsigned(PayloadType::Policy, policy_toml().into_bytes());
    key.sign(&mut envelope).unwrap();
    let root = read_trust_root(&[public], None).unwrap();
    assert!(envelope.open(PayloadType::Policy, &root).is_ok());
}

#[test]
fn a_public_key_file_holds_one_ed25519_key_and_nothing_else() {
    let folder = Folder::new();
    let cases = [
        ("provision.public_key.private", PRIVATE_PEM.to_owned()),
        ("provision.public_key.malformed", String::new()),
        ("provision.public_key.malformed", X25519_PEM.to_owned()),
        (
            "provision.public_key.malformed",
            format!("{PUBLIC_PEM}{PUBLIC_PEM}"),
        ),
        ("provision.public_key.malformed", format!("{PUBLIC_PEM}x")),
        (
            "provision.public_key.malformed",
            PUBLIC_PEM.replace("MCow", "MCo!"),
        ),
        (
            "provision.public_key.malformed",
            PUBLIC_PEM.replace("PUBLIC", "PUBLISHED"),
        ),
        ("provision.file.too_large", " ".repeat(20_000)),
    ];
    for (code, content) in cases {
        let path = folder.file("key.pem", &content);
        let error = read_public_key(&path).unwrap_err();
        assert_eq!(error.code(), code, "{content}");
        assert!(error.to_string().contains("key.pem"), "{error}");
    }
    let error = read_public_key(&folder.path().join("absent.pem")).unwrap_err();
    assert_eq!(error.code(), "provision.file.read");
}

#[test]
fn a_root_needs_distinct_keys_and_a_threshold_they_can_meet() {
    let folder = Folder::new();
    let key = folder.file("public.pem", PUBLIC_PEM);
    let error = read_trust_root(&[&key, &key], None).unwrap_err();
    assert_eq!(error.code(), "policy.root.doubled_key");
    let error = read_trust_root(&[&key], Some(2)).unwrap_err();
    assert_eq!(error.code(), "policy.root.threshold");
    let error = read_trust_root(&[] as &[&Path], None).unwrap_err();
    assert_eq!(error.code(), "policy.root.no_keys");
    assert_eq!(read_trust_root(&[&key], None).unwrap().threshold(), 1);
}

#[test]
fn a_private_key_file_holds_one_key_for_its_owner_alone() {
    let folder = Folder::new();
    let code = |path: &Path| SigningKey::read(path).err().unwrap().code();
    let malformed = [
        PUBLIC_PEM.to_owned(),
        PRIVATE_PEM.replace("PRIVATE", "ENCRYPTED PRIVATE"),
        PRIVATE_PEM.replace("MC4C", "MC4D"),
        format!("{PRIVATE_PEM}{PRIVATE_PEM}"),
        PRIVATE_PEM.replace("EdVhC\n", "EdVhC\nAA==\n"),
        String::new(),
    ];
    for content in malformed {
        let path = folder.file("private.pem", &content);
        assert_eq!(code(&path), "provision.signing_key.malformed", "{content}");
    }
    let path = folder.file("private.pem", PRIVATE_PEM);
    for mode in [0o640, 0o604, 0o620, 0o602] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(code(&path), "provision.signing_key.permissions", "{mode:o}");
    }
    assert_eq!(
        code(&folder.file("large.pem", " ".repeat(5000))),
        "provision.file.too_large"
    );
    assert_eq!(
        code(&folder.path().join("absent.pem")),
        "provision.file.read"
    );
}

#[test]
fn no_error_repeats_a_private_key() {
    let folder = Folder::new();
    let broken = PRIVATE_PEM.replace("MC4C", "MC4D");
    let error = SigningKey::read(&folder.file("private.pem", broken))
        .err()
        .unwrap();
    assert!(!format!("{error} {error:?}").contains("Tuctv5"));
}
