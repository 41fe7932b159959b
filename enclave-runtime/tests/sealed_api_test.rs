//! The OpenAI API inside the seal, end to end: challenge, admission, seal, answer, receipt.

use crate::support::{
    MODEL, NOW, Stack, chat,
    engine::{Script, ScriptedEngine},
    get_request, json_request,
};
use protocol::{OpenError, Outcome, Usage, client::ClientRequest};
use serde_json::json;
use std::{sync::Arc, time::Duration};

const CHAT: &str = "/v1/chat/completions";
const TEXT: &str = "/v1/completions";

#[tokio::test]
async fn a_whole_chat() {
    let stack = Stack::start().await;
    let opened = stack.ask(CHAT, &chat("")).await;
    assert_eq!(opened.status, 200);
    assert_eq!(opened.header("content-type"), Some("application/json"));
    let answer = opened.json();
    assert_eq!(answer["object"], "chat.completion");
    assert_eq!(answer["model"], MODEL);
    assert_eq!(answer["created"], NOW.0);
    assert_eq!(
        answer["choices"],
        json!([{"index": 0, "message": {"role": "assistant", "content": "Hello!", "refusal": null}, "logprobs": null, "finish_reason": "stop"}])
    );
    assert_eq!(
        answer["usage"],
        json!({"prompt_tokens": 3, "completion_tokens": 3, "total_tokens": 6, "prompt_tokens_details": {"cached_tokens": 1}})
    );
}

