//! Vectors.

use crate::support::{
    MODEL, Stack, chat,
    engine::{Script, ScriptedEngine},
};
use serde_json::json;

const PATH: &str = "/v1/embeddings";

fn body(rest: &str) -> String {
    format!(r#"{{"model":"{MODEL}","input":["a","bcd"]{rest}}}"#)
}

async fn stack() -> Stack {
    Stack::with(ScriptedEngine::new(Script::Vectors), |_| ()).await
}

#[tokio::test]
async fn vectors_come_in_their_order() {
    let opened = stack().await.ask(PATH, &body("")).await;
    let answer = opened.json();
    assert_eq!(answer["data"][0]["embedding"], json!([1.0, -0.1]));
    assert_eq!(answer["data"][1]["embedding"], json!([3.0, -0.1]));
    assert_eq!(answer["model"], MODEL);
    assert_eq!(
        answer["usage"],
        json!({"prompt_tokens": 4, "total_tokens": 4})
    );
    let receipt = opened.receipt.unwrap();
    assert_eq!(receipt.usage.prompt_tokens, 4);
    assert_eq!((receipt.usage.completion_tokens, receipt.seed), (0, 0));
}

#[tokio::test]
async fn base64_as_the_sdks_ask() {
    let answer = stack()
        .await
        .ask(PATH, &body(r#","encoding_format":"base64""#))
        .await;
    assert_eq!(answer.json()["data"][0]["embedding"], "AACAP83MzL0=");
}

#[tokio::test]
async fn refusals_have_codes() {
    let vectors = stack().await;
    for (rest, code) in [
        (r#","dimensions":3"#, "unsupported_parameter"),
        (r#","encoding_format":"hex""#, "invalid_value"),
        (r#","surprise":1"#, "unsupported_parameter"),
    ] {
        let opened = vectors.ask(PATH, &body(rest)).await;
        assert_eq!(opened.error(), (400, code.to_owned()));
        assert!(opened.receipt.is_ok());
    }
    let other = body("").replace(MODEL, "other");
    let unknown = vectors.ask(PATH, &other).await.error();
    assert_eq!(unknown, (404, "model_not_found".to_owned()));
    let busy = Stack::with(ScriptedEngine::new(Script::Busy), |_| ()).await;
    let busy = busy.ask(PATH, &body("")).await.error();
    assert_eq!(busy, (503, "engine_busy".to_owned()));
}

#[tokio::test]
async fn a_model_does_what_it_does() {
    let refused = (400, "unsupported_by_model".to_owned());
    let asked = Stack::start().await.ask(PATH, &body("")).await;
    assert_eq!(asked.error(), refused);
    let asked = stack().await.ask("/v1/chat/completions", &chat("")).await;
    assert_eq!(asked.error(), refused);
}
