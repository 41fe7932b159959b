//! Tools: what the engine gets, and what becomes of what it says.

use crate::support::{
    MODEL, Opened, Stack, chat,
    engine::{Script, ScriptedEngine},
};
use serde_json::{Value, json};

const CHAT: &str = "/v1/chat/completions";
const RESPONSES: &str = "/v1/responses";
const CALLED: &str = "so: <tool_call> {\"name\": \"f\", \"arguments\": {\"a\": 1}} </tool_call>";
const TOOLS: &str = r#","tools":[
    {"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{"a":{"type":"integer"}}}}},
    {"type":"function","function":{"name":"g"}}]"#;

async fn saying(words: &'static str) -> Stack {
    Stack::with(ScriptedEngine::new(Script::Says(words)), |_| ()).await
}

fn call(opened: &Opened) -> Value {
    opened.json()["choices"][0]["message"]["tool_calls"][0].clone()
}

#[tokio::test]
async fn a_call_that_the_model_makes() {
    let stack = saying(CALLED).await;
    let opened = stack.ask(CHAT, &chat(TOOLS)).await;
    let choice = &opened.json()["choices"][0];
    assert_eq!(choice["finish_reason"], "tool_calls");
    assert_eq!(choice["message"]["content"], "so:");
    let function = json!({"name": "f", "arguments": "{\"a\": 1}"});
    assert_eq!(call(&opened)["function"], function);
    let seen = stack.engine.last();
    assert!(seen.tools.unwrap().contains("\"name\":\"g\""));
    assert_eq!(seen.grammar, None);
}

#[tokio::test]
async fn a_call_in_a_stream() {
    let stack = saying(CALLED).await;
    let body = chat(&format!(r#"{TOOLS},"stream":true"#));
    let events = stack.ask(CHAT, &body).await.events();
    let deltas: Vec<_> = events
        .iter()
        .map(|event| event["choices"][0]["delta"].clone())
        .collect();
    assert_eq!(deltas[1], json!({"content": "so:"}));
    let begun = &deltas[2]["tool_calls"][0];
    assert_eq!(begun["function"], json!({"name": "f", "arguments": ""}));
    let arguments = &deltas[3]["tool_calls"][0]["function"]["arguments"];
    assert_eq!(arguments, "{\"a\": 1}");
    let last = events.last().unwrap();
    assert_eq!(last["choices"][0]["finish_reason"], "tool_calls");
}

#[tokio::test]
async fn a_function_that_must_be_called() {
    let stack = saying("{\"a\": 1}").await;
    let named = r#","tool_choice":{"type":"function","function":{"name":"f"}}"#;
    let opened = stack.ask(CHAT, &chat(&format!("{TOOLS}{named}"))).await;
    assert_eq!(call(&opened)["function"]["arguments"], "{\"a\": 1}");
    assert_eq!(
        opened.json()["choices"][0]["message"]["content"],
        Value::Null
    );
    let grammar: Value = serde_json::from_str(&stack.engine.last().grammar.unwrap()).unwrap();
    assert_eq!(grammar["properties"]["a"]["type"], "integer");
}

#[tokio::test]
async fn some_function_must_be_called() {
    let stack = saying(r#"[{"name":"g","arguments":{}},{"name":"f","arguments":{}}]"#).await;
    let required = format!(r#"{TOOLS},"tool_choice":"required""#);
    let opened = stack.ask(CHAT, &chat(&required)).await;
    assert_eq!(call(&opened)["function"]["name"], "g");
    let grammar: Value = serde_json::from_str(&stack.engine.last().grammar.unwrap()).unwrap();
    assert_eq!(grammar["minItems"], 1);
    let single = format!(r#"{required},"parallel_tool_calls":false"#);
    let opened = stack.ask(CHAT, &chat(&single)).await;
    let calls = opened.json()["choices"][0]["message"]["tool_calls"].clone();
    assert_eq!(calls.as_array().unwrap().len(), 1);
    let grammar: Value = serde_json::from_str(&stack.engine.last().grammar.unwrap()).unwrap();
    assert!(grammar["anyOf"].is_array());
}

#[tokio::test]
async fn a_response_calls_too() {
    let stack = saying(CALLED).await;
    let tools = r#","tools":[{"type":"function","name":"f"}]"#;
    let body = format!(r#"{{"model":"{MODEL}","input":"abc"{tools}}}"#);
    let response = stack.ask(RESPONSES, &body).await.json();
    assert_eq!(response["output"][0]["content"][0]["text"], "so:");
    assert_eq!(response["output"][1]["type"], "function_call");
    assert_eq!(response["output"][1]["arguments"], "{\"a\": 1}");
    assert_eq!(response["tools"][0]["name"], "f");
}

#[tokio::test]
async fn a_model_that_is_told_nothing_of_tools_calls_only_what_it_must() {
    let stack = Stack::start().await;
    let refused = stack.ask(CHAT, &chat(TOOLS)).await.error();
    assert_eq!(refused, (400, "unsupported_by_model".to_owned()));
    let none = format!(r#"{TOOLS},"tool_choice":"none""#);
    assert_eq!(stack.ask(CHAT, &chat(&none)).await.status, 200);
}

#[tokio::test]
async fn a_refusal_that_comes_late() {
    let stack = Stack::with(ScriptedEngine::new(Script::RefusesLater), |_| ()).await;
    let opened = stack.ask(CHAT, &chat("")).await;
    assert_eq!(opened.error(), (400, "engine_refused".to_owned()));
}
