//! Responses.

use crate::support::{
    MODEL, NOW, Stack,
    engine::{Script, ScriptedEngine},
    get_request,
};
use protocol::{OpenError, Outcome};
use serde_json::Value;

const PATH: &str = "/v1/responses";

fn body(rest: &str) -> String {
    format!(r#"{{"model":"{MODEL}","input":"abc"{rest}}}"#)
}

/// The events of a stream, each with its name.
fn events(text: &str) -> Vec<(String, Value)> {
    let events = text.split_terminator("\n\n").map(|event| {
        let (name, data) = event.split_once('\n').unwrap();
        let name = name.strip_prefix("event: ").unwrap().to_owned();
        let data = data.strip_prefix("data: ").unwrap();
        (name, serde_json::from_str(data).unwrap())
    });
    events.collect()
}

#[tokio::test]
async fn a_whole_response() {
    let stack = Stack::start().await;
    let body = body(r#","instructions":"x","temperature":0.5,"metadata":{"a":"b"}"#);
    let opened = stack.ask(PATH, &body).await;
    let response = opened.json();
    assert_eq!(response["object"], "response");
    assert_eq!(response["created_at"], NOW.0);
    assert_eq!(response["status"], "completed");
    assert_eq!(response["output"][0]["content"][0]["text"], "Hello!");
    assert_eq!(response["usage"]["input_tokens"], 4);
    assert_eq!(response["usage"]["output_tokens"], 3);
    assert_eq!(response["temperature"], 0.5);
    assert_eq!(response["metadata"]["a"], "b");
    assert_eq!(response["store"], false);
    assert_eq!(stack.engine.last().prompt, b"xabc".map(u32::from));
    assert_eq!(opened.receipt.unwrap().temperature_milli, 500);
}

#[tokio::test]
async fn a_streamed_response() {
    let stack = Stack::start().await;
    let opened = stack.ask(PATH, &body(r#","stream":true"#)).await;
    assert_eq!(opened.header("content-type"), Some("text/event-stream"));
    let events = events(opened.text());
    for (number, (name, data)) in events.iter().enumerate() {
        assert_eq!(data["type"], *name);
        assert_eq!(data["sequence_number"], number);
    }
    let said = events.iter().filter_map(|(_, data)| data["delta"].as_str());
    assert_eq!(said.collect::<String>(), "Hello!");
    let (name, last) = events.last().unwrap();
    assert_eq!(name, "response.completed");
    assert_eq!(last["response"]["usage"]["total_tokens"], 6);
    assert!(opened.receipt.is_ok());
}

#[tokio::test]
async fn a_response_that_breaks_off() {
    let stack = Stack::with(ScriptedEngine::new(Script::BreakOff), |_| ()).await;
    let opened = stack.ask(PATH, &body(r#","stream":true"#)).await;
    let events = events(opened.text());
    let (name, last) = events.last().unwrap();
    assert_eq!(
        (name.as_str(), last["code"].as_str()),
        ("error", Some("engine_failed"))
    );
    assert_eq!(opened.receipt, Err(OpenError::Outcome(Outcome::Failed)));
}

#[tokio::test]
async fn nothing_is_kept() {
    let stack = Stack::start().await;
    let opened = stack
        .ask(PATH, &body(r#","previous_response_id":"resp_1""#))
        .await;
    assert_eq!(opened.error(), (400, "nothing_is_kept".to_owned()));
    let asked = stack.exchange(&get_request("/v1/responses/resp_1")).await;
    assert_eq!(asked.error(), (404, "nothing_is_kept".to_owned()));
}
