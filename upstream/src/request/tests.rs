//! What each kind of server is asked.

use super::*;
use crate::Address;
use engine::CacheSecret;
use serde_json::{Value, json};
use std::time::Duration;

fn config(kind: Kind) -> UpstreamConfig {
    UpstreamConfig {
        address: Address::Unix("/run/none.sock".into()),
        kind,
        model: "theirs".to_owned(),
        name: "ours".to_owned(),
        model_digest: [1; 32],
        software_digest: [2; 32],
        context_tokens: 64,
        max_requests: 1,
        patience: Duration::from_secs(1),
    }
}

fn body(job: &Job, kind: Kind) -> Value {
    let asked = asked(job, &config(kind))
        .map_err(|error| error.code())
        .unwrap();
    serde_json::from_slice(&asked.body).unwrap()
}

fn refusal(job: &Job, kind: Kind) -> EngineError {
    asked(job, &config(kind)).err().unwrap()
}

fn chat() -> Job {
    let mut call = Message::new("assistant", "");
    call.tool_calls = Some(r#"[{"id":"c1","type":"function"}]"#.to_owned());
    let mut answer = Message::new("tool", "4");
    answer.tool_call_id = Some("c1".to_owned());
    let chat = Chat {
        messages: vec![Message::new("user", "2+2?"), call, answer],
        tools: Some(Zeroizing::new(r#"[{"type":"function"}]"#.to_owned())),
    };
    Job::new(Prompt::Chat(chat))
}

#[test]
fn a_chat_travels_whole() {
    let mut job = chat();
    job.max_tokens = Some(7);
    job.stop = vec![b"END".to_vec()];
    job.logprobs = Some(3);
    job.sampling.logit_bias = vec![(5, -1.5)];
    let body = body(&job, Kind::OpenAi);
    assert_eq!(body["model"], "theirs");
    assert_eq!(
        body["messages"][0],
        json!({"role": "user", "content": "2+2?"})
    );
    assert_eq!(body["messages"][1]["tool_calls"][0]["id"], "c1");
    assert_eq!(body["messages"][2]["tool_call_id"], "c1");
    assert_eq!(body["tools"], json!([{"type": "function"}]));
    assert_eq!(body["stream_options"]["include_usage"], true);
    assert_eq!(
        (&body["max_tokens"], &body["stop"]),
        (&json!(7), &json!(["END"]))
    );
    assert_eq!(
        (&body["logprobs"], &body["top_logprobs"]),
        (&json!(true), &json!(3))
    );
    assert_eq!(body["logit_bias"], json!({"5": -1.5}));
    for absent in [
        "cache_salt",
        "cache_prompt",
        "top_k",
        "min_p",
        "response_format",
        "prompt",
    ] {
        assert_eq!(body.get(absent), None, "{absent}");
    }
}

#[test]
fn text_and_tokens_go_to_completions() {
    let path = |prompt| {
        asked(&Job::new(prompt), &config(Kind::OpenAi))
            .ok()
            .unwrap()
            .path
    };
    assert_eq!(path(Prompt::text("x")), TEXT);
    assert_eq!(path(Prompt::tokens([1, 2])), TEXT);
    let mut job = Job::new(Prompt::tokens([1, 2]));
    job.logprobs = Some(2);
    let body = body(&job, Kind::OpenAi);
    assert_eq!(
        (&body["prompt"], &body["logprobs"]),
        (&json!([1, 2]), &json!(2))
    );
}

#[test]
fn no_cache_is_shared_unless_the_secret_allows_it() {
    let salt = |job: &Job| {
        body(job, Kind::Vllm)["cache_salt"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let mut job = Job::new(Prompt::text("x"));
    assert_ne!(salt(&job), salt(&job));
    job.cache_secret = Some(CacheSecret([7; 32]));
    assert_eq!(salt(&job), salt(&job));
    assert_eq!(body(&job, Kind::LlamaCpp)["cache_prompt"], false);
}

#[test]
fn grammars_are_json_or_refused() {
    let mut job = Job::new(Prompt::text("x"));
    job.grammar = Some(Grammar::JsonObject);
    assert_eq!(
        body(&job, Kind::Vllm)["response_format"],
        json!({"type": "json_object"})
    );
    job.grammar = Some(Grammar::JsonSchema(r#"{"type":"string"}"#.to_owned()));
    let format = body(&job, Kind::Vllm)["response_format"].take();
    assert_eq!(format["json_schema"]["schema"], json!({"type": "string"}));
    job.grammar = Some(Grammar::JsonSchema("{".to_owned()));
    assert_eq!(refusal(&job, Kind::Vllm).code(), "engine.bad_grammar");
    job.grammar = Some(Grammar::Lark("start: /a/".to_owned()));
    assert_eq!(refusal(&job, Kind::Vllm).code(), "engine.unsupported");
}

#[test]
fn what_a_server_cannot_be_asked_is_refused_and_not_dropped() {
    let mut job = Job::new(Prompt::text("x"));
    job.sampling.top_k = 5;
    assert_eq!(body(&job, Kind::Vllm)["top_k"], 5);
    assert_eq!(refusal(&job, Kind::OpenAi).code(), "engine.unsupported");
    let mut job = Job::new(Prompt::text("x"));
    job.stop = vec![vec![0xff]];
    assert_eq!(refusal(&job, Kind::Vllm).code(), "engine.unsupported");
    for empty in [Prompt::text(""), Prompt::tokens([])] {
        assert_eq!(
            refusal(&Job::new(empty), Kind::Vllm),
            EngineError::BadPrompt
        );
    }
}

#[test]
fn seeds_fit_the_server() {
    let mut job = Job::new(Prompt::text("x"));
    job.sampling.seed = u64::MAX;
    assert_eq!(body(&job, Kind::LlamaCpp)["seed"], u32::MAX);
    assert_eq!(body(&job, Kind::Vllm)["seed"], i64::MAX);
}
