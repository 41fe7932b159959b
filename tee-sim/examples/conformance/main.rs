//! Writes the conformance suite: `cargo run -p tee-sim --example conformance -- attestation/testdata`.
//!
//! Every run invents new vendors, so that every file changes: run it to add cases, not to see whether they are still the same.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "run by hand: what cannot be written is told and that is all"
)]

mod snp;
mod suite;

use attestation::UnixTime;
use std::path::PathBuf;

/// 2026-06-01T00:00:00Z: when most cases are judged.
const NOW: UnixTime = UnixTime(1_780_272_000);

fn main() {
    let folder = std::env::args_os().nth(1);
    let folder = PathBuf::from(folder.expect("the folder to write to"));
    snp::write(&folder);
}
