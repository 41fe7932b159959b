//! A key broker written from its document: what it checks of the client, and what the client refuses of it.

use super::*;
use crate::{
    Clock,
    model_key::{KeyServer, KeyServerKind, Wanted, fetch, jwe::tests::seal},
    node,
};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use listener::{Body, Limits, body};
use protocol::key_release::KeyId;
use std::{net::SocketAddr, sync::Mutex, time::Duration};
use tee_sim::{Machine, TdxMachine, Vendor, tdx::Intel};
use tokio::net::TcpListener;

const NONCE: &str = "bm9uY2U=";
const KEY: [u8; 32] = [0x77; 32];
/// REPORTDATA's offset in a quote's body, which the header of 48 bytes stands before, in version 5 a descriptor of 6 too.
const REPORT_DATA: usize = 520;

/// How the broker misbehaves.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    NoSession,
    NoNonce,
    Denies,
    NotFound,
    PlainText,
    ShortKey,
    OtherKey,
}

/// What the broker has learned.
struct Broker {
    fault: Fault,
    key: Mutex<Option<Value>>,
}

fn answer(status: u16, content: &Value) -> Response<Body> {
    let mut response = Response::new(body::full(content.to_string()));
    *response.status_mut() = status.try_into().unwrap();
    let cookie = HeaderValue::from_static("kbs-session-id=s1; Path=/; HttpOnly");
    response.headers_mut().insert(SET_COOKIE, cookie);
    response
}

impl Broker {
    async fn serve(self: Arc<Self>, request: Request<Incoming>) -> Response<Body> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let path = head.uri.path().to_owned();
        let session = head.headers.get(COOKIE);
        let has_session = session.is_some_and(|cookie| cookie == "kbs-session-id=s1");
        match path.as_str() {
            "/kbs/v0/auth" => self.challenge(&serde_json::from_slice(&body).unwrap()),
            _ if !has_session => answer(401, &json!({})),
            "/kbs/v0/attest" => self.attest(&serde_json::from_slice(&body).unwrap()),
            "/kbs/v0/resource/models/key/tiny" => self.resource(),
            _ => answer(404, &json!({})),
        }
    }

    fn challenge(&self, request: &Value) -> Response<Body> {
        assert_eq!(
            *request,
            json!({"version": "0.4.0", "tee": "tdx", "extra-params": {}})
        );
        let nonce = if self.fault == Fault::NoNonce {
            ""
        } else {
            NONCE
        };
        let mut challenge = answer(200, &json!({"nonce": nonce, "extra-params": ""}));
        if self.fault == Fault::NoSession {
            challenge.headers_mut().remove(SET_COOKIE);
        }
        challenge
    }

    /// The evidence must carry SHA-384 of the JSON that the service builds, its members sorted.
    fn attest(&self, attestation: &Value) -> Response<Body> {
        let runtime = &attestation["runtime-data"];
        let evidence = &attestation["tee-evidence"];
        assert_eq!(evidence["additional_evidence"], "");
        let key = &runtime["tee-pubkey"];
        let member = |name: &str| format!("\"{name}\":{}", key[name]);
        let sorted = ["alg", "crv", "kty", "x", "y"].map(member).join(",");
        let nonce = &runtime["nonce"];
        let bound =
            format!(r#"{{"additional-evidence":"","nonce":{nonce},"tee-pubkey":{{{sorted}}}}}"#);
        let quote = evidence["primary_evidence"]["quote"].as_str().unwrap();
        let quote = BASE64_STANDARD.decode(quote).unwrap();
        let start = REPORT_DATA + if quote[0] == 5 { 54 } else { 48 };
        let carried = &quote[start..start + 64];
        let is_bound = carried[..48] == sha384(bound.as_bytes()) && carried[48..] == [0; 16];
        if self.fault == Fault::Denies || nonce != NONCE || !is_bound {
            return answer(401, &json!({"type": "denied"}));
        }
        *self.key.lock().unwrap() = Some(key.clone());
        answer(200, &json!({"token": "e30.e30.e30"}))
    }

    fn resource(&self) -> Response<Body> {
        let key = self.key.lock().unwrap().clone().unwrap();
        let other = Recipient::generate().unwrap().public().unwrap();
        match self.fault {
            Fault::NotFound => answer(404, &json!({})),
            Fault::PlainText => answer(200, &json!({"key": hex::encode(KEY)})),
            Fault::ShortKey => answer(200, &seal(&key, &KEY[1..])),
            Fault::OtherKey => answer(200, &seal(&jwk(&other), &KEY)),
            _ => answer(200, &seal(&key, &KEY)),
        }
    }
}

