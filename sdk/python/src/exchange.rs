//! One sealed answer.

use crate::{error::exception, receipt::Receipt};
use pyo3::{IntoPyObjectExt, prelude::*, types::PyBytes};
use session::{Event, SessionError};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// An answer under way.
#[pyclass(frozen, module = "narthex._narthex")]
pub(crate) struct Exchange(Mutex<session::Exchange>);

impl Exchange {
    pub(crate) const fn new(exchange: session::Exchange) -> Self {
        Self(Mutex::new(exchange))
    }

    fn lock(&self) -> MutexGuard<'_, session::Exchange> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl Exchange {
    /// The request id, 32 hexadecimal digits.
    #[getter]
    fn id(&self) -> String {
        self.lock().id().to_string()
    }

    /// The node that answers.
    #[getter]
    fn node(&self) -> String {
        self.lock().node().name().to_owned()
    }

    /// What the next bytes complete: `("head", status, headers, is_stream)`, `("body", bytes)`, `("end", receipt)`.
    fn push<'py>(&self, py: Python<'py>, bytes: &[u8]) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let events = self.lock().push(bytes);
        told(py, events)
    }

    /// The outer body has ended: the last events.
    fn finish<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let events = self.lock().finish();
        told(py, events)
    }

    /// The exception for an outer body that broke off.
    fn interrupted(&self, py: Python<'_>, why: String) -> Py<PyAny> {
        let error = self.lock().interrupted(why);
        exception(&error).into_value(py).into_any()
    }
}

fn told(
    py: Python<'_>,
    events: Result<Vec<Event>, SessionError>,
) -> PyResult<Vec<Bound<'_, PyAny>>> {
    let events = events.map_err(|error| exception(&error))?;
    let told = events.into_iter().map(|event| match event {
        Event::Head(head) => {
            ("head", head.status, head.headers, head.is_stream).into_bound_py_any(py)
        }
        Event::Body(part) => ("body", PyBytes::new(py, &part)).into_bound_py_any(py),
        Event::End(served) => ("end", Receipt::new(*served)).into_bound_py_any(py),
    });
    told.collect()
}
