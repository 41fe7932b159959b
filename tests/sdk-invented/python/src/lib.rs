//! Not shipped: the extension module of package narthex under the roots of invented vendors. It is a module of its own, so that the one
//! that ships has no way to other roots than the vendors'.

use pyo3::prelude::*;
use session::Composition;
use std::{fs, io, path::PathBuf, sync::OnceLock};

/// Where the invented vendors' roots are.
static ROOTS: OnceLock<PathBuf> = OnceLock::new();

/// Files of the roots, as `tests::fleet` leaves them.
const FILES: [&str; 5] = [
    "simulated-ark.der",
    "simulated-ask.der",
    "simulated-intel-root.der",
    "simulated-device-root.der",
    "simulated-rim-root.der",
];

#[pymodule]
fn _narthex_invented(module: &Bound<'_, PyModule>) -> PyResult<()> {
    _narthex::register(module)?;
    module.add_function(wrap_pyfunction!(trust, module)?)?;
    module.add_function(wrap_pyfunction!(open_session, module)?)
}

/// Trusts the roots in this directory from now on.
#[pyfunction]
fn trust(directory: PathBuf) -> bool {
    ROOTS.set(directory).is_ok()
}

/// Opens the policy, under the invented roots.
#[pyfunction]
#[pyo3(signature = (settings, remembered=None))]
fn open_session(
    settings: &_narthex::Settings,
    remembered: Option<&[u8]>,
) -> PyResult<_narthex::Session> {
    _narthex::open(composition()?, settings, remembered)
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test's module, under the roots of invented vendors"
)]
fn composition() -> io::Result<Composition> {
    let directory = ROOTS.get().ok_or(io::ErrorKind::NotFound)?;
    let [ark, ask, intel, device, rim] = FILES.map(|name| fs::read(directory.join(name)));
    Ok(Composition {
        verifier: tee_sim::verifier_of_all((&ark?, &ask?), &intel?, (&device?, &rim?)),
        policy: policy::danger::accept_custom_anchors,
        random: _narthex::random,
    })
}
