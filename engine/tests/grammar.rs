//! Answers of the real model under grammars: JSON that parses and that the schema accepts, however hot it is sampled.

use crate::real_model;
use std::sync::OnceLock;

use engine::{
    Engine, EngineError, FinishReason, Grammar, Job, Prompt, Sampling, Step,
    chat::Message,
    local::{LocalConfig, LocalEngine},
};
use serde_json::Value;
use tokio::sync::mpsc::Receiver;

/// Words that are short: each of their words ends within the tokens of a test.
const SCHEMAS: [&str; 13] = [
    r#"{"type":"object","properties":{"city":{"type":"string","maxLength":12},"country":{"type":"string","maxLength":12}},"required":["city","country"],"additionalProperties":false}"#,
    r#"{"type":"integer","minimum":-7,"maximum":1300}"#,
    r#"{"type":"number","minimum":0.5,"exclusiveMaximum":9,"multipleOf":0.25}"#,
    r#"{"enum":["left","right",17,null,true,["a",1]]}"#,
    r#"{"const":{"kind":"point","at":[0,1]}}"#,
    r#"{"type":"string","pattern":"^[A-Z]{2}-[0-9]{3,5}$"}"#,
    r#"{"type":"array","items":{"type":"array","items":{"type":"integer","minimum":0,"maximum":9},"minItems":2,"maxItems":2},"minItems":1,"maxItems":3}"#,
    r#"{"type":"array","prefixItems":[{"type":"boolean"},{"enum":["a","b"]}],"items":false,"minItems":2}"#,
    r#"{"anyOf":[{"type":"boolean"},{"type":"object","properties":{"n":{"type":"integer","minimum":1,"maximum":9}},"required":["n"],"additionalProperties":false}]}"#,
    r##"{"$defs":{"leaf":{"type":"object","properties":{"v":{"type":"integer","minimum":0,"maximum":99}},"required":["v"],"additionalProperties":false}},"type":"object","properties":{"l":{"$ref":"#/$defs/leaf"},"r":{"$ref":"#/$defs/leaf"}},"required":["l","r"],"additionalProperties":false}"##,
    r#"{"type":"object","properties":{"id":{"type":"string","format":"uuid"},"day":{"type":"string","format":"date"}},"required":["id","day"],"additionalProperties":false}"#,
    r#"{"type":"object","properties":{"a":{"type":"boolean"},"b":{"type":["integer","null"],"minimum":0,"maximum":5}},"additionalProperties":false}"#,
    r#"{"allOf":[{"type":"object","properties":{"x":{"type":"integer"}},"required":["x"]},{"properties":{"x":{"minimum":3,"maximum":30},"y":{"const":"é\n\""}},"required":["y"],"additionalProperties":false}]}"#,
];

struct Answer {
    ids: Vec<u32>,
    text: String,
    reason: FinishReason,
}

/// One engine for all tests.
fn engine() -> &'static LocalEngine {
    static ENGINE: OnceLock<LocalEngine> = OnceLock::new();
    ENGINE.get_or_init(load)
}

fn load() -> LocalEngine {
    let config = LocalConfig {
        threads: 2,
        max_sequences: 4,
        queue: 64,
        max_context: 512,
        ..LocalConfig::default()
    };
    LocalEngine::load(&real_model::path(), config).unwrap()
}

fn job(grammar: Grammar, temperature: f32, seed: u64) -> Job {
    let question = "Describe something in JSON.";
    let mut job = Job::new(Prompt::Chat(vec![Message::new("user", question)].into()));
    job.max_tokens = Some(120);
    job.grammar = Some(grammar);
    job.sampling = Sampling {
        temperature,
        seed,
        ..Sampling::default()
    };
    job
}

fn answer(mut steps: Receiver<Step>) -> Answer {
    let (mut ids, mut all) = (Vec::new(), String::new());
    loop {
        match steps.blocking_recv().expect("the engine works") {
            Step::Begun { .. } | Step::Refused(_) => {}
            Step::Token { id, text, .. } => {
                ids.extend(id);
                all += &text;
            }
            Step::Done { reason, text, .. } => {
                let text = all + &text;
                return Answer { ids, text, reason };
            }
        }
    }
}

fn ask(grammar: Grammar, temperature: f32, seed: u64) -> Answer {
    answer(engine().submit(job(grammar, temperature, seed)).unwrap())
}

fn schema(text: &str) -> Grammar {
    Grammar::JsonSchema(text.to_owned())
}

fn refusal(grammar: Grammar) -> EngineError {
    engine().submit(job(grammar, 0.0, 0)).err().unwrap()
}

