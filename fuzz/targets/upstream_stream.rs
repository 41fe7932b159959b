//! The stream of another inference server, cut anywhere: the steps are the same however it is cut, and nothing follows the end.
#![no_main]

use engine::Step;
use narthex_fuzz::{joined, parts, seeds};
use upstream::Reading;

libfuzzer_sys::fuzz_target!(init: plant(), |data: &[u8]| check(data));

fn check(data: &[u8]) {
    let Some([cut, stream]) = parts(data) else {
        return;
    };
    let cut = usize::from(cut.first().copied().unwrap_or(0)).max(1);
    assert!(read(stream.chunks(cut)) == read([stream].into_iter()));
}

/// What is said, how many log-probabilities are told, and how it ends: with counts, with an error or not at all.
fn read<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> (String, usize, Option<String>) {
    let (mut reading, mut steps) = (Reading::default(), Vec::new());
    let mut end = None;
    for piece in pieces {
        if let Err(error) = reading.push(piece, &mut steps) {
            end = Some(error.to_string());
            break;
        }
    }
    let (mut said, mut told) = (String::new(), 0);
    for step in steps {
        assert!(
            !matches!(end.as_deref(), Some("done")),
            "a step behind the end"
        );
        match step {
            Step::Token { text, logprobs, .. } => {
                said += &text;
                told += usize::from(logprobs.is_some());
            }
            Step::Done { text, .. } => {
                said += &text;
                end = Some("done".to_owned());
            }
            Step::Begun { .. } | Step::Refused(_) => unreachable!("no stream says so"),
        }
    }
    (said, told, end)
}

fn plant() {
    let whole: &[u8] = b"data: {\"choices\":[{\"delta\":{\"content\":\"a\"},\"logprobs\":{\"content\":[{\"token\":\"a\",\"logprob\":-0.5,\"bytes\":[97],\"top_logprobs\":[]}]}}]}\r\n\r\n\
        data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":1}}\n\ndata: [DONE]\n\n";
    let calls: &[u8] = b": comment\n\ndata: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"name\":\"f\",\"arguments\":\"{\"}}]}}]}\n\n\
        data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"}\"}}]},\"finish_reason\":\"tool_calls\"}]}\n\ndata: {\"choices\":[],\"usage\":{\"prompt_tokens\":3}}\n\ndata: [DONE]\n\n";
    let older: &[u8] = b"data: {\"choices\":[{\"text\":\"ab\",\"logprobs\":{\"tokens\":[\"ab\"],\"token_logprobs\":[-1.0],\"top_logprobs\":[{\"ab\":-1.0}]},\"finish_reason\":\"length\"}],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":1,\"prompt_tokens_details\":{\"cached_tokens\":1}}}\n\ndata: [DONE]\n";
    let failed: &[u8] = b"data: {\"error\":{\"message\":\"no\"}}\n\n";
    let seeds = [(1u8, whole), (7, calls), (20, older), (3, failed)];
    seeds::plant(seeds.map(|(cut, stream)| joined(&[&[cut], stream])));
}
