//! What a process that holds prompts does to itself before it reads one: no core dumps, no tracing by its equals, no swap.

use crate::telemetry;
use rustix::{
    mm::{MlockAllFlags, mlockall},
    process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit},
};

/// Why a process could not be hardened; `code()` is stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HardenError {
    /// PR_SET_DUMPABLE.
    #[error("the process could not be made undumpable: {0}")]
    Dumpable(rustix::io::Errno),
    /// RLIMIT_CORE.
    #[error("core dumps could not be turned off: {0}")]
    Core(rustix::io::Errno),
}

impl HardenError {
    /// Stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Dumpable(_) => "harden.dumpable",
            Self::Core(_) => "harden.core",
        }
    }
}

/// Hardens this process: call it first. Locking memory is best effort and logged; the rest must succeed.
pub fn harden() -> Result<(), HardenError> {
    silence_panics();
    set_dumpable_behavior(DumpableBehavior::NotDumpable).map_err(HardenError::Dumpable)?;
    setrlimit(Resource::Core, limit(Some(0))).map_err(HardenError::Core)?;
    telemetry::memory_locked(lock_memory());
    Ok(())
}

const fn limit(value: Option<u64>) -> Rlimit {
    Rlimit {
        current: value,
        maximum: value,
    }
}

/// Locks what is touched from now on. Under a finite limit a later allocation would fail instead, so the limit has to go first.
fn lock_memory() -> rustix::io::Result<()> {
    setrlimit(Resource::Memlock, limit(None))?;
    mlockall(MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT)
}

/// A panic tells where, never what: its payload may hold a piece of a prompt.
pub fn silence_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location();
        telemetry::panicked(
            place.map_or("unknown", std::panic::Location::file),
            place.map_or(0, std::panic::Location::line),
        );
    }));
}
