//! Errors as `narthex.NarthexError`, which is Python.

use pyo3::prelude::*;
use session::SessionError;

/// The exception that tells `error`.
pub(crate) fn exception(error: &SessionError) -> PyErr {
    Python::attach(|py| raised(py, error).unwrap_or_else(|failure| failure))
}

fn raised(py: Python<'_>, error: &SessionError) -> PyResult<PyErr> {
    let make = py.import("narthex._errors")?.getattr("from_session")?;
    let exception = make.call1((
        error.code(),
        error.to_string(),
        error.is_retryable(),
        error.request_status(),
        error.to_openai_json(),
    ))?;
    Ok(PyErr::from_value(exception))
}

/// A lock that a panic has poisoned, or a value that was given away.
pub(crate) const GONE: SessionError =
    SessionError::Order("a value that is in use or was given away");
