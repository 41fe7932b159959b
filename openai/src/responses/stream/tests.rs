use super::*;
use crate::rendering::tests::{USAGE, events, heading, text};

fn rendering() -> ResponseRendering {
    ResponseRendering::new(heading(), Echo::default())
}

fn ended(mut made: Made, end: Finish) -> Made {
    made.end = Some(end);
    made
}

fn kinds(events: &[Value]) -> Vec<&str> {
    let kinds = events.iter().map(|event| event["type"].as_str().unwrap());
    kinds
        .map(|kind| kind.strip_prefix("response.").unwrap_or(kind))
        .collect()
}

/// Everything that a stream of these parts says.
fn streamed(parts: Vec<Made>) -> Vec<Value> {
    let mut rendering = rendering();
    let mut bytes = rendering.opening();
    for made in parts {
        bytes.extend(rendering.tell(0, made));
    }
    bytes.extend(rendering.ending(USAGE));
    let events = events(&bytes);
    for (number, event) in (0..).zip(&events) {
        assert_eq!(event["sequence_number"], number);
    }
    events
}

fn called() -> Made {
    let mut made = text("so");
    for (number, name) in ["f", "g"].into_iter().enumerate() {
        let name = name.to_owned();
        made.pieces.push(Piece::Call { number, name });
        made.push_arguments(number, "{}");
    }
    made
}

#[test]
fn a_text_in_openais_order() {
    let end = ended(text("lo"), Finish::Stop);
    let events = streamed(vec![text("hel"), end]);
    assert_eq!(
        kinds(&events),
        [
            "created",
            "in_progress",
            "output_item.added",
            "content_part.added",
            "output_text.delta",
            "output_text.delta",
            "output_text.done",
            "content_part.done",
            "output_item.done",
            "completed",
        ]
    );
    assert_eq!(events[2]["item"]["content"], json!([]));
    assert_eq!(events[4]["delta"], "hel");
    assert_eq!(events[6]["text"], "hello");
    let response = &events[9]["response"];
    assert_eq!(response["status"], "completed");
    assert_eq!(response["output"][0]["content"][0]["text"], "hello");
    assert_eq!(response["output"][0], events[8]["item"]);
    assert_eq!(
        response["usage"]["input_tokens_details"]["cached_tokens"],
        2
    );
    assert_eq!(events[0]["response"]["status"], "in_progress");
    assert_eq!(events[0]["response"]["usage"], Value::Null);
}

#[test]
fn calls_are_items_of_their_own() {
    let events = streamed(vec![ended(called(), Finish::ToolCalls)]);
    assert_eq!(
        kinds(&events)[5..],
        [
            "output_text.done",
            "content_part.done",
            "output_item.done",
            "output_item.added",
            "function_call_arguments.delta",
            "function_call_arguments.done",
            "output_item.done",
            "output_item.added",
            "function_call_arguments.delta",
            "function_call_arguments.done",
            "output_item.done",
            "completed",
        ]
    );
    let output = &events.last().unwrap()["response"]["output"];
    assert_eq!(output[1]["name"], "f");
    assert_eq!(output[2]["arguments"], "{}");
    assert_eq!(output[2]["type"], "function_call");
    assert_ne!(output[1]["call_id"], output[2]["call_id"]);
    assert_ne!(output[1]["id"], output[2]["id"]);
}

#[test]
fn an_answer_that_was_cut_is_incomplete() {
    let events = streamed(vec![ended(text("a"), Finish::Length)]);
    let last = events.last().unwrap();
    assert_eq!(last["type"], "response.incomplete");
    assert_eq!(
        last["response"]["incomplete_details"],
        json!({"reason": "max_output_tokens"})
    );
    assert_eq!(last["response"]["output"][0]["status"], "incomplete");
}

#[test]
fn an_answer_without_words_has_an_empty_message() {
    let events = streamed(vec![ended(Made::default(), Finish::Stop)]);
    let output = &events.last().unwrap()["response"]["output"];
    assert_eq!(output[0]["content"][0]["text"], "");
}

#[test]
fn whole_and_streamed_say_the_same() {
    let whole = rendering().whole(vec![ended(called(), Finish::ToolCalls)], USAGE);
    let whole: Value = serde_json::from_slice(&whole).unwrap();
    let events = streamed(vec![ended(called(), Finish::ToolCalls)]);
    assert_eq!(whole, events.last().unwrap()["response"]);
}

#[test]
fn a_failure_is_an_event() {
    let told = events(&rendering().failure(&ApiError::timed_out()));
    assert_eq!(told[0]["type"], "error");
    assert_eq!(told[0]["code"], "timeout");
}
