//! What the runtime refuses outside the seal, and requests that were sealed for something else.

use crate::support::{
    MODEL, NOW, Stack, chat,
    engine::{Script, ScriptedEngine},
    get_request,
    http::{Outer, begin},
    json_request, open, policy_text, signed,
};
use attestation::UnixTime;
use protocol::client::ClientRequest;
use tee_sim::PolicyText;

const CHAT: &str = "/v1/chat/completions";
const SEALED: &str = "/narthex/v1/sealed";

async fn envelope(stack: &Stack) -> Vec<u8> {
    let body = chat("");
    let (sealed, _) = stack
        .sealer()
        .await
        .seal(&json_request(CHAT, &body), stack.now())
        .unwrap();
    sealed.envelope
}

/// R9.1.
#[tokio::test]
async fn anything_unsealed() {
    let stack = Stack::start().await;
    let body = chat("");
    let refused = (421, "runtime.unsealed".to_owned());
    let json = Outer::post(CHAT, body.as_bytes()).media_type("application/json");
    assert_eq!(stack.send(json).await.problem(), refused);
    for path in [
        "/",
        "/v1/models",
        "/metrics",
        "/narthex/v1/keys/",
        "/narthex/v1/sealed/x",
        SEALED,
    ] {
        assert_eq!(
            stack.send(Outer::get(path)).await.problem(),
            refused,
            "{path}"
        );
    }
    assert_eq!(
        stack
            .send(Outer::post("/narthex/v1/keys", b""))
            .await
            .problem(),
        refused
    );
}

/// The refusal comes although most of the announced body never does.
#[tokio::test]
async fn an_unsealed_body_is_not_read() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let stack = Stack::start().await;
    let mut stream = tokio::net::TcpStream::connect(stack.address).await.unwrap();
    let head = format!("POST {CHAT} HTTP/1.1\r\nhost: node\r\ncontent-length: 1000000\r\n\r\n{{");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    assert!(
        answer.starts_with(b"HTTP/1.1 421 "),
        "{}",
        String::from_utf8_lossy(&answer)
    );
}

#[tokio::test]
async fn health_is_told_to_everyone() {
    let stack = Stack::start().await;
    assert_eq!(stack.send(Outer::get("/healthz")).await.status, 200);
}

#[tokio::test]
async fn challenges_of_another_length() {
    let stack = Stack::start().await;
    for length in [0, 31, 33, 1 << 20] {
        let nonce = vec![1; length];
        let answer = stack
            .send(Outer::post("/narthex/v1/challenge", &nonce))
            .await;
        assert_eq!(answer.problem(), (400, "runtime.challenge".to_owned()));
    }
}

#[tokio::test]
async fn another_media_type_or_an_encoding() {
    let stack = Stack::start().await;
    let envelope = envelope(&stack).await;
    let refused = (415, "runtime.media_type".to_owned());
    assert_eq!(
        stack.send(Outer::post(SEALED, &envelope)).await.problem(),
        refused
    );
    let answer = Outer::post(SEALED, &envelope).media_type("message/ohttp-res");
    assert_eq!(stack.send(answer).await.problem(), refused);
    let encoded = Outer::post(SEALED, &envelope)
        .media_type(protocol::REQUEST_MEDIA_TYPE)
        .header("content-encoding", "gzip");
    assert_eq!(stack.send(encoded).await.problem(), refused);
}

#[tokio::test]
async fn a_chunked_envelope_that_is_called_one_shot() {
    let stack = Stack::start().await;
    let envelope = envelope(&stack).await;
    let one_shot = Outer::post(SEALED, &envelope).media_type("message/ohttp-req");
    let refused = (400, "runtime.envelope".to_owned());
    assert_eq!(stack.send(one_shot).await.problem(), refused);
    assert_eq!(stack.post(&envelope).await.status, 200);
}

