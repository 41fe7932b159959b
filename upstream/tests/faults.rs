//! A server that does one thing wrong: the job fails, with a code for the operator, and nothing that is no answer is told as one.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod scripted;

use engine::{
    Engine, EngineError, FinishReason, Job, Prompt, Step, TenantId, Usage, chat::Message,
};
use scripted::{Scripted, config, events, json_answer};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::sync::mpsc::Receiver;
use upstream::{Address, Upstream, UpstreamConfig, UpstreamError};

type Seen = Arc<Mutex<Vec<UpstreamError>>>;

async fn connect(config: UpstreamConfig) -> (Upstream, Seen) {
    let seen = Seen::default();
    let told = Arc::clone(&seen);
    let observer = move |error| told.lock().unwrap().push(error);
    (Upstream::connect(config, observer).await.unwrap(), seen)
}

fn chat() -> Job {
    Job::new(Prompt::Chat(vec![Message::new("user", "hi")].into()))
}

/// All texts, and the end.
async fn told(mut steps: Receiver<Step>) -> (Vec<String>, Option<(FinishReason, Usage)>) {
    let mut texts = Vec::new();
    while let Some(step) = steps.recv().await {
        match step {
            Step::Begun { .. } => {}
            Step::Token { id, text, .. } => {
                assert_eq!(id, None);
                texts.push(text);
            }
            Step::Refused(error) => texts.push(error.code().to_owned()),
            Step::Done {
                reason,
                text,
                usage,
            } => {
                texts.push(text);
                assert!(steps.recv().await.is_none(), "nothing follows the end");
                return (texts, Some((reason, usage)));
            }
        }
    }
    (texts, None)
}

const WORDS: &str = r#"{"choices":[{"delta":{"content":"Hel"}}]}"#;
const MORE: &str = r#"{"choices":[{"delta":{"content":"lo"}}]}"#;
const STOP: &str = r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#;
const COUNTS: &str = r#"{"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":1}}}"#;

