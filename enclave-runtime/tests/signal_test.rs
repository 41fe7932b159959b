//! SIGTERM drains. Alone in its file: the signal is sent to the whole process.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod support;

use enclave_runtime::StopSignals;
use rustix::process::{Signal, getpid, kill_process};
use std::time::Duration;
use support::Stack;
use tokio::time::timeout;

#[tokio::test]
async fn sigterm_drains() {
    let mut stack = Stack::start().await;
    let mut signals = StopSignals::listen().unwrap();
    kill_process(getpid(), Signal::TERM).unwrap();
    timeout(Duration::from_secs(20), signals.received())
        .await
        .unwrap();
    stack.tell_to_stop();
    assert_eq!(stack.stopped().await.cut, 0);
}
