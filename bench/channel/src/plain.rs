//! The yardstick of the channel: a plaintext chat endpoint over the same engine. It parses, makes tokens and writes an event for each, as the
//! runtime does, and knows no seal, no receipt and no padding. It exists here alone: no crate that ships can serve plaintext.

use engine::{Engine, Job, Prompt, Sampling, Step, chat::Message};
use futures_util::{Stream, StreamExt, stream};
use http_body_util::{BodyExt, StreamBody};
use hyper::{
    Request, Response,
    body::{Bytes, Frame, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use std::{convert::Infallible, error::Error, net::SocketAddr, sync::Arc};
use tokio::{net::TcpListener, sync::mpsc};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Serves until this process ends; where.
pub async fn serve(engine: Arc<dyn Engine>) -> Outcome<SocketAddr> {
    let socket = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = socket.local_addr()?;
    tokio::spawn(async move {
        while let Ok((stream, _)) = socket.accept().await {
            let engine = Arc::clone(&engine);
            let service = service_fn(move |request| answer(Arc::clone(&engine), request));
            let _ = stream.set_nodelay(true);
            let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            tokio::spawn(connection);
        }
    });
    Ok(address)
}

async fn answer(
    engine: Arc<dyn Engine>,
    request: Request<Incoming>,
) -> Outcome<Response<StreamBody<impl Stream<Item = Result<Frame<Bytes>, Infallible>>>>> {
    let body = request.into_body().collect().await?.to_bytes();
    let asked: Value = serde_json::from_slice(&body)?;
    let steps = engine.submit(job(&asked)?)?;
    let frames = events(steps).map(|event| Ok(Frame::data(Bytes::from(event))));
    let answer = Response::builder().header("content-type", "text/event-stream");
    Ok(answer.body(StreamBody::new(frames))?)
}

fn job(asked: &Value) -> Outcome<Job> {
    let message = &asked["messages"][0];
    let text = |name: &str| message[name].as_str().ok_or("no text");
    let message = Message::new(text("role")?, text("content")?);
    let mut job = Job::new(Prompt::Chat(vec![message].into()));
    let max_tokens = asked["max_tokens"].as_u64().ok_or("no max_tokens")?;
    job.max_tokens = Some(u32::try_from(max_tokens)?);
    job.sampling = Sampling::greedy();
    Ok(job)
}

fn events(steps: mpsc::Receiver<Step>) -> impl Stream<Item = String> {
    let opening = delta(
        &json!({"role": "assistant", "content": "", "refusal": null}),
        None,
    );
    let rest = stream::unfold(steps, |mut steps| async move {
        let event = match steps.recv().await? {
            Step::Begun { .. } | Step::Refused(_) => String::new(),
            Step::Token { text, .. } if text.is_empty() => String::new(),
            Step::Token { text, .. } => delta(&json!({"content": text}), None),
            Step::Done { .. } => delta(&json!({}), Some("stop")) + "data: [DONE]\n\n",
        };
        Some((event, steps))
    });
    let rest = rest.filter(|event| std::future::ready(!event.is_empty()));
    stream::once(async { opening }).chain(rest)
}

/// An event with the fields that the runtime's has.
fn delta(delta: &Value, reason: Option<&str>) -> String {
    let event = json!({
        "id": "chatcmpl-00000000000000000000000000000000",
        "object": "chat.completion.chunk",
        "created": 1_790_000_000,
        "model": crate::site::MODEL,
        "system_fingerprint": "fp_0000000000000000",
        "choices": [{"index": 0, "delta": delta, "logprobs": null, "finish_reason": reason}],
    });
    format!("data: {event}\n\n")
}
