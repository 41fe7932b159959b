//! Writes the conformance suite: `cargo run -p tee-sim --example conformance -- attestation/testdata [snp] [tdx] [nvidia]`.
//!
//! Every run invents the vendors anew, so that all their files change: run it to add cases, not to see whether they are still the same.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "run by hand: what cannot be written is told and that is all"
)]

mod nvidia;
mod snp;
mod suite;
mod tdx;

use attestation::UnixTime;
use std::path::{Path, PathBuf};

/// 2026-06-01T00:00:00Z: when most cases are judged.
const NOW: UnixTime = UnixTime(1_780_272_000);

/// Writes one vendor's cases.
type Writer = fn(&Path);

const WRITERS: [(&str, Writer); 3] = [
    ("snp", snp::write),
    ("tdx", tdx::write),
    ("nvidia", nvidia::write),
];

fn main() {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().expect("the folder to write to"));
    let mut vendors: Vec<String> = arguments.collect();
    if vendors.is_empty() {
        vendors = WRITERS.map(|(vendor, _)| vendor.to_owned()).to_vec();
    }
    for (vendor, write) in WRITERS {
        if vendors.iter().any(|wanted| wanted == vendor) {
            write(&folder);
        }
    }
}