#[tokio::test]
async fn a_streamed_chat() {
    let stack = Stack::start().await;
    let body = chat(r#","stream":true,"stream_options":{"include_usage":true}"#);
    let opened = stack.ask(CHAT, &body).await;
    assert_eq!(opened.header("content-type"), Some("text/event-stream"));
    let events = opened.events();
    let deltas: Vec<_> = events
        .iter()
        .map(|event| event["choices"][0]["delta"].clone())
        .collect();
    assert_eq!(deltas[0]["role"], "assistant");
    assert_eq!(
        deltas[1..4],
        [
            json!({"content": "Hel"}),
            json!({"content": "lo"}),
            json!({"content": "!"})
        ]
    );
    assert_eq!(events[4]["choices"][0]["finish_reason"], "stop");
    assert_eq!(events[5]["choices"], json!([]));
    assert_eq!(events[5]["usage"]["total_tokens"], 6);
    assert_eq!(events.len(), 6);
    assert!(opened.receipt.is_ok());
}

#[tokio::test]
async fn a_text_whole_and_streamed() {
    let stack = Stack::start().await;
    let body = |rest| format!(r#"{{"model":"{MODEL}","prompt":"abcd"{rest}}}"#);
    let whole = stack.ask(TEXT, &body("")).await.json();
    assert_eq!(whole["object"], "text_completion");
    assert_eq!(whole["choices"][0]["text"], "Hello!");
    let events = stack.ask(TEXT, &body(r#","stream":true"#)).await.events();
    let text: String = events
        .iter()
        .map(|event| event["choices"][0]["text"].as_str().unwrap())
        .collect();
    assert_eq!(text, "Hello!");
    assert_eq!(
        events.last().unwrap()["choices"][0]["finish_reason"],
        "stop"
    );
}

#[tokio::test]
async fn models() {
    let stack = Stack::start().await;
    let list = stack.exchange(&get_request("/v1/models")).await;
    assert_eq!(list.json()["data"][0]["id"], MODEL);
    assert!(list.receipt.is_ok());
    let one = stack
        .exchange(&get_request(&format!("/v1/models/{MODEL}")))
        .await;
    assert_eq!(one.json()["object"], "model");
    let none = stack.exchange(&get_request("/v1/models/other")).await;
    assert_eq!(none.error(), (404, "model_not_found".to_owned()));
}

#[tokio::test]
async fn what_the_client_set_reaches_engine_and_receipt() {
    let stack = Stack::start().await;
    let body = chat(r#","temperature":0.7,"top_p":0.9,"seed":42,"max_tokens":5,"stop":["x","yz"]"#);
    let receipt = stack.ask(CHAT, &body).await.receipt.unwrap();
    let seen = stack.engine.last();
    assert_eq!(seen.prompt, [97, 98, 99]);
    assert_eq!(seen.max_tokens, Some(5));
    assert_eq!(
        (
            seen.sampling.temperature,
            seen.sampling.top_p,
            seen.sampling.seed
        ),
        (0.7, 0.9, 42)
    );
    assert_eq!(seen.stop, [b"x".to_vec(), b"yz".to_vec()]);
    assert_eq!(
        (receipt.temperature_milli, receipt.top_p_milli, receipt.seed),
        (700, 900, 42)
    );
}

#[tokio::test]
async fn an_answer_may_fill_the_context() {
    let stack = Stack::start().await;
    stack.ask(CHAT, &chat("")).await;
    assert_eq!(stack.engine.last().max_tokens, None);
}

#[tokio::test]
async fn the_receipt_says_what_was_served() {
    let stack = Stack::start().await;
    let receipt = stack.ask(CHAT, &chat("")).await.receipt.unwrap();
    assert_eq!(receipt.request_id, [9; 16]);
    assert_eq!(
        (receipt.model.as_str(), receipt.model_digest),
        (MODEL, [1; 32])
    );
    assert_eq!((receipt.node.as_str(), receipt.status), ("node-1", 200));
    assert_eq!((receipt.received_at, receipt.finished_at), (NOW, NOW));
    assert_eq!(receipt.residency.as_deref(), Some("FR"));
    assert_eq!(receipt.cache_scope, "request");
    assert_eq!(
        (receipt.engine.as_str(), receipt.isa.as_str()),
        ("cpu/scripted", "scalar")
    );
    assert_eq!(receipt.kernels_digest, [4; 32]);
    assert_eq!(receipt.epoch, NOW.0);
    let usage = Usage {
        prompt_tokens: 3,
        completion_tokens: 3,
    };
    assert_eq!(receipt.usage, usage);
}

/// R7.5.
#[tokio::test]
async fn refusals_have_codes_and_receipts() {
    let stack = Stack::start().await;
    for (path, body, status, code) in [
        (CHAT, chat(r#","echo":true"#), 400, "unsupported_parameter"),
        (CHAT, chat(r#","surprise":1"#), 400, "unsupported_parameter"),
        (CHAT, chat(r#","temperature":3"#), 400, "invalid_value"),
        (
            CHAT,
            chat(r#","max_tokens":62"#),
            400,
            "context_length_exceeded",
        ),
        (CHAT, "{".to_owned(), 400, "invalid_json"),
        (
            CHAT,
            r#"{"model":"m"}"#.to_owned(),
            400,
            "missing_required_parameter",
        ),
        (
            CHAT,
            chat("").replace(MODEL, "other"),
            404,
            "model_not_found",
        ),
        (
            TEXT,
            format!(r#"{{"model":"{MODEL}","prompt":""}}"#),
            400,
            "empty_prompt",
        ),
        ("/v1/moderations", "{}".to_owned(), 404, "unknown_url"),
    ] {
        let opened = stack.ask(path, &body).await;
        assert_eq!(opened.error(), (status, code.to_owned()), "{body}");
        let receipt = opened.receipt.unwrap();
        assert_eq!((receipt.status, receipt.usage), (status, Usage::default()));
    }
}

#[tokio::test]
async fn an_error_names_the_parameter() {
    let stack = Stack::start().await;
    let error = stack
        .ask(CHAT, &chat(r#","logit_bias":{"1":200}"#))
        .await
        .json()["error"]
        .clone();
    assert_eq!(error["param"], "logit_bias");
    assert_eq!(error["type"], "invalid_request_error");
    assert!(error["message"].as_str().unwrap().contains("logit_bias"));
}

#[tokio::test]
async fn the_method_and_the_media_type_must_be_right() {
    let stack = Stack::start().await;
    let body = chat("");
    let plain = ClientRequest {
        content_type: Some("text/plain"),
        ..json_request(CHAT, &body)
    };
    assert_eq!(
        stack.exchange(&plain).await.error(),
        (415, "unsupported_media_type".to_owned())
    );
    let with_charset = ClientRequest {
        content_type: Some("application/json; charset=utf-8"),
        ..json_request(CHAT, &body)
    };
    assert_eq!(stack.exchange(&with_charset).await.status, 200);
    assert_eq!(
        stack.exchange(&get_request(CHAT)).await.error(),
        (405, "method_not_allowed".to_owned())
    );
}

#[tokio::test]
async fn messages_that_the_template_refuses() {
    let stack = Stack::start().await;
    stack.engine.refuse_messages();
    let opened = stack.ask(CHAT, &chat("")).await;
    assert_eq!(opened.error(), (400, "invalid_messages".to_owned()));
}

#[tokio::test]
async fn a_busy_engine_is_told_inside_the_seal() {
    let stack = Stack::with(ScriptedEngine::new(Script::Busy), |_| ()).await;
    let opened = stack.ask(CHAT, &chat("")).await;
    assert_eq!(opened.error(), (503, "engine_busy".to_owned()));
    assert_eq!(opened.header("retry-after"), Some("1"));
    assert_eq!(opened.receipt.unwrap().status, 503);
}

#[tokio::test]
async fn an_engine_that_breaks_off() {
    let stack = Stack::with(ScriptedEngine::new(Script::BreakOff), |_| ()).await;
    let whole = stack.ask(CHAT, &chat("")).await;
    assert_eq!(whole.error(), (500, "engine_failed".to_owned()));
    let streamed = stack.ask(CHAT, &chat(r#","stream":true"#)).await;
    let last = streamed.text().split_terminator("\n\n").last().unwrap();
    assert!(last.contains("engine_failed"), "{last}");
    assert!(!streamed.text().contains("[DONE]"));
    assert_eq!(streamed.receipt, Err(OpenError::Outcome(Outcome::Failed)));
    let receipt = streamed.unfinished.unwrap();
    assert_eq!(
        receipt.usage.completion_tokens, 2,
        "what was made is counted and signed"
    );
}

#[tokio::test]
async fn an_engine_that_panics_takes_nothing_with_it() {
    let stack = Stack::with(ScriptedEngine::new(Script::Panic), |_| ()).await;
    let opened = stack.ask(CHAT, &chat("")).await;
    assert_eq!(opened.error(), (500, "engine_failed".to_owned()));
    assert_eq!(stack.exchange(&get_request("/v1/models")).await.status, 200);
}

#[tokio::test]
async fn an_answer_that_takes_too_long() {
    let stack = Stack::with(ScriptedEngine::new(Script::Wait), |parts| {
        parts.limits.answer_timeout = Duration::from_millis(50);
    })
    .await;
    let opened = stack.ask(CHAT, &chat("")).await;
    assert_eq!(opened.error(), (504, "timeout".to_owned()));
    let streamed = stack.ask(CHAT, &chat(r#","stream":true"#)).await;
    assert!(streamed.text().contains("\"timeout\""));
    assert_eq!(streamed.receipt, Err(OpenError::Outcome(Outcome::Failed)));
    assert_eq!(streamed.unfinished.unwrap().outcome, Outcome::Failed);
}

#[tokio::test]
async fn many_at_once() {
    let stack = Arc::new(Stack::start().await);
    let ask = |_| {
        let stack = Arc::clone(&stack);
        tokio::spawn(async move {
            stack
                .ask(CHAT, &chat(r#","stream":true"#))
                .await
                .events()
                .len()
        })
    };
    for task in (0..16).map(ask).collect::<Vec<_>>() {
        assert_eq!(task.await.unwrap(), 5);
    }
}
