//! `narthex`: the vendors' pinned roots, the user's policy, the system's clock.

use client::{
    SystemClock,
    cli::{self, Composition, Streams},
};
use std::{process::ExitCode, sync::Arc};

fn main() -> ExitCode {
    let composition = Composition {
        verifier: attestation::Verifier::vendor(),
        policy: |policy| policy,
        clock: Arc::new(SystemClock),
        streams: Streams::STANDARD,
    };
    cli::run(std::env::args_os(), &composition)
}