#[tokio::test]
async fn an_unknown_key_id() {
    let stack = Stack::start().await;
    let mut envelope = envelope(&stack).await;
    envelope[0] ^= 1;
    let answer = stack.post(&envelope).await;
    assert_eq!(answer.problem(), (400, "runtime.key".to_owned()));
    let kind = "https://iana.org/assignments/http-problem-types#ohttp-key";
    assert_eq!(answer.json()["type"], kind);
}

#[tokio::test]
async fn a_replay() {
    let stack = Stack::start().await;
    let envelope = envelope(&stack).await;
    assert_eq!(stack.post(&envelope).await.status, 200);
    assert_eq!(
        stack.post(&envelope).await.problem(),
        (400, "runtime.envelope".to_owned())
    );
}

/// R9.2.
#[tokio::test]
async fn every_other_fault_of_an_envelope_gets_the_same_answer() {
    let stack = Stack::start().await;
    let good = envelope(&stack).await;
    let mut flipped = good.clone();
    *flipped.last_mut().unwrap() ^= 1;
    let mut longer = good.clone();
    longer.push(0);
    let shorter = good[..good.len() - 1].to_vec();
    let cut_at_a_chunk = good[..8].to_vec();
    let mut bodies = Vec::new();
    for bad in [
        flipped,
        longer,
        shorter,
        cut_at_a_chunk,
        Vec::new(),
        vec![0xff; 4096],
    ] {
        let answer = stack.post(&bad).await;
        // The key id of random bytes may be unknown, which is told.
        if answer.json()["code"] != "runtime.key" {
            assert_eq!(answer.problem(), (400, "runtime.envelope".to_owned()));
            bodies.push(answer.body);
        }
    }
    assert!(bodies.len() >= 5);
    assert!(
        bodies.windows(2).all(|pair| pair[0] == pair[1]),
        "nobody learns which fault it was"
    );
}

#[tokio::test]
async fn an_oversized_body() {
    let stack = Stack::with(ScriptedEngine::default(), |parts| {
        parts.limits.max_request_bytes = 1024;
    })
    .await;
    let sealer = stack.sealer().await;
    for (length, status) in [(1024, 200), (1025, 400)] {
        let body = " ".repeat(length);
        let (sealed, _) = sealer
            .seal(&json_request(CHAT, &body), stack.now())
            .unwrap();
        assert_eq!(stack.post(&sealed.envelope).await.status, status);
    }
}

