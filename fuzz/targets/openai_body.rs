//! A body on every route that reads one: what was asked, or a refusal of the client.
#![no_main]

use narthex_fuzz::seeds;
use openai::Replay;

const COMPLETIONS: [&str; 3] = ["/v1/chat/completions", "/v1/completions", "/v1/responses"];

libfuzzer_sys::fuzz_target!(init: plant(), |body: &[u8]| check(body));

fn check(body: &[u8]) {
    for path in COMPLETIONS {
        if let Err(error) = Replay::read(path, body) {
            assert!((400..500).contains(&error.status), "{}", error.code);
        }
    }
    if let Err(error) = openai::read_embeddings(body) {
        assert!((400..500).contains(&error.status), "{}", error.code);
    }
}

fn plant() {
    let bodies = [
        r#"{"model":"m","messages":[{"role":"system","content":"Be brief."},{"role":"user","content":[{"type":"text","text":"hi"}]}],"n":2,"stop":["\n"],"seed":1,"logit_bias":{"5":-100},"stream":true,"stream_options":{"include_usage":true}}"#,
        r#"{"model":"m","messages":[{"role":"user","content":"x"},{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"c1","content":"1"}],"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}],"tool_choice":"required"}"#,
        r#"{"model":"m","messages":[{"role":"user","content":"x"}],"response_format":{"type":"json_schema","json_schema":{"name":"s","strict":true,"schema":{"type":"object","properties":{"a":{"type":"integer"}},"required":["a"],"additionalProperties":false}}},"logprobs":true,"top_logprobs":3}"#,
        r#"{"model":"m","prompt":["a",[1,2,3]],"max_tokens":5,"temperature":0.5,"top_p":0.9,"echo":false}"#,
        r#"{"model":"m","input":[{"role":"user","content":[{"type":"input_text","text":"hi"}]}],"instructions":"Be brief.","max_output_tokens":9,"store":false}"#,
        r#"{"model":"m","input":["a","b"],"encoding_format":"base64","dimensions":2}"#,
    ];
    seeds::plant(bodies.map(|body| body.as_bytes().to_vec()));
}
