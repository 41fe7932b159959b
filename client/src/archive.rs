//! What the client keeps on disk of an exchange: receipt, opening, evidence. New files only the user can read, but for those that are made to be handed on.

use crate::{AdmittedNode, Exchange, random};
use protocol::{Opening, SignedReceipt};
use std::{
    fs,
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

/// Readable and writable by the user alone.
const PRIVATE: u32 = 0o600;
/// Readable for everyone whom the umask allows.
const SHARED: u32 = 0o644;

/// Writes `ID.receipt`, `ID.opening` and `ID.bundle` into `directory`. Exchanges under one key list share the bundle's file.
pub(crate) fn save_exchange(
    directory: &Path,
    exchange: &Exchange,
    receipt: &SignedReceipt,
) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    let id = exchange.id();
    write_private(&directory.join(format!("{id}.receipt")), receipt.as_bytes())?;
    write_opening(
        &directory.join(format!("{id}.opening")),
        &exchange.opening(),
    )?;
    let shared = directory.join(format!("{}.bundle", list_name(exchange.node())));
    if !shared.exists() {
        write_private(&shared, exchange.node().bundle())?;
    }
    share(&shared, &directory.join(format!("{id}.bundle")))
}

/// Names one key list of one attestation.
fn list_name(node: &AdmittedNode) -> String {
    let binding = hex::encode(node.admitted().claims().binding_id.0);
    format!("{binding}-{}-{}", node.keys().epoch, node.keys().expires.0)
}

/// A second name of a file, or a copy where there are no second names.
fn share(from: &Path, to: &Path) -> io::Result<()> {
    fs::hard_link(from, to).or_else(|_| write_private(to, &fs::read(from)?))
}

/// An opening file: 64 hexadecimal digits and a line end.
pub(crate) fn write_opening(path: &Path, opening: &Opening) -> io::Result<()> {
    let text = zeroize::Zeroizing::new(format!("{}\n", hex::encode(opening.as_bytes())));
    write_private(path, text.as_bytes())
}

/// Writes a whole file beside its place, then moves it there: a reader sees all of it or nothing.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write(path, bytes, PRIVATE)
}

/// The same where nothing was before: of several that write one name one does, and the others find it there.
pub(crate) fn write_private_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let number: [u8; 8] = random::bytes().map_err(|error| io::Error::other(error.to_string()))?;
    let beside = sibling(path, &format!(".{}.part", hex::encode(number)));
    let mut file = create_new(&beside, PRIVATE)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    let named = written.and_then(|()| fs::hard_link(&beside, path));
    let removed = fs::remove_file(&beside);
    named.and(removed)?;
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    fs::File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

/// The same for what others may read.
pub(crate) fn write_shared(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write(path, bytes, SHARED)
}

/// Adds to the end of a file that only the user can read.
pub(crate) fn append_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    let mut file = options.append(true).create(true).mode(PRIVATE).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn write(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let beside = sibling(path, ".part");
    let mut file = create_new(&beside, mode)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, path)
}

/// A file of our own making: whatever stood there, a link or a file that others may read, is not written to.
fn create_new(path: &Path, mode: u32) -> io::Result<fs::File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true).mode(mode).open(path)
}

fn sibling(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(suffix);
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn a_secret_is_not_written_through_what_others_left() {
        let folder = tempfile::tempdir().unwrap();
        let [target, part, theirs] =
            ["r.opening", "r.opening.part", "theirs"].map(|name| folder.path().join(name));
        fs::write(&theirs, b"").unwrap();
        symlink(&theirs, &part).unwrap();
        write_private(&target, b"secret").unwrap();
        assert_eq!(fs::read(&theirs).unwrap(), b"");
        assert_eq!(fs::read(&target).unwrap(), b"secret");

        assert!(write_private_new(&target, b"another").is_err());
        assert_eq!(fs::read(&target).unwrap(), b"secret");
        fs::write(&part, b"left over").unwrap();
        fs::set_permissions(&part, fs::Permissions::from_mode(0o644)).unwrap();
        write_private(&target, b"again").unwrap();
        let mode = fs::symlink_metadata(&target).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, PRIVATE);
        assert_eq!(fs::read(&target).unwrap(), b"again");
    }
}