#[tokio::test]
async fn an_envelope_that_does_not_arrive() {
    let stack = Stack::with(ScriptedEngine::default(), |parts| {
        parts.limits.envelope_timeout = std::time::Duration::from_millis(50);
    })
    .await;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(stack.address).await.unwrap();
    let head = format!(
        "POST {SEALED} HTTP/1.1\r\nhost: node\r\ncontent-length: 99\r\ncontent-type: {}\r\n\r\n",
        protocol::REQUEST_MEDIA_TYPE
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    assert!(
        answer.starts_with(b"HTTP/1.1 400 "),
        "{}",
        String::from_utf8_lossy(&answer)
    );
}

#[tokio::test]
async fn more_at_once_than_allowed() {
    let stack = Stack::with(ScriptedEngine::new(Script::Wait), |parts| {
        parts.limits.max_in_flight = 1;
    })
    .await;
    let body = chat(r#","stream":true"#);
    let sealer = stack.sealer().await;
    let (first, opener) = sealer
        .seal(&json_request(CHAT, &body), stack.now())
        .unwrap();
    let outer = Outer::post(SEALED, &first.envelope).media_type(protocol::REQUEST_MEDIA_TYPE);
    let running = begin(stack.address, outer).await;
    let (second, _) = sealer
        .seal(&json_request(CHAT, &body), stack.now())
        .unwrap();
    let answer = stack.post(&second.envelope).await;
    assert_eq!(answer.problem(), (503, "runtime.busy".to_owned()));
    assert_eq!(answer.headers["retry-after"], "1");
    stack.engine.release();
    let body = http_body_util::BodyExt::collect(running.into_body())
        .await
        .unwrap()
        .to_bytes();
    assert!(open(opener, &body).receipt.is_ok());
}

/// The next epoch begins; clients of the old one are told to fetch keys again.
#[tokio::test]
async fn a_full_replay_set() {
    let stack = Stack::with(ScriptedEngine::default(), |parts| {
        parts.limits.replay_capacity = 1;
    })
    .await;
    let sealer = stack.sealer().await;
    let request = get_request("/v1/models");
    let seal = || sealer.seal(&request, stack.now()).unwrap().0.envelope;
    assert_eq!(stack.post(&seal()).await.status, 200);
    assert_eq!(
        stack.post(&seal()).await.problem(),
        (503, "runtime.busy".to_owned())
    );
    assert_eq!(
        stack.post(&seal()).await.problem(),
        (400, "runtime.key".to_owned())
    );
    let receipt = stack.exchange(&request).await.receipt.unwrap();
    assert_eq!(receipt.epoch, NOW.0 + 1);
}

#[tokio::test]
async fn sealed_at_another_time() {
    let stack = Stack::start().await;
    let sealer = stack.sealer().await;
    let request = get_request("/v1/models");
    for (issued_at, status) in [(NOW.plus(300), 200), (NOW.plus(301), 421)] {
        let (sealed, opener) = sealer.seal(&request, issued_at).unwrap();
        let opened = open(opener, &stack.post(&sealed.envelope).await.body);
        assert_eq!(opened.status, status);
        assert!(opened.receipt.is_ok());
    }
}

#[tokio::test]
async fn sealed_for_another_place_or_model() {
    let stack = Stack::start().await;
    let in_country = |country| ClientRequest {
        residency: Some(country),
        ..get_request("/v1/models")
    };
    assert_eq!(stack.exchange(&in_country("FR")).await.status, 200);
    let elsewhere = stack.exchange(&in_country("DE")).await;
    assert_eq!(
        elsewhere.error(),
        (421, "sealed_header_mismatch".to_owned())
    );
    let body = chat("").replace(MODEL, "other");
    let other = ClientRequest {
        model: Some("other"),
        ..json_request(CHAT, &body)
    };
    assert_eq!(
        stack.exchange(&other).await.error(),
        (404, "model_not_found".to_owned())
    );
}

/// R9.4.
#[tokio::test]
async fn sealed_under_an_attestation_that_is_over() {
    let policy = PolicyText {
        max_age_seconds: 60,
        ..policy_text()
    };
    // The runtime's own: the client's lets an attestation be older.
    let stack = Stack::with(ScriptedEngine::default(), |parts| {
        parts.in_force = signed(&policy.to_toml());
    })
    .await;
    let mismatch = (421, "sealed_header_mismatch".to_owned());
    let request = get_request("/v1/models");
    let sealer = stack.sealer().await;
    let ask = async |sealer: &protocol::Sealer, at: UnixTime| {
        let (sealed, opener) = sealer.seal(&request, at).unwrap();
        open(opener, &stack.post(&sealed.envelope).await.body)
    };
    stack.turn_clock(NOW.plus(359));
    assert_eq!(ask(&sealer, NOW.plus(359)).await.status, 200);
    stack.turn_clock(NOW.plus(360));
    let late = ask(&sealer, NOW.plus(360)).await;
    assert_eq!(late.error(), mismatch);
    assert_eq!(late.receipt.unwrap().status, 421);
}

#[tokio::test]
async fn sealed_under_an_attestation_that_made_room() {
    let stack = Stack::with(ScriptedEngine::default(), |parts| {
        parts.limits.max_bindings = 1;
    })
    .await;
    let forgotten = stack.sealer().await;
    let answer = stack
        .send(Outer::post("/narthex/v1/challenge", &[0x43; 32]))
        .await;
    assert_eq!(answer.status, 200);
    let (sealed, opener) = forgotten.seal(&get_request("/v1/models"), NOW).unwrap();
    let opened = open(opener, &stack.post(&sealed.envelope).await.body);
    assert_eq!(opened.error(), (421, "sealed_header_mismatch".to_owned()));
}
