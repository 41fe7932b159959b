//! One request up to its answer's head.

use crate::{
    Session,
    error::{GONE, exception},
    exchange::Exchange,
};
use attestation::UnixTime;
use pyo3::{prelude::*, types::PyBytes};
use session::{Call, Failure, Notice, Reading, SessionError};
use std::sync::{Mutex, PoisonError};

/// One request under way.
#[pyclass(frozen, module = "narthex._narthex")]
pub(crate) struct Flow {
    session: Py<Session>,
    flow: Mutex<Option<session::Flow>>,
}

/// Method, path, `Accept`, `Content-Type`, body, seconds.
type CallTuple = (
    &'static str,
    String,
    &'static str,
    Option<&'static str>,
    Py<PyBytes>,
    u64,
);

impl Flow {
    pub(crate) const fn new(session: Py<Session>, flow: session::Flow) -> Self {
        Self {
            session,
            flow: Mutex::new(Some(flow)),
        }
    }

    /// A step, without holding the interpreter: an appraisal takes milliseconds.
    fn step(
        &self,
        py: Python<'_>,
        step: impl FnOnce(&mut session::Flow, &mut session::Session) -> Result<Call, SessionError>
        + Send,
    ) -> PyResult<CallTuple> {
        let session = self.session.get();
        let call = py.detach(|| {
            let mut flow = self.flow.lock().unwrap_or_else(PoisonError::into_inner);
            let mut session = session.lock()?;
            step(flow.as_mut().ok_or(GONE)?, &mut session)
        });
        let call = call.map_err(|error| exception(&error))?;
        let body = PyBytes::new(py, &call.body).unbind();
        Ok((
            call.method,
            call.path,
            call.accept,
            call.content_type,
            body,
            call.timeout_s,
        ))
    }

    fn with<T>(
        &self,
        look: impl FnOnce(&mut session::Flow) -> Result<T, SessionError>,
    ) -> PyResult<T> {
        let mut flow = self.flow.lock().unwrap_or_else(PoisonError::into_inner);
        let looked = flow.as_mut().ok_or(GONE).and_then(look);
        drop(flow);
        looked.map_err(|error| exception(&error))
    }
}

#[pymethods]
impl Flow {
    /// The request id, 32 hexadecimal digits.
    #[getter]
    fn id(&self) -> PyResult<String> {
        self.with(|flow| Ok(flow.id().to_string()))
    }

    /// The first call.
    fn begin(&self, py: Python<'_>, now: u64) -> PyResult<CallTuple> {
        self.step(py, |flow, session| flow.begin(session, UnixTime(now)))
    }

    /// The head of an answer: how many bytes of its body are read at most; `None`: it is the sealed answer.
    fn head(&self, status: u16, content_type: Option<&str>) -> PyResult<Option<usize>> {
        self.with(|flow| match flow.head(status, content_type)? {
            Reading::Sealed => Ok(None),
            Reading::Whole { max_bytes } => Ok(Some(max_bytes)),
        })
    }

    /// The body of an answer: the next call.
    fn body(&self, py: Python<'_>, body: Vec<u8>, now: u64) -> PyResult<CallTuple> {
        self.step(py, |flow, session| flow.body(session, body, UnixTime(now)))
    }

    /// No answer: `kind` is `connect`, `broken` or `timed_out`. The next call.
    fn failed(&self, py: Python<'_>, kind: &str, why: String, now: u64) -> PyResult<CallTuple> {
        let failure = match kind {
            "connect" => Failure::Connect(why),
            "timed_out" => Failure::TimedOut,
            _ => Failure::Broken(why),
        };
        self.step(py, |flow, session| {
            flow.failed(session, failure, UnixTime(now))
        })
    }

    /// `(kind, text)` of what happened since the last time: an `admitted` in JSON, a `passed_over` in words.
    fn take_notices(&self) -> PyResult<Vec<(&'static str, String)>> {
        let notices = self.with(|flow| Ok(flow.take_notices()))?;
        let told = notices.into_iter().map(|notice| match notice {
            Notice::Admitted(admission) => ("admitted", admission.to_json()),
            Notice::PassedOver(text) => ("passed_over", text),
        });
        Ok(told.collect())
    }

    /// The sealed answer; this value is used up.
    fn exchange(&self) -> PyResult<Exchange> {
        let flow = self
            .flow
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let exchange = flow.ok_or(GONE).and_then(session::Flow::into_exchange);
        Ok(Exchange::new(exchange.map_err(|error| exception(&error))?))
    }
}
