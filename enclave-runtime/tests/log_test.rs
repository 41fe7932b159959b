//! No prompt and no answer in the log, whatever happens to a request. Alone in its file: it takes the process's one subscriber.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use protocol::{CacheSecret, TenantSigner, client::ClientRequest};
use std::{
    io,
    sync::{Arc, Mutex},
};
use support::{
    MODEL, Stack,
    engine::{Script, ScriptedEngine},
    http::Outer,
    json_request,
    tenant::{Forger, Tenant},
};

const MARKER: &str = "zq-canary-7731";
/// What the secret for shared state looks like as a header.
const SECRET: [u8; 32] = [0xc7; 32];

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Requests of a tenant and of one whose signature is wrong, each with a secret for shared state.
async fn ask_for_a_tenant(stack: &Stack, body: &str) {
    let (tenant, secret) = (Tenant::new(), CacheSecret::from_bytes(SECRET));
    let forger = Forger {
        tenant: &tenant,
        field: 0,
    };
    let signed = |tenant| ClientRequest {
        tenant: Some(tenant),
        cache_secret: Some(&secret),
        ..json_request("/v1/chat/completions", body)
    };
    let served = stack.exchange(&signed(&tenant as &dyn TenantSigner)).await;
    assert_eq!(served.receipt.unwrap().cache_scope, "cache-secret");
    stack.exchange(&signed(&forger)).await;
}

#[tokio::test]
async fn nothing_of_a_request_is_logged() {
    let log = Log::default();
    let writer = log.clone();
    // More than the binary shows: every level, every crate.
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .init();
    enclave_runtime::harden::silence_panics();
    let chat = |rest: &str| {
        format!(
            r#"{{"model":"{MODEL}","messages":[{{"role":"user","content":"{MARKER}"}}]{rest}}}"#
        )
    };
    for script in [
        Script::Answer,
        Script::BreakOff,
        Script::Busy,
        Script::Panic,
    ] {
        let stack = Stack::with(ScriptedEngine::new(script), |_| ()).await;
        stack.ask("/v1/chat/completions", &chat("")).await;
        stack
            .ask("/v1/chat/completions", &chat(r#","stream":true"#))
            .await;
        stack
            .ask("/v1/chat/completions", &chat(&format!(",\"{MARKER}\":1")))
            .await;
        stack
            .ask(
                "/v1/chat/completions",
                &chat(&format!(",\"seed\":\"{MARKER}\"")),
            )
            .await;
        stack.ask("/v1/chat/completions", &chat(MARKER)).await;
        ask_for_a_tenant(&stack, &chat("")).await;
        stack
            .send(Outer::post("/v1/chat/completions", chat("").as_bytes()))
            .await;
    }
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    for control in [
        "sealed request answered",
        "engine_busy",
        "unsupported_parameter",
        "runtime.unsealed",
        "narthex-tenant",
        "panic",
    ] {
        assert!(text.contains(control), "the log is read: {control}");
    }
    assert!(!text.contains(MARKER));
    assert!(!text.contains("Hel"));
    for shown in [hex::encode(SECRET), format!("{SECRET:?}")] {
        assert!(!text.to_lowercase().contains(&shown));
    }
}
