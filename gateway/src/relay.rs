//! The relay path: an envelope goes to its node and the sealed answer comes back, both as they arrive, both opaque.

use crate::{
    cut::Cut,
    gateway::Core,
    problem::{PROBLEM_MEDIA_TYPE, Problem},
    registry::Node,
    relay_body::{AnswerBody, Held, RequestBody},
    slots::Slot,
    telemetry,
    upstream::{Ask, UpstreamError, has_media_type},
};
use hyper::{
    HeaderMap, Request, Response, StatusCode,
    body::{Body as _, Incoming},
    header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, HeaderValue, RETRY_AFTER},
};
use listener::{Body, body};
use protocol::Form;
use std::{sync::Arc, time::Instant};

/// A node that may be used now, and word of when it may not.
pub(crate) struct Use<'a> {
    node: &'a Node,
    cut: Cut,
}

impl<'a> Use<'a> {
    /// Of the node that `name` names, if it is admitted now. The ear comes before the look: no cut falls between the two.
    pub(crate) fn begin(core: &'a Core, name: &str) -> Result<Self, Problem> {
        let node = core.registry.find(name)?;
        let cut = node.held();
        core.check_node(node)?;
        Ok(Self { node, cut })
    }
}

/// Relays one envelope.
pub(crate) async fn relay(
    core: &Core,
    mut used: Use<'_>,
    request: Request<Incoming>,
) -> Result<Response<Body>, Problem> {
    let (form, node) = (check_request(core, &request)?, used.node);
    let slot = Slot::take(&core.relays, &node.relays, core.metrics.in_flight())?;
    let answer = tokio::select! {
        biased;
        () = &mut used.cut => return Err(core.refusal(node)),
        answer = send(core, node, form, request) => answer?,
    };
    let (status, headers, answer) = answer.into_crossing(form, core.relay.max_response_bytes)?;
    let held = Held {
        slot,
        cut: used.cut,
        metrics: Arc::clone(&core.metrics),
    };
    let answer = AnswerBody::new(
        answer,
        core.relay.max_response_bytes,
        core.relay.stall_timeout,
        held,
    );
    let mut response = Response::new(body::streaming(answer));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    Ok(response)
}

/// The form of the envelope, which the media type names.
fn check_request(core: &Core, request: &Request<Incoming>) -> Result<Form, Problem> {
    let headers = request.headers();
    let mut forms = Form::ALL.into_iter();
    let form = forms
        .find(|form| has_media_type(headers, form.request_media_type()))
        .filter(|_| !headers.contains_key(CONTENT_ENCODING))
        .ok_or(Problem::MediaType)?;
    if request.body().size_hint().lower() > core.relay.max_request_bytes {
        return Err(Problem::TooLarge);
    }
    Ok(form)
}

/// Streams the envelope to the node and waits for the head of its answer.
async fn send(
    core: &Core,
    node: &Node,
    form: Form,
    request: Request<Incoming>,
) -> Result<Answer, Problem> {
    let begun = Instant::now();
    let (limit_bytes, timeout) = (core.relay.max_request_bytes, core.relay.request_timeout);
    let (envelope, fate) = RequestBody::new(
        request.into_body(),
        limit_bytes,
        timeout,
        Arc::clone(&core.metrics),
    );
    let sending = core
        .upstream
        .send(&node.upstream, Ask::Sealed(form), body::streaming(envelope));
    let sent = tokio::time::timeout(core.relay.answer_timeout, sending).await;
    let answer = sent.unwrap_or(Err(UpstreamError::TimedOut));
    core.metrics.answered_after(begun.elapsed());
    // A request that broke off shows as a broken connection: its own reason is the true one.
    answer.map(Answer).map_err(|error| match fate.get() {
        Some(broken) => Problem::from(*broken),
        None => {
            telemetry::relay_failed(&node.name, error.code());
            Problem::from(error)
        }
    })
}

/// The head of a node's answer.
struct Answer(Response<Incoming>);

impl Answer {
    /// Status, the headers that cross, and the stream; anything but a sealed answer or a problem, or one that declares
    /// more than `max_bytes`, is refused.
    // R8.3
    fn into_crossing(
        self,
        form: Form,
        max_bytes: u64,
    ) -> Result<(StatusCode, HeaderMap, Incoming), Problem> {
        let (head, stream) = self.0.into_parts();
        let media_type = match head.status {
            StatusCode::OK => form.response_media_type(),
            status if status.is_client_error() || status.is_server_error() => PROBLEM_MEDIA_TYPE,
            _ => return Err(Problem::UpstreamAnswer),
        };
        let is_too_large = stream.size_hint().lower() > max_bytes;
        if is_too_large || !has_media_type(&head.headers, media_type) {
            return Err(Problem::UpstreamAnswer);
        }
        Ok((
            head.status,
            crossing_headers(&head.headers, media_type),
            stream,
        ))
    }
}

// R8.2
fn crossing_headers(from_node: &HeaderMap, media_type: &'static str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(seconds) = from_node.get(RETRY_AFTER).and_then(delay_seconds) {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    headers
}

/// Retry-After in seconds; the form with a date does not cross.
fn delay_seconds(value: &HeaderValue) -> Option<u32> {
    value.to_str().ok()?.parse().ok()
}
