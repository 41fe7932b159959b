//! The client's process: the shipped `narthex` commands, told to trust the simulated vendor.

use crate::Outcome;
use client::{SystemClock, cli};
use std::{ffi::OsString, path::Path, sync::Arc};
use tests::{child::parent_has_ended, fleet};

pub(crate) fn run(directory: &Path, arguments: Vec<OsString>) -> Outcome {
    let composition = cli::Composition {
        verifier: fleet::verifier(directory)?,
        #[expect(
            clippy::disallowed_methods,
            reason = "the demo's composition trusts the simulated vendor"
        )]
        policy: policy::danger::accept_custom_anchors,
        clock: Arc::new(SystemClock),
        streams: cli::Streams::STANDARD,
    };
    if arguments.first().is_some_and(|command| command == "proxy") {
        end_with_parent();
    }
    let arguments = std::iter::once(OsString::from("narthex")).chain(arguments);
    Ok(cli::run(arguments, &composition))
}

/// The proxy that ships serves until a signal; the demo's must not outlive the demo.
fn end_with_parent() {
    std::thread::spawn(|| {
        let _ = parent_has_ended().blocking_recv();
        std::process::exit(0);
    });
}
