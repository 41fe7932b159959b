//! A model that is sealed: its owner, who leaves its key with a releaser, and runtimes that ask for it.

use crate::{
    child::Process,
    publication::Reader,
    stack::{self, Directory, Programs},
};
use std::{
    fs, io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

/// What the runtimes of a stack are told of their model, if it is sealed.
const RUNTIME: &str = "runtime.toml";
/// Name of the releaser's certificate and key.
pub(crate) const RELEASER: &str = "releaser";
/// The releaser's folder of keys.
const KEYS: &str = "model-keys";

/// A model's owner: what they have, in a folder of theirs.
pub struct Owner {
    folder: PathBuf,
}

impl Owner {
    /// Makes the keys of an owner in `folder` and seals `model` there, all with the shipped `narthex`.
    pub fn seal(programs: &Programs, folder: PathBuf, model: &Path) -> io::Result<Self> {
        let owner = Self { folder };
        let (model, sealed) = (text(model), text(&owner.sealed()));
        let (key, signer) = (text(&owner.key_file()), owner.file("owner"));
        let signer_pem = format!("{signer}.pem");
        let seal = ["model", "seal", &model, "--out", &sealed];
        let under = ["--key", &key, "--owner", &signer_pem];
        for command in [
            ["policy", "keygen", &signer].as_slice(),
            &["model", "keygen", &key],
            &[seal.as_slice(), &under].concat(),
        ] {
            stack::succeed(stack::narthex(programs, command)?)?;
        }
        Ok(owner)
    }

    /// The sealed model's folder.
    #[must_use]
    pub fn sealed(&self) -> PathBuf {
        self.folder.join("sealed")
    }

    /// The public key of whoever signed it.
    #[must_use]
    pub fn public_key(&self) -> PathBuf {
        self.folder.join("owner.pub.pem")
    }

    /// The file of the key that it is sealed under.
    #[must_use]
    pub fn key_file(&self) -> PathBuf {
        self.folder.join("weights.key")
    }

    /// Leaves the key of the model of this `digest` with the releaser of `directory`.
    pub fn leave_key(&self, directory: &Directory, digest: &[u8; 32]) -> io::Result<()> {
        let name = format!("{KEYS}/{}.key", hex::encode(digest));
        // A copy has the mode of what is copied: its owner's alone.
        fs::copy(self.key_file(), directory.file(&name)).map(drop)
    }

    fn file(&self, name: &str) -> String {
        text(&self.folder.join(name))
    }
}

/// Prepares a releaser without keys in `directory`.
pub fn prepare_releaser(directory: &Directory) -> io::Result<()> {
    let keys = directory.file(KEYS);
    fs::create_dir(&keys)?;
    fs::set_permissions(&keys, fs::Permissions::from_mode(0o700))?;
    directory.write_certificate(RELEASER)?;
    fs::write(directory.file("releaser.toml"), config(directory))
}

fn config(directory: &Directory) -> String {
    format!(
        r#"
listen = "127.0.0.1:0"
keys = {:?}

[tls]
certificate = {:?}
key = {:?}

[policy]
{}
state = {:?}
refresh_seconds = 1
"#,
        directory.text(KEYS),
        directory.text("releaser.cert.pem"),
        directory.text("releaser.key.pem"),
        stack::obeyed(directory, Reader::Releaser),
        directory.text("state-releaser"),
    )
}

/// Starts the releaser of `directory`; its address is what it is ready with.
pub fn start_releaser(programs: &Programs, directory: &Directory) -> io::Result<Process> {
    Process::start(&programs.demo, &["releaser", &directory.path()])
}

/// Has the runtimes of `directory` serve the sealed model at `sealed`, if the key at `owner` signed it, and ask the releaser at `address`
/// for its key, once.
pub fn have_runtimes_ask(
    directory: &Directory,
    (sealed, owner): (&Path, &Path),
    address: &str,
) -> io::Result<()> {
    let config = format!(
        r#"
node = "{}"
model = {sealed:?}
model_name = "{}"

[policy]
source = {:?}
keys = [{:?}, {:?}]

[model_key]
releaser = "https://{address}"
owner = [{owner:?}]
ca = {:?}
attempts = 1
"#,
        crate::fleet::SNP_NODE,
        stack::MODEL,
        directory.text("policy.json"),
        directory.text("alice.pub.pem"),
        directory.text("bob.pub.pem"),
        directory.text("releaser.cert.pem"),
    );
    fs::write(directory.file(RUNTIME), config)
}

/// What the runtimes of the stack in `directory` are told of their sealed model; none, if it is not sealed.
#[must_use]
pub fn runtime_config(directory: &Path) -> Option<PathBuf> {
    let config = directory.join(RUNTIME);
    config.exists().then_some(config)
}

fn text(path: &Path) -> String {
    path.display().to_string()
}
