//! The public routes (docs/protocol.md section 8): a key first, then the path, then the node.

use crate::{
    api_key::KeyNumber,
    gateway::Core,
    problem::Problem,
    published::FileName,
    registry::Node,
    relay::{Use, relay},
    telemetry,
    upstream::{Ask, FetchLimits, NONCE_MEDIA_TYPE, has_media_type},
    verdict_report::compare,
};
use attestation::bundle::MAX_BUNDLE_BYTES;
use bytes::Bytes;
use hyper::{
    Method, Request, Response,
    body::Incoming,
    header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue},
};
use listener::{Body, body, read_body};
use std::sync::Arc;

const NONCE_BYTES: usize = 32;
/// Largest signed key list.
const MAX_KEYS_BYTES: usize = 64 * 1024;

/// A route; `label()` is what metrics call it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Route<'a> {
    Policy(FileName),
    Offers,
    Challenge(&'a str),
    Keys(&'a str),
    Relay(&'a str),
    Verdict(&'a str),
    Unknown,
}

impl<'a> Route<'a> {
    fn of(path: &'a str) -> Self {
        let Some(path) = path.strip_prefix("/narthex/v1/") else {
            return Self::Unknown;
        };
        let node_route = path
            .strip_prefix("nodes/")
            .and_then(|rest| rest.split_once('/'));
        match node_route {
            Some((node, "challenge")) => Self::Challenge(node),
            Some((node, "keys")) => Self::Keys(node),
            Some((node, "relay")) => Self::Relay(node),
            Some((node, "verdict")) => Self::Verdict(node),
            None if path == "offers" => Self::Offers,
            _ => path
                .strip_prefix("policy/")
                .and_then(FileName::parse)
                .map_or(Self::Unknown, Self::Policy),
        }
    }

    const fn label(self) -> &'static str {
        match self {
            Self::Policy(_) => "policy",
            Self::Offers => "offers",
            Self::Challenge(_) => "challenge",
            Self::Keys(_) => "keys",
            Self::Relay(_) => "relay",
            Self::Verdict(_) => "verdict",
            Self::Unknown => "unknown",
        }
    }

    fn check_method(self, method: &Method) -> Result<(), Problem> {
        let allowed = match self {
            Self::Policy(_) | Self::Offers | Self::Keys(_) => "GET",
            Self::Challenge(_) | Self::Relay(_) | Self::Verdict(_) => "POST",
            Self::Unknown => return Err(Problem::UnknownRoute),
        };
        (method == allowed)
            .then_some(())
            .ok_or(Problem::Method(allowed))
    }
}

/// Answers one request; never fails.
pub(crate) async fn answer(core: Arc<Core>, request: Request<Incoming>) -> Response<Body> {
    let path = request.uri().path().to_owned();
    let route = Route::of(&path);
    let response = dispatch(&core, route, request)
        .await
        .unwrap_or_else(Problem::response);
    core.metrics.answered(route.label(), response.status());
    response
}

async fn dispatch(
    core: &Core,
    route: Route<'_>,
    request: Request<Incoming>,
) -> Result<Response<Body>, Problem> {
    // R8.1
    let client = core
        .api_keys
        .authenticate(request.headers())
        .map_err(|_| Problem::Unauthorized)?;
    route.check_method(request.method())?;
    if let Route::Policy(name) = route {
        // Whatever is stopped: the order that starts it again comes this way too.
        return core
            .standing
            .load()
            .published
            .answer(name, request.headers());
    }
    core.check_standing()?;
    match route {
        Route::Offers => Ok(offers(core)),
        Route::Challenge(node) => challenge(core, core.admitted(node)?, request).await,
        Route::Keys(node) => keys(core, core.admitted(node)?).await,
        Route::Relay(node) => relay(core, Use::begin(core, node)?, request).await,
        Route::Verdict(node) => verdict(core, core.registry.find(node)?, client, request).await,
        Route::Policy(_) | Route::Unknown => Err(Problem::UnknownRoute),
    }
}

fn offers(core: &Core) -> Response<Body> {
    let offers = core.registry.offers(core.clock.now());
    let document = serde_json::json!({ "offers": offers }).to_string();
    fresh(document.into(), "application/json")
}

/// Passes a client's challenge through: the gateway can neither answer nor alter it.
async fn challenge(
    core: &Core,
    node: &Node,
    request: Request<Incoming>,
) -> Result<Response<Body>, Problem> {
    if !has_media_type(request.headers(), NONCE_MEDIA_TYPE) {
        return Err(Problem::MediaType);
    }
    let nonce = read_body(request.into_body(), NONCE_BYTES, core.relay.request_timeout).await?;
    if nonce.len() != NONCE_BYTES {
        return Err(Problem::NonceLength);
    }
    pass_through(core, node, Ask::Challenge, nonce).await
}

async fn keys(core: &Core, node: &Node) -> Result<Response<Body>, Problem> {
    pass_through(core, node, Ask::Keys, Bytes::new()).await
}

async fn verdict(
    core: &Core,
    node: &Node,
    client: KeyNumber,
    request: Request<Incoming>,
) -> Result<Response<Body>, Problem> {
    let own = compare(core, node, client, request).await?;
    let document = serde_json::json!(own).to_string();
    Ok(fresh(document.into(), "application/json"))
}

async fn pass_through(
    core: &Core,
    node: &Node,
    ask: Ask,
    body: Bytes,
) -> Result<Response<Body>, Problem> {
    let _slot = node.challenges.take()?;
    let limits = FetchLimits {
        max_bytes: if ask == Ask::Keys {
            MAX_KEYS_BYTES
        } else {
            MAX_BUNDLE_BYTES
        },
        timeout: core.appraisal.timeout,
    };
    let answer = core.upstream.fetch(&node.upstream, ask, body, limits).await;
    let answer = answer.inspect_err(|error| telemetry::relay_failed(&node.name, error.code()))?;
    Ok(fresh(answer, ask.answer_type()))
}

/// An answer that no cache may keep.
fn fresh(bytes: Bytes, media_type: &'static str) -> Response<Body> {
    let mut response = Response::new(body::full(bytes));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::{FileName, Route};

    #[test]
    fn paths_have_their_routes_and_nothing_else_has() {
        let cases = [
            ("/narthex/v1/offers", Route::Offers),
            ("/narthex/v1/nodes/n/challenge", Route::Challenge("n")),
            ("/narthex/v1/nodes/n/keys", Route::Keys("n")),
            ("/narthex/v1/nodes/n/relay", Route::Relay("n")),
            ("/narthex/v1/nodes/n/verdict", Route::Verdict("n")),
            (
                "/narthex/v1/policy/policy.json",
                Route::Policy(FileName::Policy),
            ),
            (
                "/narthex/v1/policy/orders.jsonl",
                Route::Policy(FileName::Orders),
            ),
            ("/narthex/v1/policy/", Route::Unknown),
            ("/narthex/v1/policy/policy", Route::Unknown),
            ("/narthex/v1/policy/nodes/policy.json", Route::Unknown),
            ("/narthex/v1/nodes/policy/policy.json", Route::Unknown),
            ("/", Route::Unknown),
            ("/v1/chat/completions", Route::Unknown),
            ("/narthex/v1/offers/", Route::Unknown),
            ("/narthex/v1/nodes/n", Route::Unknown),
            ("/narthex/v1/nodes/n/", Route::Unknown),
            ("/narthex/v1/nodes/n/relay/", Route::Unknown),
            ("/narthex/v1/nodes/n/m/relay", Route::Unknown),
            ("/narthex/v1//nodes/n/relay", Route::Unknown),
            ("/narthex/v2/offers", Route::Unknown),
        ];
        for (path, route) in cases {
            assert_eq!(Route::of(path), route, "{path}");
        }
    }
}
