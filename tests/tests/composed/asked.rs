//! One streamed chat as an application sees it: the events it is shown, and whether they are presented as complete.

use super::engine::{MODEL, WORDS};
use client::{Client, Exchange, Request};
use protocol::ResponseEvent;

/// How an exchange ended; events without what differs from one exchange to the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Presented as complete, under its verified receipt.
    Whole(Vec<String>),
    /// An error, and what was shown before it.
    Failed(Vec<String>, &'static str),
}

/// Asks for a stream of everything that the engine says.
pub(crate) async fn ask(client: &Client, prompt: &str) -> End {
    let body = format!(
        r#"{{"model":"{MODEL}","stream":true,"seed":1,"messages":[{{"role":"user","content":"{prompt}"}}]}}"#
    );
    let request = Request::post("/v1/chat/completions", body.into_bytes(), MODEL.to_owned());
    match client.send(&request).await {
        Ok(exchange) => read(exchange).await,
        Err(error) => End::Failed(Vec::new(), error.code()),
    }
}

async fn read(mut exchange: Exchange) -> End {
    let mut body = Vec::new();
    let mut status = 0;
    let error = loop {
        match exchange.next().await {
            Ok(Some(ResponseEvent::Head { status: told, .. })) => status = told,
            Ok(Some(ResponseEvent::Body(part))) => body.extend(part),
            Ok(Some(ResponseEvent::End { .. })) => {}
            Ok(None) if status == 200 => return complete(events(&body)),
            // An error of the runtime's own, sealed and under its receipt.
            Ok(None) => return End::Failed(Vec::new(), "inner"),
            Err(error) => break error,
        }
    };
    End::Failed(events(&body), error.code())
}

/// A stream that says in its last event that it failed is complete as a failure.
fn complete(mut events: Vec<String>) -> End {
    match events.last() {
        Some(last) if last.contains("\"error\"") => {
            events.pop();
            End::Failed(events, "inner")
        }
        _ => End::Whole(events),
    }
}

/// The finished events of a stream so far, without comments, ids and times.
fn events(body: &[u8]) -> Vec<String> {
    let text = str::from_utf8(body).expect("whole characters");
    let finished = text
        .rsplit_once("\n\n")
        .map_or("", |(finished, _)| finished);
    let data = finished
        .split("\n\n")
        .filter_map(|event| event.strip_prefix("data: "));
    data.map(timeless).collect()
}

fn timeless(event: &str) -> String {
    let Ok(mut document) = serde_json::from_str::<serde_json::Value>(event) else {
        return event.to_owned();
    };
    for varies in ["id", "created"] {
        document.as_object_mut().unwrap().remove(varies);
    }
    document.to_string()
}

/// The text that events carry.
fn text(events: &[String]) -> String {
    let content = |event: &String| {
        let document: serde_json::Value = serde_json::from_str(event).ok()?;
        Some(
            document["choices"][0]["delta"]["content"]
                .as_str()?
                .to_owned(),
        )
    };
    events.iter().filter_map(content).collect()
}

impl End {
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Whole(_) => "whole",
            Self::Failed(..) => "failed",
        }
    }

    /// Panics unless what is complete is all that the engine says, and what was shown is how it begins.
    pub(crate) fn judge(&self) {
        let said = WORDS.concat() + ".";
        match self {
            Self::Whole(events) => {
                assert_eq!(text(events), said, "another text is complete");
                assert_eq!(events.last().map(String::as_str), Some("[DONE]"));
            }
            Self::Failed(shown, code) => {
                let shown = text(shown);
                assert!(
                    said.starts_with(&shown),
                    "{shown:?} was shown before {code}"
                );
            }
        }
    }
}
