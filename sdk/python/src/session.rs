//! A session, shared by all requests of a transport.

use crate::{
    error::{GONE, exception},
    flow::Flow,
};
use attestation::UnixTime;
use pyo3::prelude::*;
use session::{
    Beside, Composition, INVENTORY, ORDERS, POLICY, ROOTS, Request, SessionError, TIMESTAMP,
};
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard},
};
use zeroize::Zeroizing;

/// What the user gives.
#[pyclass(frozen, module = "narthex._narthex")]
pub struct Settings {
    /// By the names under which a team publishes them.
    files: HashMap<String, Vec<u8>>,
    policy_root: Option<Vec<u8>>,
    policy_keys: Vec<Vec<u8>>,
    threshold: Option<usize>,
    residency: Option<String>,
    cache_secret: Option<Zeroizing<Vec<u8>>>,
    now: u64,
}

/// A root document, or keys and how many of them must sign.
type Signers = (Option<Vec<u8>>, Vec<Vec<u8>>, Option<usize>);

/// A client of one gateway under one policy.
#[pyclass(frozen, module = "narthex._narthex")]
pub struct Session(Mutex<session::Session>);

#[pymethods]
impl Settings {
    #[new]
    fn new(
        files: HashMap<String, Vec<u8>>,
        signers: Signers,
        residency: Option<String>,
        cache_secret: Option<Vec<u8>>,
        now: u64,
    ) -> Self {
        let (policy_root, policy_keys, threshold) = signers;
        Self {
            files,
            policy_root,
            policy_keys,
            threshold,
            residency,
            cache_secret: cache_secret.map(Zeroizing::new),
            now,
        }
    }

    /// Names the memory of policy versions.
    fn root_name(&self) -> PyResult<String> {
        self.lend(session::Session::root_name)
            .map_err(|error| exception(&error))
    }
}

impl Settings {
    fn lend<T>(&self, use_it: impl FnOnce(&session::Settings<'_>) -> T) -> T {
        let keys: Vec<&[u8]> = self.policy_keys.iter().map(Vec::as_slice).collect();
        let file = |name| self.files.get(name).map(Vec::as_slice);
        use_it(&session::Settings {
            policy: file(POLICY).unwrap_or_default(),
            beside: Beside {
                roots: file(ROOTS),
                inventory: file(INVENTORY),
                orders: file(ORDERS),
                timestamp: file(TIMESTAMP),
            },
            policy_root: self.policy_root.as_deref(),
            policy_keys: &keys,
            threshold: self.threshold,
            residency: self.residency.as_deref(),
            cache_secret: self.cache_secret.as_deref().map(Vec::as_slice),
            now: UnixTime(self.now),
        })
    }
}

impl Session {
    pub(crate) fn open(
        composition: Composition,
        settings: &Settings,
        remembered: Option<&[u8]>,
    ) -> PyResult<Self> {
        let opened =
            settings.lend(|settings| session::Session::open(composition, settings, remembered));
        let opened = opened.map_err(|error| exception(&error))?;
        Ok(Self(Mutex::new(opened)))
    }

    /// Whoever holds this does not wait for the interpreter: others wait for this while they hold the interpreter.
    pub(crate) fn lock(&self) -> Result<MutexGuard<'_, session::Session>, SessionError> {
        self.0.lock().map_err(|_| GONE)
    }

    fn with<T>(
        &self,
        look: impl FnOnce(&mut session::Session) -> Result<T, SessionError>,
    ) -> PyResult<T> {
        let looked = self.lock().and_then(|mut session| look(&mut session));
        looked.map_err(|error| exception(&error))
    }
}

#[pymethods]
impl Session {
    /// `(name, version, digest, expires)` of the policy in force; the digest in hexadecimal, the time in seconds since 1970.
    fn policy(&self) -> PyResult<(String, u64, String, u64)> {
        self.with(|session| {
            let policy = session.policy();
            let digest = policy.digest().iter().map(|byte| format!("{byte:02x}"));
            let (name, version) = (policy.name().to_owned(), policy.version());
            Ok((name, version, digest.collect(), policy.expires().0))
        })
    }

    /// The memory of policy versions if it has changed since the last call: to be kept before the next call to the gateway.
    fn take_memory(&self) -> PyResult<Option<String>> {
        self.with(|session| {
            let memory = session.memory();
            Ok(memory.take_changed().then(|| memory.to_text()))
        })
    }

    /// The memory of policy versions.
    fn memory(&self) -> PyResult<String> {
        self.with(|session| Ok(session.memory().to_text()))
    }

    /// Takes in what another process has kept.
    fn recall(&self, text: &[u8]) -> PyResult<()> {
        self.with(|session| Ok(session.memory().recall(text)?))
    }

    /// Begins one request, if it has a sealed form.
    fn start(
        slf: &Bound<'_, Self>,
        method: &str,
        path: &str,
        content_type: Option<&str>,
        body: Vec<u8>,
    ) -> PyResult<Flow> {
        let body = Zeroizing::new(body);
        let flow = slf
            .get()
            .with(|session| session.start(Request::new(method, path, content_type, body)?))?;
        Ok(Flow::new(slf.clone().unbind(), flow))
    }
}
