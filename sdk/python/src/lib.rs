//! The extension module `narthex._narthex`: `session` as Python classes. It does no I/O; the package around it does.
//!
//! It trusts the vendors' roots and no others. [`open`] and [`register`] are for the test module of invented vendors, which does not ship.

mod error;
mod exchange;
mod flow;
mod receipt;
mod session;

pub use crate::session::{Session, Settings};

use crate::{exchange::Exchange, flow::Flow, receipt::Receipt};
use ::session::Composition;
use pyo3::prelude::*;

/// The module that ships.
#[pymodule]
fn _narthex(module: &Bound<'_, PyModule>) -> PyResult<()> {
    register(module)?;
    module.add_function(wrap_pyfunction!(open_session, module)?)
}

/// Adds everything but the way to open a session.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Settings>()?;
    module.add_class::<Session>()?;
    module.add_class::<Flow>()?;
    module.add_class::<Exchange>()?;
    module.add_class::<Receipt>()
}

/// Opens the policy, under the vendors' roots.
#[pyfunction]
#[pyo3(signature = (settings, remembered=None))]
fn open_session(settings: &Settings, remembered: Option<&[u8]>) -> PyResult<Session> {
    open(Composition::vendor(random), settings, remembered)
}

/// Opens the policy for this composition.
pub fn open(
    composition: Composition,
    settings: &Settings,
    remembered: Option<&[u8]>,
) -> PyResult<Session> {
    Session::open(composition, settings, remembered)
}

/// The operating system's randomness, through aws-lc.
#[must_use]
pub fn random(bytes: &mut [u8]) -> bool {
    aws_lc_rs::rand::fill(bytes).is_ok()
}
