//! What the whole stack refuses, each with its own code. What one crate refuses by itself is tested there.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod shared;

use std::{
    io::{Read, Write},
    net::TcpStream,
    process::Output,
    sync::{Mutex, MutexGuard},
    time::{Duration, Instant},
};
use tests::{
    child::Process,
    fault::Fault,
    stack::{Stack, narthex},
};

/// The stack's one fault peer is set by one test at a time.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn chat(stack: &Stack, fault: Fault) -> Output {
    stack.fault.set(fault);
    let mut command = stack.client();
    command
        .arg("chat")
        .args(stack.connection("policy.json", "state-client"));
    let output = command
        .args([
            "--max-tokens",
            "8",
            "--temperature",
            "0",
            "What is the capital of France?",
        ])
        .output()
        .unwrap();
    stack.fault.set(Fault::None);
    output
}

fn refused(output: &Output, status: i32, code: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(status), "{said}");
    assert!(said.contains(code), "{code} in {said}");
}

#[test]
fn without_a_fault_the_answer_is_whole() {
    let _alone = alone();
    let output = chat(shared::stack(), Fault::None);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("Paris"));
}

#[test]
fn a_stream_cut_anywhere_is_truncated() {
    let _alone = alone();
    refused(
        &chat(shared::stack(), Fault::DropHalf),
        10,
        "channel.truncated",
    );
    // The last chunk has no length of its own: cut short, it does not authenticate.
    for bytes in [1, 16, 40] {
        refused(
            &chat(shared::stack(), Fault::DropLast(bytes)),
            10,
            "response.authentication",
        );
    }
}

#[test]
fn a_flipped_bit_in_the_answer_is_refused() {
    let _alone = alone();
    for offset in [0, 31, 40, 60] {
        let output = chat(shared::stack(), Fault::Flip(offset));
        assert_eq!(
            output.status.code(),
            Some(10),
            "{offset}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

#[test]
fn a_replayed_envelope_is_refused() {
    let _alone = alone();
    let output = chat(shared::stack(), Fault::Replay);
    assert!(!output.status.success());
    let runtime = &shared::stack().runtime;
    assert!(
        runtime.tells("replay", Duration::from_secs(10)),
        "its log names it"
    );
}

#[test]
fn simulated_evidence_is_refused_by_what_ships() {
    let stack = shared::stack();
    let mut arguments = vec!["chat".to_owned()];
    arguments.extend(stack.connection("policy.json", "state-client"));
    arguments.push("never sealed".to_owned());
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    refused(&narthex(&stack.programs, &arguments).unwrap(), 10, "snp.");
}

#[test]
fn a_plaintext_request_is_refused_by_the_runtime() {
    let answer = post_plaintext(
        &shared::stack().runtime.ready,
        "/v1/chat/completions",
        r#"{"model":"x","messages":[]}"#,
    );
    assert!(answer.starts_with("HTTP/1.1 421"), "{answer}");
    assert!(answer.contains("runtime.unsealed"), "{answer}");
}

#[test]
fn a_plaintext_body_on_the_sealed_route_is_refused() {
    let answer = post_plaintext(
        &shared::stack().runtime.ready,
        "/narthex/v1/sealed",
        r#"{"model":"x","messages":[]}"#,
    );
    assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
}

fn post_plaintext(address: &str, path: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: runtime\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body.as_bytes()).unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn simulated_evidence_is_refused_by_the_gateway_that_ships() {
    let stack = shared::stack();
    let program = stack.programs.narthex.with_file_name("narthex-gateway");
    let config = stack.directory.text("gateway.toml");
    let mut gateway =
        Process::start_when(&program, &["--config", &config], "listening on").unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    let mut log = String::new();
    while !log.contains("code=\"snp.") && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(50));
        log = String::from_utf8_lossy(&gateway.output()).into_owned();
    }
    gateway.end(Duration::ZERO);
    assert!(log.contains("code=\"snp."), "{log}");
    assert!(!log.contains("node.admitted"), "{log}");
}
