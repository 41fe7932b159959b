//! The routes: a nonce, a key for an answer to it, and a sign of life.

use crate::{
    problem::Problem,
    release::{Asked, release},
    releaser::Core,
    telemetry,
};
use hyper::{
    Method, Request, Response,
    body::Incoming,
    header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, HeaderValue},
};
use listener::{Body, Peer, body, read_body};
use protocol::key_release::{KEY_REQUEST_MEDIA_TYPE, MAX_KEY_REQUEST_BYTES, SEALED_KEY_MEDIA_TYPE};
use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
    time::Instant,
};

const CHALLENGE: &str = "/narthex/v1/model-key/challenge";
const RELEASE: &str = "/narthex/v1/model-key/release";
const NONCE_MEDIA_TYPE: &str = "application/octet-stream";

/// Answers one request; never fails.
pub(crate) async fn answer(core: Arc<Core>, request: Request<Incoming>) -> Response<Body> {
    let answered = match (request.method(), request.uri().path()) {
        (&Method::POST, CHALLENGE) => challenge(&core, request).await,
        (&Method::POST, RELEASE) => released(core, request).await,
        (_, CHALLENGE | RELEASE) => Err(Problem::Method),
        (&Method::GET, "/healthz") => Ok(document("text/plain", b"alive\n".to_vec())),
        _ => Err(Problem::UnknownRoute),
    };
    answered.unwrap_or_else(|problem| {
        telemetry::request_refused(problem.code());
        problem.response()
    })
}

async fn challenge(core: &Core, request: Request<Incoming>) -> Result<Response<Body>, Problem> {
    admit(core, &request)?;
    read_body(request.into_body(), 0, core.limits.body_timeout).await?;
    let nonce = core.nonces.issue(Instant::now()).map_err(|error| {
        telemetry::no_nonce(error.code());
        Problem::Failed
    })?;
    Ok(document(NONCE_MEDIA_TYPE, nonce.0.to_vec()))
}

async fn released(core: Arc<Core>, request: Request<Incoming>) -> Result<Response<Body>, Problem> {
    let peer = admit(&core, &request)?;
    check_media_type(&request)?;
    let timeout = core.limits.body_timeout;
    let body = read_body(request.into_body(), MAX_KEY_REQUEST_BYTES, timeout).await?;
    // Not before the body is there: whoever sends slowly takes nobody's place.
    let place = Arc::clone(&core.appraisals).try_acquire_owned();
    let place = place.map_err(|_| Problem::Busy)?;
    let judged = tokio::task::spawn_blocking(move || {
        let _place = place;
        judge(&core, &body, peer)
    });
    let sealed = judged.await.map_err(|_panicked| Problem::Failed)??;
    Ok(document(SEALED_KEY_MEDIA_TYPE, sealed))
}

/// What is released or refused is in the log before the peer knows.
fn judge(core: &Core, body: &[u8], peer: IpAddr) -> Result<Vec<u8>, Problem> {
    let mut asked = Asked::default();
    match release(core, body, &mut asked) {
        Ok(released) => {
            telemetry::key_released(peer, &asked, &released);
            Ok(released.sealed)
        }
        Err(refused) => {
            let version = core.appraiser.load().policy().version();
            telemetry::key_refused(peer, &asked, version, &refused);
            Err(Problem::Refused)
        }
    }
}

/// Whether this address may ask now.
fn admit(core: &Core, request: &Request<Incoming>) -> Result<IpAddr, Problem> {
    let peer = request.extensions().get::<Peer>();
    let unknown = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    let address = peer.map_or(unknown, |peer| peer.address.ip());
    match core.rates.take(address, Instant::now()) {
        true => Ok(address),
        false => Err(Problem::TooOften),
    }
}

fn check_media_type(request: &Request<Incoming>) -> Result<(), Problem> {
    let headers = request.headers();
    let is_ours = headers
        .get(CONTENT_TYPE)
        .is_some_and(|named| named == KEY_REQUEST_MEDIA_TYPE);
    match is_ours && !headers.contains_key(CONTENT_ENCODING) {
        true => Ok(()),
        false => Err(Problem::MediaType),
    }
}

fn document(media_type: &'static str, content: Vec<u8>) -> Response<Body> {
    let mut response = Response::new(body::full(content));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
