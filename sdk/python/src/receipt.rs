//! What is kept of a complete exchange.

use pyo3::{prelude::*, types::PyBytes};
use session::{Admission, Served};

/// A verified serving receipt, what opens it, and the evidence that it names.
#[pyclass(frozen, module = "narthex._narthex")]
pub(crate) struct Receipt(Served);

impl Receipt {
    pub(crate) const fn new(served: Served) -> Self {
        Self(served)
    }
}

#[pymethods]
impl Receipt {
    /// 32 hexadecimal digits.
    #[getter]
    fn request_id(&self) -> String {
        self.0.request_id()
    }

    /// 64 hexadecimal digits.
    #[getter]
    fn binding_id(&self) -> String {
        self.0.binding_id()
    }

    /// The node that answered.
    #[getter]
    fn node(&self) -> &str {
        self.0.node().name()
    }

    /// The signed receipt, COSE_Sign1.
    #[getter]
    fn signed<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.0.signed())
    }

    /// The text of the opening file: a secret.
    #[getter]
    fn opening(&self) -> String {
        self.0.opening_text().to_string()
    }

    /// The evidence bundle as received, CBOR.
    #[getter]
    fn bundle<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.0.node().bundle())
    }

    /// The receipt's claims, JSON.
    fn to_json(&self) -> String {
        self.0.to_json()
    }

    /// The admission of the node that answered, JSON.
    fn admission_json(&self) -> String {
        Admission::of(self.0.node()).to_json()
    }
}
