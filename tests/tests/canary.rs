//! A marked prompt: found in the runtime while it works (the control), and nowhere else.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod shared;

use attestation::{EvidenceBundle, Nonce, UnixTime};
use policy::Appraiser;
use protocol::{SignedKeyConfigs, client::ClientRequest};
use provision::read_trust_root;
use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::Stdio,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tests::{
    memory::{count, occurrences},
    stack::{MODEL, Stack},
};

/// Random enough to stand nowhere by chance, and without a character that JSON escapes.
fn marker(name: &str) -> String {
    format!(
        "canary-{name}-{:x}",
        now().0.wrapping_mul(0x9e37_79b9_7f4a_7c15)
    )
}

#[expect(
    clippy::disallowed_methods,
    reason = "a marker must be new in every run"
)]
fn now() -> UnixTime {
    UnixTime(
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_secs(),
    )
}

/// The gateway's logs, metrics, memory and both of its wires.
fn gateway_sees(stack: &Stack, marker: &[u8]) -> Vec<(&'static str, usize)> {
    let metrics = get(&stack.admin.to_string(), "/metrics");
    assert!(count(&metrics, b"narthex") > 0, "the metrics were read");
    vec![
        ("memory", occurrences(stack.gateway.id(), marker).unwrap()),
        ("log", count(&stack.gateway.output(), marker)),
        ("metrics", count(&metrics, marker)),
        (
            "outer wire",
            count(&stack.outer_wire.recording().unwrap(), marker),
        ),
        (
            "inner wire",
            count(&stack.inner_wire.recording().unwrap(), marker),
        ),
    ]
}

#[test]
fn a_prompt_is_in_the_runtime_while_it_works_and_never_in_the_gateway() {
    let stack = shared::stack();
    let marker = marker("prompt");
    let (envelope, cut) = sealed_request(stack, &marker);
    let mut connection = TcpStream::connect(&stack.runtime.ready).unwrap();
    connection
        .set_read_timeout(Some(Duration::from_secs(120)))
        .unwrap();
    let head = format!(
        "POST /narthex/v1/sealed HTTP/1.1\r\nhost: runtime\r\ncontent-type: message/ohttp-chunked-req\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        envelope.len()
    );
    connection.write_all(head.as_bytes()).unwrap();
    connection.write_all(&envelope[..cut]).unwrap();

    let found = eventually(|| occurrences(stack.runtime.id(), marker.as_bytes()).unwrap());
    assert!(
        found > 0,
        "control: the marker is in the runtime while it works"
    );

    connection.write_all(&envelope[cut..]).unwrap();
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer).unwrap();
    assert!(
        answer.starts_with(b"HTTP/1.1 200"),
        "{}",
        String::from_utf8_lossy(&answer[..answer.len().min(300)])
    );
    assert_eq!(count(&answer, marker.as_bytes()), 0, "the answer is sealed");

    let left = vanishes(|| occurrences(stack.runtime.id(), marker.as_bytes()).unwrap());
    assert_eq!(left, 0, "the runtime wipes what it freed");
    assert_eq!(
        count(&stack.runtime.output(), marker.as_bytes()),
        0,
        "the runtime's log"
    );
    for (place, hits) in gateway_sees(stack, marker.as_bytes()) {
        assert_eq!(hits, 0, "the gateway's {place}");
    }
}

#[test]
fn a_prompt_that_passed_the_gateway_left_no_trace_in_it() {
    let stack = shared::stack();
    let marker = marker("relayed");
    let mut chat = stack.client();
    chat.arg("chat")
        .args(stack.connection("policy.json", "state-client"));
    let question = format!("Repeat this word: {marker}");
    let mut child = chat
        .args(["--max-tokens", "48", "--temperature", "0", &question])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut first = vec![0];
    let mut answer = BufReader::new(child.stdout.take().unwrap());
    answer.read_exact(&mut first).unwrap();
    let during = gateway_sees(stack, marker.as_bytes());
    answer.read_until(0, &mut first).unwrap();
    assert!(child.wait().unwrap().success());
    for (place, hits) in during
        .into_iter()
        .chain(gateway_sees(stack, marker.as_bytes()))
    {
        assert_eq!(hits, 0, "the gateway's {place}");
    }

    // Control: what the gateway may see is found by the very same search.
    assert!(
        occurrences(stack.gateway.id(), b"demo-node-1").unwrap() > 0,
        "the gateway's memory was searched"
    );
    assert!(
        count(
            &stack.inner_wire.recording().unwrap(),
            b"message/ohttp-chunked-req"
        ) > 0,
        "the inner wire was recorded"
    );
    assert!(
        stack.outer_wire.recording().unwrap().len() > 10_000,
        "the outer wire was recorded"
    );
}

