//! How far long work is, on terminals.

use super::super::output::Output;
use sealed_model::Progress;
use std::sync::atomic::{AtomicU64, Ordering};

const MIB: u64 = 1 << 20;
/// How often it is told: after this many bytes.
const STEP_BYTES: u64 = 32 * MIB;

/// Tells of bytes that are done; when dropped, its line is gone.
pub(super) struct Meter<'a> {
    output: &'a Output,
    doing: &'static str,
    /// Bytes of all, where that is known.
    total_bytes: Option<u64>,
    done_bytes: AtomicU64,
}

impl<'a> Meter<'a> {
    pub(super) const fn new(
        output: &'a Output,
        doing: &'static str,
        total_bytes: Option<u64>,
    ) -> Self {
        Self {
            output,
            doing,
            total_bytes,
            done_bytes: AtomicU64::new(0),
        }
    }

    fn text(&self, done_bytes: u64) -> String {
        let (doing, done) = (self.doing, done_bytes / MIB);
        match self.total_bytes {
            Some(total) => format!("{doing}: {done} of {} MiB", total / MIB),
            None => format!("{doing}: {done} MiB"),
        }
    }
}

impl Progress for Meter<'_> {
    fn advanced(&self, bytes: u64) {
        let before = self.done_bytes.fetch_add(bytes, Ordering::Relaxed);
        let done = before + bytes;
        if before / STEP_BYTES != done / STEP_BYTES {
            self.output.progress(&self.text(done));
        }
    }
}

impl Drop for Meter<'_> {
    fn drop(&mut self) {
        self.output.progress("");
    }
}
