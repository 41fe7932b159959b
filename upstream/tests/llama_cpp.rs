//! A real server behind the trait: llama.cpp's, from PyPI.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests"
)]

use engine::{
    CacheSecret, Engine, FinishReason, Grammar, Job, Prompt, Sampling, Step, Usage, chat::Message,
};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, ChildStdin, Command, Stdio},
    sync::OnceLock,
    time::Duration,
};
use upstream::{Kind, Upstream, UpstreamConfig};

const MODEL: &str = "smollm2";

/// Ends when its standard input does.
struct Server {
    address: String,
    _process: Child,
    _stdin: ChildStdin,
}

fn variable(name: &str) -> String {
    std::env::var(name)
        .unwrap_or_else(|_| panic!("{name} is not set: run ./scripts/test --package upstream"))
}

/// One for all tests.
fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/llama_server.py");
        let mut process = Command::new(variable("NARTHEX_LLAMACPP"))
            .args([script, &variable("NARTHEX_MODEL")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let stdin = process.stdin.take().unwrap();
        let mut address = String::new();
        let mut said = BufReader::new(process.stdout.take().unwrap());
        while !address.starts_with("http://") {
            address.clear();
            assert!(
                said.read_line(&mut address).unwrap() > 0,
                "the server ended"
            );
        }
        Server {
            address: address.trim().to_owned(),
            _process: process,
            _stdin: stdin,
        }
    })
}

async fn engine() -> Upstream {
    let config = UpstreamConfig {
        address: server().address.parse().unwrap(),
        kind: Kind::LlamaCpp,
        model: MODEL.to_owned(),
        name: "served".to_owned(),
        model_digest: [1; 32],
        software_digest: [2; 32],
        context_tokens: 1024,
        max_requests: 2,
        patience: Duration::from_secs(120),
    };
    Upstream::connect(config, |error| panic!("{error}"))
        .await
        .unwrap()
}

fn chat(question: &str) -> Job {
    let mut job = Job::new(Prompt::Chat(vec![Message::new("user", question)].into()));
    job.max_tokens = Some(24);
    job.sampling = Sampling::greedy();
    job
}

struct Answer {
    text: String,
    tokens: usize,
    logprobs: Vec<f32>,
    reason: FinishReason,
    usage: Usage,
}

async fn answer(engine: &Upstream, job: Job) -> Answer {
    let mut steps = engine.submit(job).unwrap();
    let (mut all, mut tokens, mut logprobs) = (String::new(), 0, Vec::new());
    loop {
        match steps.recv().await.expect("the engine works") {
            Step::Begun { .. } => {}
            Step::Token {
                text,
                logprobs: told,
                ..
            } => {
                all += &text;
                tokens += 1;
                logprobs.extend(told.map(|told| told.chosen.logprob));
            }
            Step::Refused(error) => panic!("{error}"),
            Step::Done {
                reason,
                text,
                usage,
            } => {
                return Answer {
                    text: all + &text,
                    tokens,
                    logprobs,
                    reason,
                    usage,
                };
            }
        }
    }
}

#[tokio::test]
async fn it_answers_and_its_counts_are_read_back() {
    let engine = engine().await;
    let answer = answer(
        &engine,
        chat("What is the capital of France? Answer in one word."),
    )
    .await;
    assert!(answer.text.contains("Paris"), "{}", answer.text);
    assert!(answer.tokens > 1, "it is a stream");
    assert!(answer.usage.prompt_tokens > 5 && answer.usage.completion_tokens > 1);
    assert_eq!(engine.capacity(), 2);
    assert_eq!(&*engine.card().mode, "upstream/llama.cpp");
}

#[tokio::test]
async fn limits_stop_strings_and_log_probabilities_reach_it() {
    let engine = engine().await;
    let mut job = chat("Count from one to twenty.");
    (job.max_tokens, job.logprobs) = (Some(3), Some(2));
    let short = answer(&engine, job).await;
    assert_eq!(
        (short.reason, short.usage.completion_tokens),
        (FinishReason::Length, 3)
    );
    assert_eq!(short.logprobs.len(), 3);
    assert!(short.logprobs.iter().all(|logprob| *logprob <= 0.0));
    let mut job = Job::new(Prompt::text("The capital of France is"));
    job.max_tokens = Some(24);
    job.sampling = Sampling::greedy();
    job.stop = vec![b"Paris".to_vec()];
    let stopped = answer(&engine, job).await;
    assert_eq!(stopped.reason, FinishReason::Stop);
    assert!(!stopped.text.contains("Paris"), "{}", stopped.text);
}

#[tokio::test]
async fn a_schema_is_kept() {
    let engine = engine().await;
    let schema = r#"{"type":"object","properties":{"city":{"enum":["Paris","Rome"]}},"required":["city"],"additionalProperties":false}"#;
    let mut job = chat("Which city is the capital of France?");
    job.max_tokens = Some(64);
    job.grammar = Some(Grammar::JsonSchema(schema.to_owned()));
    let answer = answer(&engine, job).await;
    let document: serde_json::Value = serde_json::from_str(&answer.text).unwrap();
    assert!(["Paris", "Rome"].contains(&document["city"].as_str().unwrap()));
}

#[tokio::test]
async fn nothing_is_reused_between_requests_even_with_a_secret() {
    let engine = engine().await;
    let long = "The quick brown fox jumps over the lazy dog. ".repeat(20);
    for _ in 0..3 {
        let mut job = chat(&long);
        (job.max_tokens, job.cache_secret) = (Some(1), Some(CacheSecret([1; 32])));
        assert_eq!(answer(&engine, job).await.usage.cached_tokens, 0);
    }
}

/// Its slots are idle again long before so many tokens could have been made.
#[tokio::test]
async fn cancellation_reaches_it() {
    let engine = engine().await;
    let mut job = chat("Write a very long story.");
    job.max_tokens = Some(900);
    let mut steps = engine.submit(job).unwrap();
    assert!(steps.recv().await.is_some());
    assert!(decoded().is_some(), "control");
    drop(steps);
    let mut most = 0;
    while let Some(tokens) = decoded() {
        most = most.max(tokens);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(most < 600, "{most} tokens were made for nobody");
}

/// Most tokens that a slot at work has made; none if all are idle.
fn decoded() -> Option<u64> {
    let slots: serde_json::Value = serde_json::from_str(&slots()).unwrap();
    let working = slots.as_array().unwrap().iter();
    let working = working.filter(|slot| slot["is_processing"] == true);
    working
        .map(|slot| slot["next_token"][0]["n_decoded"].as_u64().unwrap())
        .max()
}

/// What the server says of its slots.
fn slots() -> String {
    let address = server().address.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(b"GET /slots HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    body.to_owned()
}