/// Whether an independent validator accepts `text`.
fn is_valid(schema: &str, text: &str) -> bool {
    let mut schemas = boon::Schemas::new();
    let mut compiler = boon::Compiler::new();
    compiler.enable_format_assertions();
    let schema: Value = serde_json::from_str(schema).unwrap();
    compiler.add_resource("schema.json", schema).unwrap();
    let index = compiler.compile("schema.json", &mut schemas).unwrap();
    let value: Value = serde_json::from_str(text).unwrap_or_else(|_| panic!("not JSON: {text}"));
    schemas.validate(&value, index).is_ok()
}

#[test]
fn answers_are_words_of_their_schema() {
    for temperature in [0.0, 0.7, 1.5] {
        let submit = |text| engine().submit(job(schema(text), temperature, 5)).unwrap();
        let steps: Vec<_> = SCHEMAS.into_iter().map(submit).collect();
        for (text, steps) in SCHEMAS.into_iter().zip(steps) {
            let answer = answer(steps);
            assert_eq!(answer.reason, FinishReason::Stop, "{text}: {}", answer.text);
            assert!(is_valid(text, &answer.text), "{text}: {}", answer.text);
        }
    }
}

#[test]
fn objects_parse_unless_they_are_cut() {
    let mut whole = 0;
    for seed in 0..6 {
        let answer = ask(Grammar::JsonObject, 1.5, seed);
        match answer.reason {
            FinishReason::Stop => {
                let value: Value = serde_json::from_str(&answer.text).unwrap();
                assert!(value.is_object(), "{}", answer.text);
                whole += 1;
            }
            FinishReason::Length => assert_eq!(answer.ids.len(), 120),
        }
        assert!(answer.text.starts_with('{'), "{}", answer.text);
    }
    assert!(whole > 0, "no answer was whole");
}

#[test]
fn a_cut_answer_says_so() {
    let mut long = job(schema(r#"{"type":"string","minLength":400}"#), 0.7, 1);
    long.max_tokens = Some(8);
    let answer = answer(engine().submit(long).unwrap());
    assert_eq!((answer.reason, answer.ids.len()), (FinishReason::Length, 8));
    assert!(serde_json::from_str::<Value>(&answer.text).is_err());
}

#[test]
fn lark_grammars_bound_answers() {
    let lark = "start: verdict \" because \" /[a-z ]{3,20}/ \".\"\nverdict: \"yes\" | \"no\"\n";
    for seed in 0..3 {
        let answer = ask(Grammar::Lark(lark.to_owned()), 1.5, seed);
        let text = answer.text.as_str();
        let (verdict, reason) = text.split_once(" because ").unwrap();
        assert!(["yes", "no"].contains(&verdict), "{text}");
        assert!(reason.ends_with('.') && reason.len() <= 21, "{text}");
        assert_eq!(answer.reason, FinishReason::Stop);
    }
}

#[test]
fn a_seed_gives_the_same_tokens_in_any_company() {
    let alone: Vec<_> = (0..3)
        .map(|i| ask(schema(SCHEMAS[i]), 1.2, 9).ids)
        .collect();
    let submit = |i: usize| engine().submit(job(schema(SCHEMAS[i]), 1.2, 9)).unwrap();
    let together: Vec<_> = (0..3).map(submit).collect();
    let together: Vec<_> = together
        .into_iter()
        .map(|steps| answer(steps).ids)
        .collect();
    assert_eq!(together, alone);
    assert_ne!(ask(schema(SCHEMAS[0]), 1.2, 10).ids, alone[0]);
}

#[test]
fn a_bias_does_not_break_a_grammar() {
    let mut biased = job(schema(SCHEMAS[0]), 1.0, 3);
    // 2 is the end of a turn.
    biased.sampling.logit_bias = vec![(2, 100.0), (100, 100.0)];
    biased.sampling.presence_penalty = -2.0;
    let answer = answer(engine().submit(biased).unwrap());
    assert!(is_valid(SCHEMAS[0], &answer.text), "{}", answer.text);
}

#[test]
fn an_impossible_grammar_is_refused_and_holds_no_place() {
    // One of its own: in the one that tests share places come and go.
    let engine = load();
    let free = engine.capacity();
    for grammar in [
        schema("{"),
        schema(r#"{"type":"canary"}"#),
        Grammar::Lark("start: canary".to_owned()),
    ] {
        let error = refusal(grammar);
        assert_eq!(error.code(), "engine.bad_grammar");
        assert!(!error.to_string().contains("canary"), "{error}");
    }
    assert_eq!(engine.capacity(), free);
}
