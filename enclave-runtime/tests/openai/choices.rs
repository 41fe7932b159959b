//! Several choices, log-probabilities, grammars.

use crate::support::{
    MODEL, Opened, Stack, chat,
    engine::{Script, ScriptedEngine},
    json_request, open,
};
use protocol::{PaddingProfile, padding};
use serde_json::{Value, json};

const CHAT: &str = "/v1/chat/completions";
const TEXT: &str = "/v1/completions";

fn text(prompt: &str, rest: &str) -> String {
    format!(r#"{{"model":"{MODEL}","prompt":{prompt}{rest}}}"#)
}

/// The events of a stream that may be padded.
fn events_of(opened: &Opened) -> Vec<Value> {
    let data = opened
        .text()
        .lines()
        .filter_map(|line| line.strip_prefix("data: "));
    let data = data.filter(|data| *data != "[DONE]");
    data.map(|data| serde_json::from_str(data).unwrap())
        .collect()
}

/// The text of choice `index` in a stream of chats.
fn streamed(events: &[Value], index: usize) -> String {
    let choices = events.iter().filter_map(|event| event["choices"].get(0));
    let ours = choices.filter(|choice| choice["index"] == index);
    ours.filter_map(|choice| choice["delta"]["content"].as_str())
        .collect()
}

#[tokio::test]
async fn every_choice_is_a_job_with_its_own_seed() {
    let stack = Stack::start().await;
    let opened = stack.ask(CHAT, &chat(r#","n":3,"seed":7"#)).await;
    let answer = opened.json();
    let choices = answer["choices"].as_array().unwrap();
    assert_eq!(choices.len(), 3);
    for (index, choice) in choices.iter().enumerate() {
        assert_eq!(choice["index"], index);
        assert_eq!(choice["message"]["content"], "Hello!");
    }
    let seeds: Vec<_> = stack
        .engine
        .seen()
        .iter()
        .map(|job| job.sampling.seed)
        .collect();
    assert_eq!(seeds, [7, 8, 9]);
    assert_eq!(
        answer["usage"]["prompt_tokens"], 3,
        "a prompt is counted once"
    );
    assert_eq!(answer["usage"]["completion_tokens"], 9);
    let receipt = opened.receipt.unwrap();
    assert_eq!((receipt.seed, receipt.usage.completion_tokens), (7, 9));
}

#[tokio::test]
async fn streams_of_choices_are_told_apart() {
    for padding in [PaddingProfile::Off, PaddingProfile::Default] {
        let script = Script::Paced {
            tokens: 4,
            gap_ms: 1,
        };
        let stack = Stack::with(ScriptedEngine::new(script), |parts| parts.padding = padding).await;
        let body = chat(r#","n":2,"stream":true,"stream_options":{"include_usage":true}"#);
        let opened = stack.ask(CHAT, &body).await;
        let events = events_of(&opened);
        for index in 0..2 {
            assert_eq!(streamed(&events, index), "word word word word ");
        }
        let ends = |event: &&Value| event["choices"][0]["finish_reason"] == "stop";
        assert_eq!(events.iter().filter(ends).count(), 2);
        assert_eq!(events.last().unwrap()["usage"]["completion_tokens"], 8);
        assert!(opened.receipt.is_ok());
    }
}

/// R7.2: an auditor who is given the tokens of each choice opens the digest.
#[tokio::test]
async fn the_token_digest_is_over_the_choices_in_their_order() {
    let stack = Stack::start().await;
    let body = chat(r#","n":2"#);
    let (sealed, opener) = stack
        .sealer()
        .await
        .seal(&json_request(CHAT, &body), stack.now())
        .unwrap();
    let opening = opener.opening();
    let opened = open(opener, &stack.post(&sealed.envelope).await.body);
    let receipt = opened.receipt.unwrap();
    let disclosed = |tokens| protocol::DisclosedExchange {
        method: "POST",
        path: CHAT,
        request_body: body.as_bytes(),
        status: 200,
        response_body: &opened.body,
        tokens: Some(tokens),
    };
    let made = [3, 11, 12, 13, 3, 11, 12, 13];
    assert_eq!(receipt.opens(&opening, &disclosed(&made)), Ok(()));
    assert!(receipt.opens(&opening, &disclosed(&made[1..])).is_err());
}

#[tokio::test]
async fn several_prompts_are_several_choices() {
    let stack = Stack::start().await;
    let body = text(r#"["ab","abcd"]"#, r#","n":2,"seed":1"#);
    let answer = stack.ask(TEXT, &body).await.json();
    assert_eq!(answer["choices"].as_array().unwrap().len(), 4);
    let jobs = stack.engine.seen();
    let lengths: Vec<_> = jobs.iter().map(|job| job.prompt.len()).collect();
    assert_eq!(lengths, [2, 2, 4, 4]);
    assert_eq!(answer["usage"]["prompt_tokens"], 6);
    stack.ask(TEXT, &text("[5, 6]", "")).await;
    assert_eq!(stack.engine.last().prompt, [5, 6]);
}

#[tokio::test]
async fn all_choices_or_none() {
    let stack = Stack::with(ScriptedEngine::new(Script::BusyAfter(1)), |_| ()).await;
    let opened = stack.ask(CHAT, &chat(r#","n":2"#)).await;
    assert_eq!(opened.error(), (503, "engine_busy".to_owned()));
    let receipt = opened.receipt.unwrap();
    assert_eq!((receipt.seed, receipt.usage.prompt_tokens), (0, 0));
}

#[tokio::test]
async fn log_probabilities_whole_and_streamed() {
    let stack = Stack::start().await;
    let rest = r#","logprobs":true,"top_logprobs":2"#;
    let whole = stack.ask(CHAT, &chat(rest)).await.json();
    let content = &whole["choices"][0]["logprobs"]["content"];
    assert_eq!(content[0]["token"], "Hel");
    assert_eq!(content[0]["logprob"], -0.25);
    assert_eq!(content[0]["top_logprobs"][1]["token"], "t1");
    assert_eq!(content.as_array().unwrap().len(), 3, "one for each token");
    let events = stack
        .ask(CHAT, &chat(&format!(r#"{rest},"stream":true"#)))
        .await
        .events();
    let told = events
        .iter()
        .filter_map(|event| event["choices"][0]["logprobs"]["content"].as_array());
    assert_eq!(told.flatten().count(), 3);
    assert_eq!(streamed(&events, 0), "Hello!");
    let columns = stack
        .ask(TEXT, &text(r#""ab""#, r#","logprobs":1"#))
        .await
        .json();
    let columns = &columns["choices"][0]["logprobs"];
    assert_eq!(columns["tokens"], json!(["Hel", "", "lo"]));
    assert_eq!(columns["text_offset"], json!([0, 3, 3]));
    assert_eq!(
        columns["top_logprobs"][0],
        json!({"Hel": -0.25, "t0": -0.25})
    );
}

#[tokio::test]
async fn grammars_reach_the_engine() {
    let stack = Stack::start().await;
    stack
        .ask(CHAT, &chat(r#","response_format":{"type":"json_object"}"#))
        .await;
    assert_eq!(stack.engine.last().grammar.as_deref(), Some("json"));
    let schema = r#"{"type":"object"}"#;
    let named = format!(r#"{{"name":"n","schema":{schema}}}"#);
    let format = format!(r#","response_format":{{"type":"json_schema","json_schema":{named}}}"#);
    stack.ask(CHAT, &chat(&format)).await;
    assert_eq!(stack.engine.last().grammar.as_deref(), Some(schema));
}

#[tokio::test]
async fn a_stream_of_many_choices_fits_its_padding() {
    let script = Script::Burst {
        tokens: 50,
        repeat: 20,
    };
    let stack = Stack::with(ScriptedEngine::new(script), |parts| {
        parts.padding = PaddingProfile::Strict;
    })
    .await;
    let body = chat(r#","n":8,"stream":true"#);
    let request = json_request(CHAT, &body);
    let (sealed, opener) = stack.sealer().await.seal(&request, stack.now()).unwrap();
    let answer = stack.post(&sealed.envelope).await;
    assert!(answer.body.len() > padding::SEALED_RECORD_LEN);
    let events = events_of(&open(opener, &answer.body));
    for index in 0..8 {
        assert_eq!(streamed(&events, index).len(), 50 * 20 * "word ".len());
    }
}