async fn broker(fault: Fault) -> SocketAddr {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let key = Mutex::new(None);
    let broker = Arc::new(Broker { fault, key });
    let service = move |request| Arc::clone(&broker).serve(request);
    let never = std::future::pending();
    tokio::spawn(listener::serve(
        socket,
        None,
        Limits::default(),
        service,
        never,
    ));
    address
}

fn asker(provider: Arc<dyn attestation::EvidenceProvider>) -> Arc<Asker> {
    let (parts, engine) = (node::tests::parts(), node::tests::engine());
    let clock = Clock::from_source(|| node::tests::NOW);
    Arc::new(Asker::new(&parts, engine.card(), provider, clock).unwrap())
}

fn guest() -> Arc<dyn attestation::EvidenceProvider> {
    Arc::new(TdxMachine::new(Intel::invent(node::tests::NOW)))
}

async fn outcome(fault: Fault, resource: &str) -> Result<Vec<u8>, &'static str> {
    ask_of(broker(fault).await, asker(guest()), resource).await
}

async fn ask_of(
    address: SocketAddr,
    asker: Arc<Asker>,
    resource: &str,
) -> Result<Vec<u8>, &'static str> {
    let server = KeyServer {
        address: format!("http://{address}"),
        kind: KeyServerKind::Kbs(KbsResource::parse(resource).unwrap()),
        roots: None,
        attempts: 1,
        first_pause: Duration::ZERO,
    };
    let wanted = Wanted {
        key_id: KeyId([0; 32]),
        model: [0; 32],
    };
    let key = fetch(&server, &asker, wanted).await;
    key.map(|key| key.expose().to_vec())
        .map_err(|error| error.code())
}

#[tokio::test]
async fn a_guest_gets_its_key() {
    let key = outcome(Fault::None, "models/key/tiny").await;
    assert_eq!(key, Ok(KEY.to_vec()));
}

#[tokio::test]
async fn every_other_answer_is_refused() {
    for (fault, code) in [
        (Fault::NoSession, "model_key.challenge"),
        (Fault::NoNonce, "model_key.challenge"),
        (Fault::Denies, "model_key.refused"),
        (Fault::NotFound, "model_key.refused"),
        (Fault::PlainText, "model_key.jwe"),
        (Fault::ShortKey, "model_key.length"),
        (Fault::OtherKey, "model_key.jwe"),
    ] {
        let refused = outcome(fault, "models/key/tiny").await;
        assert_eq!(refused, Err(code));
    }
    let elsewhere = outcome(Fault::None, "models/key/other").await;
    assert_eq!(elsewhere, Err("model_key.refused"));
}

#[tokio::test]
async fn platforms_whose_evidence_is_not_written_are_told_so() {
    let machine = Machine::new(&Vendor::invent(attestation::snp::Product::Genoa));
    let asker = asker(Arc::new(machine));
    let refused = ask_of(broker(Fault::None).await, asker, "a/b/c").await;
    assert_eq!(refused, Err("evidence.unavailable"));
}

#[test]
fn a_resource_has_three_plain_parts() {
    assert!(KbsResource::parse("default/model-key/tiny.v1_2").is_some());
    for refused in [
        "", "a/b", "a/b/c/d", "a//c", "a/../c", "a/b/c?d", "a/b/c d", "/a/b",
    ] {
        assert_eq!(KbsResource::parse(refused), None, "{refused}");
    }
}

#[test]
fn a_session_goes_back_without_its_attributes() {
    let session = |text: &'static str| {
        let back = session_of(&HeaderValue::from_static(text));
        back.map(|value| value.to_str().unwrap().to_owned())
    };
    let back = session("kbs-session-id=a-b; Path=/; Secure");
    assert_eq!(back.as_deref(), Some("kbs-session-id=a-b"));
    for refused in ["other=a", "kbs-session-id=", "kbs-session-id", ""] {
        assert_eq!(session(refused), None, "{refused:?}");
    }
}
