//! The outer routes (docs/protocol.md section 9). What is not one of them is refused, its body unread.

use crate::{
    answer, challenge,
    envelope::{self, EnvelopeError},
    exchange::Exchange,
    node::Node,
    problem::Problem,
    telemetry,
};
use attestation::Nonce;
use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, header};
use hyper::body::{Body as HttpBody, Frame};
use listener::{Body, BoxError, body, read_body};
use protocol::{Form, ReceiverError};
use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::sync::mpsc;

const NONCE_BYTES: usize = 32;
const NONCE_TIMEOUT: Duration = Duration::from_secs(10);
/// Sealed chunks that wait for a slow peer before the engine waits too.
const CHUNKS_AHEAD: usize = 16;

/// Answers one outer request.
pub(crate) async fn handle<B>(node: Arc<Node>, request: Request<B>) -> Response<Body>
where
    B: HttpBody<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    let outcome = match (request.method(), request.uri().path()) {
        (&Method::POST, "/narthex/v1/sealed") => sealed(node, request).await,
        (&Method::POST, "/narthex/v1/challenge") => challenged(node, request).await,
        (&Method::GET, "/narthex/v1/keys") => keys(&node),
        (&Method::GET, "/healthz") => Ok(document("text/plain", "ok\n")),
        (&Method::GET, "/readyz") => ready(&node),
        // R9.1
        _ => Err(Problem::Unsealed),
    };
    outcome.unwrap_or_else(|problem| {
        telemetry::refused(problem.code());
        problem.response()
    })
}

fn keys(node: &Node) -> Result<Response<Body>, Problem> {
    let list = node.key_list()?.as_bytes().to_vec();
    Ok(document("application/cose", list))
}

fn ready(node: &Node) -> Result<Response<Body>, Problem> {
    node.check_serving()?;
    Ok(document("text/plain", "ready\n"))
}

async fn challenged<B>(node: Arc<Node>, request: Request<B>) -> Result<Response<Body>, Problem>
where
    B: HttpBody<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    node.check_serving()?;
    let bytes = read_body(request.into_body(), NONCE_BYTES, NONCE_TIMEOUT)
        .await
        .map_err(|_| Problem::Challenge)?;
    let nonce = <[u8; NONCE_BYTES]>::try_from(&*bytes).map_err(|_| Problem::Challenge)?;
    let bundle = challenge::answer(node, Nonce(nonce)).await?;
    Ok(document("application/cmw+cbor", bundle))
}

/// Opens the envelope, then answers inside the seal while the answer is made.
async fn sealed<B>(node: Arc<Node>, request: Request<B>) -> Result<Response<Body>, Problem>
where
    B: HttpBody<Data = Bytes>,
{
    let form = form_of(&request)?;
    node.check_serving()?;
    let permit = Arc::clone(&node.in_flight)
        .try_acquire_owned()
        .map_err(|_| Problem::Busy)?;
    let opener = node.epochs.open(form, node.clock.moment());
    let opened = envelope::receive(opener, request.into_body(), node.limits.envelope_timeout).await;
    let (request, responder) = opened.map_err(|error| refuse(&node, error))?;
    let (out, chunks) = mpsc::channel(CHUNKS_AHEAD);
    let exchange = Exchange::new(node, &request, responder, out);
    let torn = exchange.leash.clone().torn();
    tokio::spawn(async move {
        let _permit = permit;
        tokio::select! {
            () = answer::answer(exchange, request) => {}
            () = torn => telemetry::cut(),
        }
    });
    let mut response = Response::new(body::streaming(Chunks(chunks)));
    set_media_type(&mut response, form.response_media_type());
    Ok(response)
}

fn refuse(node: &Node, error: EnvelopeError) -> Problem {
    telemetry::refused(error.code());
    if let EnvelopeError::Refused(ReceiverError::ReplaySetFull(epoch)) = error {
        node.epochs.end_full(epoch, node.clock.moment());
    }
    error.problem()
}

/// The form of the envelope, which the media type names.
fn form_of<B>(request: &Request<B>) -> Result<Form, Problem> {
    let headers = request.headers();
    let named = headers
        .get(header::CONTENT_TYPE)
        .ok_or(Problem::MediaType)?;
    let mut forms = Form::ALL.into_iter();
    forms
        .find(|form| named == form.request_media_type())
        .filter(|_| !headers.contains_key(header::CONTENT_ENCODING))
        .ok_or(Problem::MediaType)
}

fn document(media_type: &'static str, content: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(body::full(content));
    set_media_type(&mut response, media_type);
    response
}

fn set_media_type(response: &mut Response<Body>, media_type: &'static str) {
    let value = HeaderValue::from_static(media_type);
    response.headers_mut().insert(header::CONTENT_TYPE, value);
}

/// Sealed chunks as a response body. Dropping it tells the exchange that its client has gone.
struct Chunks(mpsc::Receiver<Bytes>);

impl HttpBody for Chunks {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0
            .poll_recv(context)
            .map(|chunk| chunk.map(|chunk| Ok(Frame::data(chunk))))
    }
}
