//! What is said to JavaScript.

use crate::Frame;
use serde_json::{Value, json};
use session::{Admission, Call, Event, Head, Notice, Served, SessionError};
use zeroize::Zeroizing;

/// An answer without bytes.
pub(crate) fn told(value: &Value) -> Frame {
    Frame {
        json: value.to_string(),
        bytes: Zeroizing::default(),
    }
}

/// An error; `status` and `body` are those of an answer of OpenAI's API, if it is a mistake of the request.
pub(crate) fn error(error: &SessionError) -> Frame {
    told(&json!({"error": described(error)}))
}

pub(crate) fn described(error: &SessionError) -> Value {
    let status = error.request_status();
    json!({
        "code": error.code(),
        "message": error.to_string(),
        "retryable": error.is_retryable(),
        "status": status,
        "body": status.map(|_| error.to_openai_json()),
    })
}

/// A call; bytes: its body.
pub(crate) fn call(call: Call) -> Frame {
    let json = json!({
        "method": call.method,
        "path": call.path,
        "accept": call.accept,
        "contentType": call.content_type,
        "timeoutS": call.timeout_s,
    });
    Frame {
        json: json.to_string(),
        bytes: Zeroizing::new(call.body),
    }
}

/// Notices: an admission as an object, anything else as words.
pub(crate) fn notices(notices: Vec<Notice>) -> Frame {
    let told = notices.into_iter().map(|notice| match notice {
        Notice::Admitted(admission) => json!({"admitted": admission.to_value()}),
        Notice::PassedOver(text) => json!({"passedOver": text}),
    });
    self::told(&json!({"notices": told.collect::<Vec<_>>()}))
}

/// What was opened; bytes: the parts of the body, one after the other.
pub(crate) fn events(events: Vec<Event>) -> Frame {
    let (mut head, mut end) = (Value::Null, Value::Null);
    let mut bytes = Zeroizing::default();
    for event in events {
        match event {
            Event::Head(found) => head = self::head(&found),
            Event::Body(part) => Vec::extend_from_slice(&mut bytes, &part),
            Event::End(served) => end = self::served(&served),
        }
    }
    let json = json!({"head": head, "end": end}).to_string();
    Frame { json, bytes }
}

fn head(head: &Head) -> Value {
    json!({"status": head.status, "headers": head.headers, "isStream": head.is_stream})
}

fn served(served: &Served) -> Value {
    json!({
        "requestId": served.request_id(),
        "bindingId": served.binding_id(),
        "node": served.node().name(),
        "claims": served.to_value(),
        "opening": served.opening_text().as_str(),
        "admission": Admission::of(served.node()).to_value(),
        "signed": hexadecimal(served.signed()),
        "bundle": hexadecimal(served.node().bundle()),
    })
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