/// An envelope whose first chunk carries the marker, and where to cut it so that only this chunk has arrived.
fn sealed_request(stack: &Stack, marker: &str) -> (Vec<u8>, usize) {
    let nonce = Nonce(attestation::crypto::sha256(marker.as_bytes()));
    let bundle = post(&stack.runtime.ready, "/narthex/v1/challenge", &nonce.0);
    let bundle = EvidenceBundle::from_cbor(&bundle).unwrap();
    let admitted = appraiser(stack).appraise(&bundle, &nonce, now()).unwrap();
    let keys = SignedKeyConfigs::from_bytes(bundle.key_configs.unwrap());
    let sealer = protocol::Sealer::new(&admitted, &keys, now()).unwrap();
    let filler = "responsibilities ".repeat(1200);
    let body = format!(
        r#"{{"model":"{MODEL}","max_tokens":4,"temperature":0,"messages":[{{"role":"user","content":"{marker} {filler}"}}]}}"#
    );
    let request = ClientRequest {
        method: "POST",
        path: "/v1/chat/completions",
        content_type: Some("application/json"),
        body: body.as_bytes(),
        model: Some(MODEL),
        residency: None,
        request_id: [0x42; 16],
        tenant: None,
        cache_secret: None,
    };
    let (sealed, _) = sealer.seal(&request, now()).unwrap();
    let cut = sealed.envelope.len() - 2000;
    (sealed.envelope, cut)
}

fn appraiser(stack: &Stack) -> Appraiser {
    let file = |name: &str| stack.directory.file(name);
    let root = read_trust_root(&[file("alice.pub.pem"), file("bob.pub.pem")], None).unwrap();
    let envelope = policy::Envelope::from_json(&fs::read(file("policy.json")).unwrap()).unwrap();
    let policy = policy::Policy::from_envelope(&envelope, &root).unwrap();
    #[expect(
        clippy::disallowed_methods,
        reason = "the test's client trusts the simulated vendor"
    )]
    let policy = policy::danger::accept_custom_anchors(policy);
    let verifier = tests::fleet::verifier(&stack.directory.file("")).unwrap();
    Appraiser::new(verifier, policy)
}

fn eventually(look: impl Fn() -> usize) -> usize {
    (0..50)
        .map(|_| {
            std::thread::sleep(Duration::from_millis(50));
            look()
        })
        .find(|found| *found > 0)
        .unwrap_or(0)
}

fn vanishes(look: impl Fn() -> usize) -> usize {
    (0..50)
        .map(|_| {
            std::thread::sleep(Duration::from_millis(50));
            look()
        })
        .find(|found| *found == 0)
        .unwrap_or_else(look)
}

fn get(address: &str, path: &str) -> Vec<u8> {
    exchange(
        address,
        format!("GET {path} HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n").as_bytes(),
        &[],
    )
}

fn post(address: &str, path: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: h\r\ncontent-type: application/octet-stream\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    exchange(address, head.as_bytes(), body)
}

/// The body of an answer that has a length or ends with its connection.
fn exchange(address: &str, head: &[u8], body: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    stream.write_all(head).unwrap();
    stream.write_all(body).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let end = answer
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .unwrap();
    assert!(
        answer.starts_with(b"HTTP/1.1 200"),
        "{}",
        String::from_utf8_lossy(&answer[..end])
    );
    answer.split_off(end + 4)
}
