//! Which files a command has read, by their digests: what a report says of its inputs is of the bytes that were judged, not of what stands in the files later.

use attestation::{Digest, crypto};
use std::{
    cell::RefCell,
    path::{Path, PathBuf},
};

thread_local! {
    /// A command reads its files on the thread that runs it.
    static INPUTS: RefCell<Vec<Input>> = const { RefCell::new(Vec::new()) };
}

/// One file as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Input {
    pub(crate) path: PathBuf,
    pub(crate) size_bytes: usize,
    pub(crate) sha256: Digest,
}

/// A command begins: nothing is read yet.
pub(super) fn start() {
    INPUTS.take();
}

/// `bytes` were read from `path`.
pub(super) fn note(path: &Path, bytes: &[u8]) {
    let input = Input {
        path: path.to_owned(),
        size_bytes: bytes.len(),
        sha256: crypto::sha256(bytes),
    };
    INPUTS.with_borrow_mut(|inputs| {
        if !inputs.contains(&input) {
            inputs.push(input);
        }
    });
}

/// What was read so far, in order.
pub(crate) fn so_far() -> Vec<Input> {
    INPUTS.with_borrow(Clone::clone)
}
