//! What the client keeps on disk of an exchange: receipt, opening, evidence. New files only the user can read.

use crate::Exchange;
use protocol::{Opening, SignedReceipt};
use std::{
    fs,
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

/// Readable and writable by the user alone.
const PRIVATE: u32 = 0o600;

/// Writes `ID.receipt`, `ID.opening` and (once per attestation) `BINDING-ID.bundle` into `directory`.
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
    let node = exchange.node();
    let binding = hex::encode(node.admitted().claims().binding_id.0);
    let bundle = directory.join(format!("{binding}.bundle"));
    if bundle.exists() {
        return Ok(());
    }
    write_private(&bundle, node.bundle())
}

/// An opening file: 64 hexadecimal digits and a line end.
pub(crate) fn write_opening(path: &Path, opening: &Opening) -> io::Result<()> {
    let text = zeroize::Zeroizing::new(format!("{}\n", hex::encode(opening.as_bytes())));
    write_private(path, text.as_bytes())
}

/// Writes a whole file beside its place, then moves it there: a reader sees all of it or nothing.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = sibling(path);
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(PRIVATE)
        .open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, path)
}

fn sibling(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    path.with_file_name(name)
}
