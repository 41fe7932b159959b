//! A node that dies in the middle of an answer: nothing is shown as whole, and the next request goes to the other node.
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
    time::Duration,
};
use tests::{
    fleet::{SNP_NODE, TDX_NODE},
    stack::MODEL,
};

/// For what the proxy prints about an answer that has ended.
const PATIENCE: Duration = Duration::from_secs(10);

/// R11.2, and that an SDK behind the proxy sees the answer break off.
#[test]
fn a_node_killed_in_mid_stream_is_a_broken_answer_and_the_next_request_goes_elsewhere() {
    let stack = shared::stack_of_two();
    let proxy = shared::proxy(stack);
    let address = proxy.base_url.trim_start_matches("http://");
    let address = address.trim_end_matches("/v1");

    let mut stream = post(
        address,
        r#","stream":true,"max_tokens":4000,"temperature":0,"logit_bias":{"0":-100,"2":-100}"#,
    );
    let mut answer = String::new();
    while !answer.contains("\"content\":\"") {
        assert!(read_some(&mut stream, &mut answer), "{answer}");
    }
    assert!(
        answer.contains(&format!("narthex-node: {SNP_NODE}")),
        "{answer}"
    );
    stack.runtime.say(&format!("kill {SNP_NODE}")).unwrap();
    while read_some(&mut stream, &mut answer) {}
    assert!(!answer.contains("[DONE]"), "{answer}");
    assert!(!answer.ends_with("\r\n0\r\n\r\n"), "no clean end: {answer}");
    let is_told = proxy.process.tells("channel.interrupted", PATIENCE);
    let told = String::from_utf8_lossy(&proxy.process.output()).into_owned();
    assert!(is_told, "{told}");

    let mut stream = post(address, r#","max_tokens":4"#);
    let mut answer = String::new();
    while read_some(&mut stream, &mut answer) {}
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(
        answer.contains(&format!("narthex-node: {TDX_NODE}")),
        "{answer}"
    );

    let output = stack
        .client()
        .arg("chat")
        .args(stack.connection("policy.json", "state-client"))
        .args(["--max-tokens", "4", "Hello"])
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "a client that begins now goes there too: {told}"
    );
    assert!(told.contains(&format!("node {TDX_NODE}")), "{told}");
}

/// A question to the proxy, with `more` in its body; the connection is closed after the answer.
fn post(address: &str, more: &str) -> TcpStream {
    let question = "Tell a long story about a lighthouse.";
    let body = format!(
        r#"{{"model":"{MODEL}","messages":[{{"role":"user","content":"{question}"}}]{more}}}"#
    );
    let mut stream = TcpStream::connect(address).unwrap();
    let patience = Some(Duration::from_secs(120));
    stream.set_read_timeout(patience).unwrap();
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body.as_bytes()).unwrap();
    stream
}

/// Reads on; false once the connection has ended, however it did.
fn read_some(stream: &mut TcpStream, text: &mut String) -> bool {
    let mut buffer = [0; 4096];
    match stream.read(&mut buffer) {
        Ok(0) => false,
        Ok(n) => {
            text.push_str(&String::from_utf8_lossy(&buffer[..n]));
            true
        }
        Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => false,
        Err(error) => panic!("{error}: {text}"),
    }
}
