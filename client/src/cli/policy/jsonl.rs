//! Files with one envelope on each line: `orders.jsonl`, `roots.jsonl`. They only grow.

use super::{
    super::{Failure, files},
    document::{Document, too_many_bytes},
};
use policy::{Envelope, publication::MAX_LINES_BYTES};
use std::path::Path;

/// Every envelope, in order; none if there is no such file.
pub(super) fn read(path: &Path) -> Result<Vec<Envelope>, Failure> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let documents = Document::read_lines(path)?.into_iter();
    Ok(documents.map(|document| document.envelope).collect())
}

/// Writes the file anew with one more line: a reader sees it with the line or without.
pub(super) fn append(path: &Path, envelope: &Envelope) -> Result<(), Failure> {
    let mut bytes = if path.exists() {
        files::read(path, MAX_LINES_BYTES)?
    } else {
        Vec::new()
    };
    if bytes.last().is_some_and(|byte| *byte != b'\n') {
        bytes.push(b'\n');
    }
    bytes.extend(envelope.to_line().as_bytes());
    bytes.push(b'\n');
    if bytes.len() > MAX_LINES_BYTES {
        return Err(too_many_bytes(path));
    }
    files::write_shared(path, &bytes)
}
