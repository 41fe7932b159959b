//! Everything that the releasers of this test binary write down.

use releaser::{
    config::{LogConfig, LogFormat},
    telemetry,
};
use serde_json::Value;
use std::{
    io::{self, Write},
    sync::{Mutex, Once},
};

static LINES: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Collector;

impl Write for Collector {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LINES.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// From now on.
pub fn collect() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let config = LogConfig {
            format: LogFormat::Json,
        };
        let dispatch = telemetry::dispatch(config, || Collector);
        tracing::dispatcher::set_global_default(dispatch).unwrap();
    });
}

/// All of it.
pub fn text() -> String {
    String::from_utf8(LINES.lock().unwrap().clone()).unwrap()
}

/// The fields of the events with this name about this model.
pub fn events(name: &str, model: &str) -> Vec<Value> {
    let text = text();
    let events = text.lines().map(|line| -> Value {
        let mut line: Value = serde_json::from_str(line).unwrap();
        line["fields"].take()
    });
    events
        .filter(|fields| fields["event"] == name && fields["model"] == model)
        .collect()
}

/// The codes of refusals about this model, in order.
pub fn refusals(model: &str) -> Vec<String> {
    let events = events("key.refused", model);
    let code = |fields: &Value| fields["code"].as_str().unwrap().to_owned();
    events.iter().map(code).collect()
}
