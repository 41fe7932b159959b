//! Files with one envelope on each line: `orders.jsonl`, `roots.jsonl`. They only grow.

use super::super::{Exit, Failure, config, files};
use policy::{Envelope, publication::MAX_LINES_BYTES};
use std::path::Path;

/// Every envelope, in order; none if there is no such file.
pub(super) fn read(path: &Path) -> Result<Vec<Envelope>, Failure> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let bytes = files::read(path, MAX_LINES_BYTES)?;
    let lines = bytes.split(|byte| *byte == b'\n');
    let lines = lines.filter(|line| !line.trim_ascii().is_empty());
    lines.map(config::parse_envelope).collect()
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
        let message = format!(
            "{} would be larger than {MAX_LINES_BYTES} bytes",
            path.display()
        );
        return Err(Failure::new(Exit::Internal, "file.too_large", message));
    }
    files::write_shared(path, &bytes)
}