#[tokio::test]
async fn a_stream_is_told_in_order_with_its_counts() {
    for unix in [false, true] {
        let server = Scripted::start(events(&[WORDS, MORE, STOP, COUNTS, "[DONE]"]), unix).await;
        let (engine, seen) = connect(config(&server)).await;
        let (texts, end) = told(engine.submit(chat()).unwrap()).await;
        assert_eq!(texts, ["Hel", "lo", ""]);
        let usage = Usage {
            prompt_tokens: 5,
            cached_tokens: 1,
            completion_tokens: 2,
        };
        assert_eq!(end, Some((FinishReason::Stop, usage)));
        assert!(seen.lock().unwrap().is_empty());
        assert!(
            server
                .last()
                .contains(r#""messages":[{"role":"user","content":"hi"}]"#)
        );
    }
}

#[tokio::test]
async fn every_fault_has_its_code_and_no_end() {
    let late = r#"{"choices":[{"delta":{"content":"late"}}]}"#;
    let long = format!(
        r#"{{"choices":[{{"delta":{{"content":"{}"}}}}]}}"#,
        "x".repeat(1 << 20)
    );
    let error = r#"{"error":{"message":"out of memory"}}"#;
    let html = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 0\r\n\r\n".to_vec();
    let failed =
        b"HTTP/1.1 500 No\r\ncontent-type: text/event-stream\r\ncontent-length: 0\r\n\r\n".to_vec();
    for (answer, code) in [
        (failed, "engine.upstream.status"),
        (html, "engine.upstream.media_type"),
        (
            events(&[WORDS, "{", STOP, COUNTS, "[DONE]"]),
            "engine.upstream.malformed",
        ),
        (
            events(&[WORDS, STOP, "[DONE]"]),
            "engine.upstream.malformed",
        ),
        (
            events(&[WORDS, STOP, late, COUNTS, "[DONE]"]),
            "engine.upstream.malformed",
        ),
        (
            events(&[WORDS, COUNTS, "[DONE]"]),
            "engine.upstream.truncated",
        ),
        (
            events(&[WORDS, error, STOP, COUNTS, "[DONE]"]),
            "engine.upstream.truncated",
        ),
        (events(&[WORDS, STOP, COUNTS]), "engine.upstream.truncated"),
        (
            events(&[&long, STOP, COUNTS, "[DONE]"]),
            "engine.upstream.too_large",
        ),
        (b"nonsense".to_vec(), "engine.upstream.truncated"),
        (Vec::new(), "engine.upstream.truncated"),
    ] {
        let server = Scripted::start(answer, false).await;
        let (engine, seen) = connect(config(&server)).await;
        let (texts, end) = told(engine.submit(chat()).unwrap()).await;
        assert_eq!(end, None, "{code}: {texts:?}");
        let codes: Vec<_> = seen
            .lock()
            .unwrap()
            .iter()
            .map(UpstreamError::code)
            .collect();
        assert_eq!(codes, [code]);
    }
}

#[tokio::test]
async fn a_request_that_is_refused_is_told_as_that() {
    for status in [400, 413, 422] {
        let answer = format!("HTTP/1.1 {status} No\r\ncontent-length: 0\r\n\r\n");
        let server = Scripted::start(answer.into_bytes(), false).await;
        let (engine, _) = connect(config(&server)).await;
        let (texts, end) = told(engine.submit(chat()).unwrap()).await;
        assert_eq!((texts, end), (vec!["engine.refused".to_owned()], None));
    }
}

#[tokio::test]
async fn silence_has_its_limit() {
    let server = Scripted::silent(events(&[WORDS])).await;
    let patient = UpstreamConfig {
        patience: Duration::from_secs(2),
        ..config(&server)
    };
    let (engine, seen) = connect(patient).await;
    let (texts, end) = told(engine.submit(chat()).unwrap()).await;
    assert_eq!((texts, end), (vec!["Hel".to_owned()], None));
    assert_eq!(*seen.lock().unwrap(), [UpstreamError::TimedOut]);
}

#[tokio::test]
async fn whoever_goes_away_has_the_server_notice() {
    let server = Scripted::silent(events(&[WORDS])).await;
    let (engine, seen) = connect(config(&server)).await;
    let mut steps = engine.submit(chat()).unwrap();
    assert!(steps.recv().await.is_some());
    assert_eq!(engine.capacity(), 1);
    drop(steps);
    server.hung_up().await;
    while engine.capacity() != 2 {
        tokio::task::yield_now().await;
    }
    assert!(seen.lock().unwrap().is_empty(), "nothing failed");
}

#[tokio::test]
async fn slots_are_counted() {
    let server = Scripted::silent(events(&[WORDS])).await;
    let (engine, _) = connect(config(&server)).await;
    let taken = (
        engine.submit(chat()).unwrap(),
        engine.submit(chat()).unwrap(),
    );
    assert_eq!(engine.submit(chat()).err(), Some(EngineError::Busy));
    drop(taken);
}

#[tokio::test]
async fn embeddings_are_read_back() {
    let answer =
        json_answer(r#"{"data":[{"index":0,"embedding":[3,4]}],"usage":{"prompt_tokens":2}}"#);
    let server = Scripted::start(answer, false).await;
    let (engine, _) = connect(config(&server)).await;
    let vectors = engine
        .embed(vec![Prompt::text("x")], TenantId::default())
        .unwrap();
    assert!(vectors.await.unwrap().vectors == [[0.6, 0.8]]);
    assert!(server.last().contains("\"cache_salt\":"));
    let server = Scripted::start(json_answer("{}"), false).await;
    let (engine, seen) = connect(config(&server)).await;
    let vectors = engine
        .embed(vec![Prompt::text("x")], TenantId::default())
        .unwrap();
    assert!(vectors.await.is_err());
    assert_eq!(*seen.lock().unwrap(), [UpstreamError::Malformed]);
}

#[tokio::test]
async fn another_model_is_not_taken() {
    let server = Scripted::start(Vec::new(), false).await;
    let other = UpstreamConfig {
        model: "other".to_owned(),
        ..config(&server)
    };
    let refused = Upstream::connect(other, |_| {}).await.err();
    assert_eq!(refused, Some(UpstreamError::NoModel));
}

#[tokio::test]
async fn a_server_that_is_not_there_is_waited_for_and_then_told() {
    let server = Scripted::start(Vec::new(), false).await;
    let gone = UpstreamConfig {
        // A port that no other test is given meanwhile.
        address: Address::Loopback(([127, 0, 0, 1], 1).into()),
        patience: Duration::from_millis(600),
        ..config(&server)
    };
    let refused = Upstream::connect(gone, |_| {}).await.err().unwrap();
    assert_eq!(refused.code(), "engine.upstream.unreachable");
}

#[tokio::test]
async fn a_server_that_falls_ill_gets_nothing() {
    let server = Scripted::start(Vec::new(), false).await;
    let (engine, seen) = connect(config(&server)).await;
    assert_eq!(engine.capacity(), 2);
    server.fall_ill();
    while engine.capacity() > 0 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(engine.submit(chat()).err(), Some(EngineError::Busy));
    assert_eq!(*seen.lock().unwrap(), [UpstreamError::Status(503)]);
}
