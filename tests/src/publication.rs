//! What a stack obeys: a policy under two keys, or, where there is a root document, all that its team publishes in a folder.

use policy::{
    Envelope,
    publication::{INVENTORY, ORDERS, POLICY, ROOTS, TIMESTAMP},
};
use provision::{PolicySettings, PolicySource, RootSource};
use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};
use tee_sim::Publisher;

/// Time between two looks at what is published: short, so that tests do not wait.
pub const REFRESH: Duration = Duration::from_millis(200);

/// The root document, if the stack has one.
const ROOT: &str = "root.json";
/// Who reads what is published, each from a folder of its own: so that a test can keep one of them from the others' news.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// The runtimes.
    Runtime,
    /// The gateway.
    Gateway,
    /// The releaser, where there is one.
    Releaser,
    /// The clients.
    Client,
}

impl Reader {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Runtime, Self::Gateway, Self::Releaser, Self::Client];

    /// Its folder in `directory`.
    #[must_use]
    pub fn folder(self, directory: &Path) -> PathBuf {
        directory.join(match self {
            Self::Runtime => "published-to-runtime",
            Self::Gateway => "published-to-gateway",
            Self::Releaser => "published-to-releaser",
            Self::Client => "published-to-client",
        })
    }
}

/// Where the runtimes of the stack in `directory` find what they obey; they remember nothing on disk.
#[must_use]
pub fn settings(directory: &Path) -> PolicySettings {
    let file = |name| directory.join(name);
    let (root, source) = match has_root(directory) {
        true => (
            RootSource::Document(file(ROOT)),
            PolicySource::Folder(Reader::Runtime.folder(directory)),
        ),
        false => (
            RootSource::Keys {
                files: vec![file("alice.pub.pem"), file("bob.pub.pem")],
                threshold: None,
            },
            PolicySource::File(file("policy.json")),
        ),
    };
    PolicySettings {
        root,
        source,
        state: None,
    }
}

/// Whether the stack in `directory` obeys what is published under a root document.
#[must_use]
pub fn has_root(directory: &Path) -> bool {
    directory.join(ROOT).exists()
}

/// The root document of the stack in `directory`.
#[must_use]
pub fn root(directory: &Path) -> PathBuf {
    directory.join(ROOT)
}

/// Has the stack in `directory` obey what `publisher` has published so far, from its start or from now on.
pub fn publish(directory: &Path, publisher: &Publisher) -> io::Result<()> {
    let first = publisher.roots.first().map(Envelope::to_json);
    write(&root(directory), first.unwrap_or_default().as_bytes())?;
    let mut readers = Reader::ALL.into_iter();
    readers.try_for_each(|reader| publish_to(reader, directory, publisher))
}

/// The same for one reader alone.
pub fn publish_to(reader: Reader, directory: &Path, publisher: &Publisher) -> io::Result<()> {
    let folder = reader.folder(directory);
    fs::create_dir_all(&folder)?;
    let files = publisher.files();
    let documents = [
        (ROOTS, files.roots),
        (POLICY, files.policy),
        (INVENTORY, files.inventory),
        (ORDERS, files.orders),
        (TIMESTAMP, files.timestamp),
    ];
    for (name, bytes) in documents {
        let path = folder.join(name);
        match bytes {
            Some(bytes) => write(&path, &bytes)?,
            None => remove(&path)?,
        }
    }
    Ok(())
}

/// Whole or not at all: processes read while tests write.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let fresh = path.with_extension("fresh");
    fs::write(&fresh, bytes)?;
    fs::rename(fresh, path)
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
