//! A program behind the proxy that goes away in mid-answer: the node has signed what it sent, and gives the receipt when it is asked for.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod shared;

use serde_json::Value;
use std::{
    io::{Read, Write},
    net::TcpStream,
    thread::sleep,
    time::{Duration, Instant},
};
use tests::stack::MODEL;

const PATIENCE: Duration = Duration::from_secs(120);

/// R7.6, through proxy, gateway and runtime, and by the command.
#[test]
fn the_receipt_of_an_abandoned_stream_is_there_afterwards() {
    let stack = shared::stack();
    let proxy = shared::proxy(stack);
    let address = proxy.base_url.trim_start_matches("http://");
    let address = address.trim_end_matches("/v1");
    let id = abandon_a_stream(address);
    let receipt = wait_for_receipt(address, &id);
    assert_eq!(receipt["request_id"], id.as_str());
    assert_eq!(receipt["outcome"], "abandoned");
    assert_eq!(receipt["status"], 200);
    assert!(receipt["usage"]["completion_tokens"].as_u64().unwrap() > 0);

    let output = stack
        .client()
        .args(["receipt", "fetch", &id, "--json"])
        .args(stack.connection("policy.json", "state-client"))
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    let fetched: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(fetched, receipt, "the same signed bytes");
}

/// Reads a stream until it says something, then closes the connection; gives the request's id.
fn abandon_a_stream(address: &str) -> String {
    let body = format!(
        r#"{{"model":"{MODEL}","messages":[{{"role":"user","content":"Tell a long story."}}],"stream":true,"max_tokens":4000,"temperature":0,"logit_bias":{{"0":-100,"2":-100}}}}"#
    );
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n"
    );
    let mut stream = send(
        address,
        &format!("{head}content-length: {}\r\n\r\n{body}", body.len()),
    );
    let mut answer = String::new();
    // The first event only names the role.
    while answer.matches("\"content\":\"").count() < 2 {
        let mut buffer = [0; 4096];
        let length = stream.read(&mut buffer).unwrap();
        assert!(length > 0, "{answer}");
        answer.push_str(&String::from_utf8_lossy(&buffer[..length]));
    }
    let (_, rest) = answer.split_once("narthex-request-id: ").unwrap();
    rest.lines().next().unwrap().to_owned()
}

/// Asks the proxy, which has no receipt of its own, until the node has noticed that nobody reads on.
fn wait_for_receipt(address: &str, id: &str) -> Value {
    let request = format!(
        "GET /narthex/receipts/{id} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n"
    );
    let until = Instant::now() + PATIENCE;
    loop {
        let mut answer = String::new();
        let mut stream = send(address, &request);
        stream.read_to_string(&mut answer).unwrap();
        if answer.starts_with("HTTP/1.1 200") {
            let (_, body) = answer.split_once("\r\n\r\n").unwrap();
            return serde_json::from_str(body).unwrap();
        }
        assert!(answer.contains("receipt.absent"), "{answer}");
        assert!(Instant::now() < until, "no receipt is kept: {answer}");
        sleep(Duration::from_millis(50));
    }
}

fn send(address: &str, request: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    stream
}
