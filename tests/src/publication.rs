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
/// The folder of what is published under it.
const PUBLISHED: &str = "published";

/// Where a process of the stack in `directory` finds what it obeys; it remembers nothing on disk.
#[must_use]
pub fn settings(directory: &Path) -> PolicySettings {
    let file = |name| directory.join(name);
    let (root, source) = match has_root(directory) {
        true => (
            RootSource::Document(file(ROOT)),
            PolicySource::Folder(file(PUBLISHED)),
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

/// The folder of what is published for the stack in `directory`.
#[must_use]
pub fn folder(directory: &Path) -> PathBuf {
    directory.join(PUBLISHED)
}

/// Has the stack in `directory` obey what `publisher` has published so far, from its start or from now on.
pub fn publish(directory: &Path, publisher: &Publisher) -> io::Result<()> {
    fs::create_dir_all(folder(directory))?;
    let first = publisher.roots.first().map(Envelope::to_json);
    write(&root(directory), first.unwrap_or_default().as_bytes())?;
    let files = publisher.files();
    let documents = [
        (ROOTS, files.roots),
        (POLICY, files.policy),
        (INVENTORY, files.inventory),
        (ORDERS, files.orders),
        (TIMESTAMP, files.timestamp),
    ];
    for (name, bytes) in documents {
        let path = folder(directory).join(name);
        match bytes {
            Some(bytes) => write(&path, &bytes)?,
            None => remove(&path)?,
        }
    }
    Ok(())
}

/// Whole or not at all: processes read while tests write.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
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
