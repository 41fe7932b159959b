//! What this process logs: every event of ours at every level, of libraries what the runtime's binary would show.

use std::{
    io,
    sync::{Arc, Mutex},
};
use tracing::Level;
use tracing_subscriber::{Layer, Registry, filter::Targets, layer::SubscriberExt};

/// The log so far.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Takes the process's one subscriber.
    pub(crate) fn take() -> Self {
        let log = Self::default();
        let writer = log.clone();
        let wanted = Targets::new().with_default(Level::INFO).with_targets([
            ("narthex_gateway", Level::TRACE),
            ("enclave_runtime", Level::TRACE),
        ]);
        let lines = tracing_subscriber::fmt::layer()
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .with_filter(wanted);
        tracing::subscriber::set_global_default(Registry::default().with(lines)).unwrap();
        log
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
