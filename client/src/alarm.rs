//! What people must look at although the work goes on: told as a check, which documents and archives keep, and as a notice.

use crate::{Check, Event, Observer, archive};
use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

/// Documents that were offered are not obeyed.
pub(crate) const POLICY: &str = "alarm.policy";
/// Client and gateway judge a node differently.
pub(crate) const VERDICT: &str = "alarm.verdict";
/// Ids of alarms begin so.
const PREFIX: &str = "alarm.";
/// Where a directory of receipts keeps them, one JSON object a line.
const FILE: &str = "alarms.jsonl";

/// Tells `alarm`, whose id begins with `alarm.`.
pub(crate) fn raise(observer: &dyn Observer, alarm: Check) {
    let text = format!("ALARM: {}: {} [{}]", alarm.title, alarm.detail, alarm.id);
    observer.observe(&Event::Check(alarm));
    observer.observe(&Event::Notice(text));
}

/// An observer that keeps alarms in a directory, and passes everything on.
pub(crate) struct Recorder {
    file: PathBuf,
    next: Arc<dyn Observer>,
    /// Held while a line is written.
    writing: Mutex<()>,
}

impl Recorder {
    pub(crate) fn new(directory: &Path, next: Arc<dyn Observer>) -> Self {
        Self {
            file: directory.join(FILE),
            next,
            writing: Mutex::default(),
        }
    }

    fn record(&self, alarm: &Check) {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let line = serde_json::to_string(alarm).unwrap_or_default() + "\n";
        if let Err(error) = archive::append_private(&self.file, line.as_bytes()) {
            let text = format!("an alarm is not in {}: {error}", self.file.display());
            self.next.observe(&Event::Notice(text));
        }
    }
}

impl Observer for Recorder {
    fn observe(&self, event: &Event) {
        if let Event::Check(check) = event
            && check.id.starts_with(PREFIX)
        {
            self.record(check);
        }
        self.next.observe(event);
    }
}
