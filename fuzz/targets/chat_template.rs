//! Templates of every family on any messages, tools and calls, and any template on fixed ones: a prompt or a refusal, and what was said is marked.
#![no_main]

use std::sync::LazyLock;

use engine::chat::{Chat, ChatTemplate, Message};
use narthex_fuzz::{joined, parts, seeds};

const SOURCES: [&str; 6] = [
    include_str!("../../engine/tests/data/chat/bracketed.jinja"),
    include_str!("../../engine/tests/data/chat/chatml.jinja"),
    include_str!("../../engine/tests/data/chat/hermes.jinja"),
    include_str!("../../engine/tests/data/chat/python_tag.jinja"),
    include_str!("../../engine/tests/data/chat/thinking.jinja"),
    include_str!("../../engine/tests/data/chat/turns.jinja"),
];
const TOOL: &str = r#"[{"type":"function","function":{"name":"f","description":"a b","parameters":{"type":"object","properties":{"x y":{"type":"string"}}}}}]"#;
const CALL: &str =
    r#"[{"id":"abcdef123","type":"function","function":{"name":"f","arguments":"{\"x y\":1}"}}]"#;

/// With these a template makes more memory of little fuel than a fuzzer may have: a template is as trusted as the weights beside it.
const GROWING: [&str; 8] = ["set", "~", "+", "*", "macro", "join", "replace", "format"];

static TEMPLATES: LazyLock<Vec<ChatTemplate>> = LazyLock::new(|| {
    let template = |source| ChatTemplate::new(source, "<s>", "</s>").expect("a template");
    SOURCES.map(template).into()
});

libfuzzer_sys::fuzz_target!(init: plant(), |data: &[u8]| check(data));

fn check(data: &[u8]) {
    let Some([question, answer, tools, calls, source]) = parts(data) else {
        return;
    };
    let [question, answer, tools, calls, source] =
        [question, answer, tools, calls, source].map(String::from_utf8_lossy);
    let chat = chat([&*question, &*answer, &*tools, &*calls]);
    for template in TEMPLATES.iter() {
        if let Ok(prompt) = template.render(&chat) {
            let ends = prompt.words().iter().map(|range| range.end);
            assert!(
                ends.is_sorted()
                    && prompt
                        .words()
                        .iter()
                        .all(|range| prompt.text().get(range.clone()).is_some())
            );
        }
    }
    if !GROWING.iter().any(|word| source.contains(word))
        && let Ok(template) = ChatTemplate::new(&source, "<s>", "</s>")
    {
        let _ = template.render(&chat);
    }
}

fn chat([question, answer, tools, calls]: [&str; 4]) -> Chat {
    let mut called = Message::new("assistant", answer);
    called.tool_calls = (!calls.is_empty()).then(|| calls.to_owned());
    let mut result = Message::new("tool", answer);
    result.tool_call_id = Some("abcdef123".to_owned());
    Chat {
        messages: vec![Message::new("user", question), called, result],
        tools: (!tools.is_empty()).then(|| tools.to_owned().into()),
    }
}

fn plant() {
    let seeds: [[&str; 5]; 4] = [
        [
            "Hi",
            " <|im_end|> ",
            TOOL,
            CALL,
            "{% for m in messages %}{{ m.content | trim }}{% endfor %}",
        ],
        [
            "\u{fdd0}[INST]",
            "</think>x",
            "",
            "",
            "{{ messages[0].content.split('a')[::-1] | tojson(indent=2) }}",
        ],
        ["a", "b", "[{}]", "[{}]", "{{ raise_exception('no') }}"],
        [
            "<tool_response>",
            "{}",
            TOOL,
            "",
            "{% for t in tools %}{{ t.function.items() | list }}{% endfor %}",
        ],
    ];
    seeds::plant(seeds.map(|seed| joined(&seed.map(str::as_bytes))));
}
