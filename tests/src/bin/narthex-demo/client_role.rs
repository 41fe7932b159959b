//! The client's process: the shipped `narthex` commands, told to trust the simulated vendor.

use crate::{Outcome, roots};
use client::{SystemClock, cli};
use std::{ffi::OsString, path::Path, sync::Arc};

pub(crate) fn run(directory: &Path, arguments: Vec<OsString>) -> Outcome {
    let composition = cli::Composition {
        verifier: roots::verifier(directory)?,
        #[expect(
            clippy::disallowed_methods,
            reason = "the demo's composition trusts the simulated vendor"
        )]
        policy: policy::danger::accept_custom_anchors,
        clock: Arc::new(SystemClock),
    };
    let arguments = std::iter::once(OsString::from("narthex")).chain(arguments);
    Ok(cli::run(arguments, &composition))
}
