//! A policy repository in a folder of its own, and the command run in it.
#![allow(
    dead_code,
    reason = "every test binary uses another part of this module"
)]

use super::narthex::{Run, narthex};
use std::{fs, path::Path};

/// A folder with a repository as `init` makes it.
pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        folder.accept(&["policy", "init"]);
        folder
    }

    /// The same with three keys, a signed root of them, and a signed policy in `published`.
    pub(crate) fn with_signers() -> Self {
        let folder = Self::new();
        let mut root = folder.read("root.toml");
        for name in ["alice", "bob", "carol"] {
            folder.accept(&["policy", "keygen", name]);
            let key = folder.key(name);
            let at = root.find(&format!("name = \"{name}\"\nkey = \"")).unwrap();
            let at = at + format!("name = \"{name}\"\nkey = \"").len();
            root.replace_range(at..at + 64, &key);
        }
        folder.write("root.toml", &root);
        fs::create_dir(folder.path().join("published")).unwrap();
        folder.sign(&["alice", "bob"], "root.toml", "root.json");
        folder.sign(&["alice", "bob"], "policy.toml", "published/policy.json");
        folder
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path().join(name)).unwrap()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path().join(name), text).unwrap();
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        narthex(self.path(), arguments)
    }

    pub(crate) fn accept(&self, arguments: &[&str]) -> Run {
        let run = self.run(arguments);
        assert_eq!(run.status, 0, "{arguments:?}: {run:?}");
        run
    }

    pub(crate) fn refuse(&self, arguments: &[&str], code: &str) -> Run {
        let run = self.run(arguments);
        assert_eq!(run.status, 10, "{arguments:?}: {run:?}");
        let told = format!("{}{}", run.stdout, run.stderr);
        assert!(told.contains(code), "{code}: {run:?}");
        run
    }

    pub(crate) fn key(&self, name: &str) -> String {
        let key = format!("{name}.pem");
        let run = self.accept(&["policy", "public-key", "--key", &key, "--json"]);
        run.json()["key"].as_str().unwrap().to_owned()
    }

    pub(crate) fn sign(&self, names: &[&str], from: &str, to: &str) {
        let keys: Vec<String> = names.iter().map(|name| format!("{name}.pem")).collect();
        let mut arguments = vec!["policy", "sign"];
        arguments.extend(keys.iter().flat_map(|key| ["--key", key.as_str()]));
        arguments.extend([from, "-o", to]);
        self.accept(&arguments);
    }
}
