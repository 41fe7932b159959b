//! Encrypted or refused: every route and method of docs/protocol.md's table, unsealed and sealed, against runtime and gateway on loopback.
//!
//! The table is read from the document: what it says is what is tested. Every path of it is asked with nine methods, unsealed, of the
//! gateway (HTTP/1.1 and HTTP/2, with and without its key) and of the runtime, with a marked body, header and query; and sealed, with
//! six methods. The mark is in no answer and not in the log. Proves R8.1 and R9.1.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod composed;
mod table;
mod unsealed;

use client::{Client, Request};
use composed::{
    API_KEY, Deaf, HandClock,
    engine::{MODEL, Synthetic},
    log::Log,
    site,
};
use enclave_runtime::Limits;
use gateway::Listeners;
use http_body_util::{BodyExt, Full};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE};
use rustls::{ClientConfig, RootCertStore, pki_types::ServerName};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use table::{Route, Table, Unsealed};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsConnector, client::TlsStream};
use unsealed::{
    Answer, CANARY, HANG, code, connect, holds_canary, http1, http2, marked_body, open_http2,
};

const METHODS: [&str; 9] = [
    "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "CONNECT",
];
/// Receipts are about a request, not a model.
const RECEIPTS: &str = "/narthex/receipts/";
/// What a client may name inside the seal.
const SEALED_METHODS: [&str; 6] = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
const NODE: &str = "node-1";
struct Stack {
    runtime: SocketAddr,
    gateway: SocketAddr,
}

impl Stack {
    async fn start(clock: &Arc<HandClock>) -> Self {
        let engine = Synthetic::new(Duration::ZERO, Arc::default());
        let runtime = site().runtime(NODE, engine, clock, Limits::default());
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        tokio::spawn(runtime.serve(socket, std::future::pending()));
        let nodes = [(NODE.to_owned(), address.to_string())];
        let config = site().gateway_config(&nodes, "");
        let listeners = Listeners::bind(&config).await.unwrap();
        let (public, _) = listeners.addresses().unwrap();
        let tcp = gateway::Connector::tcp(HANG);
        let gateway = site().gateway(&config, tcp, Arc::clone(clock));
        site().publish(&gateway);
        let appraised = gateway.appraise_all().await;
        assert!(appraised.iter().all(|(_, outcome)| outcome.is_ok()));
        tokio::spawn(gateway.run(listeners, std::future::pending()));
        Self {
            runtime: address,
            gateway: public,
        }
    }

    async fn tls(&self, alpn: &[u8]) -> TlsStream<TcpStream> {
        let mut roots = RootCertStore::empty();
        roots.add(site().certificate().to_vec().into()).unwrap();
        let mut config = ClientConfig::builder()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![alpn.to_vec()];
        let stream = connect(self.gateway).await;
        let name = ServerName::try_from("localhost").unwrap();
        let connector = TlsConnector::from(Arc::new(config));
        connector.connect(name, stream).await.unwrap()
    }

    async fn runtime_http1(&self, method: &str, path: &str) -> Answer {
        let stream = connect(self.runtime).await;
        http1(stream, method, path, None).await
    }

    async fn gateway_http1(&self, method: &str, path: &str, key: Option<&str>) -> Answer {
        http1(self.tls(b"http/1.1").await, method, path, key).await
    }
}

#[track_caller]
fn matches(answer: &Answer, expected: &Unsealed, asked: &str) {
    let shown = String::from_utf8_lossy(&answer.bytes);
    assert!(
        !holds_canary(&answer.bytes),
        "{asked}: the request comes back: {shown}"
    );
    assert_eq!(answer.status, expected.status, "{asked}: {shown}");
    // The answer to HEAD has no body.
    if !asked.starts_with("HEAD") {
        assert_eq!(answer.code, expected.code, "{asked}: {shown}");
    }
}

/// CONNECT names no path: all that counts is that it is refused.
#[track_caller]
fn refuses_connect(answer: &Answer) {
    assert!((400..500).contains(&answer.status), "{}", answer.status);
    assert!(!holds_canary(&answer.bytes));
}

#[test]
fn the_table_names_the_whole_api() {
    let table = Table::read();
    assert!(table.routes.len() >= 200, "{} routes", table.routes.len());
    for family in [
        "/v1/chat/completions",
        "/v1/completions",
        "/v1/models",
        "/v1/embeddings",
        "/v1/responses",
        "/v1/files",
        "/v1/images/",
        "/v1/audio/",
        "/v1/moderations",
        "/v1/assistants",
        "/v1/batches",
        "/v1/fine_tuning/",
        "/v1/vector_stores",
        "/v1/threads",
        "/v1/uploads",
        "/v1/realtime",
        "/v1/evals",
        "/v1/containers",
        "/v1/conversations",
        "/v1/videos",
        "/narthex/v1/",
        "/metrics",
    ] {
        let named = table
            .routes
            .iter()
            .any(|route| route.path.starts_with(family));
        assert!(named, "{family} is not in the table");
    }
    let open = |route: &&Route| route.gateway.status == 200 || route.runtime.status == 200;
    let mut open: Vec<_> = table
        .routes
        .iter()
        .filter(open)
        .map(|route| format!("{} {}", route.method, route.path))
        .collect();
    open.sort();
    // These, and no API route, answer who has no envelope.
    let public = [
        "GET /healthz",
        "GET /narthex/v1/keys",
        "GET /narthex/v1/nodes/{node}/keys",
        "GET /narthex/v1/offers",
        "GET /narthex/v1/policy/policy.json",
        "GET /readyz",
    ];
    assert_eq!(open, public);
}

/// One test, since the process has one log.
#[tokio::test]
async fn every_route_is_encrypted_or_refused() {
    let log = Log::take();
    let table = Table::read();
    let clock = HandClock::new();
    let stack = Stack::start(&clock).await;
    unsealed(&table, &stack).await;
    an_envelope_in_name_only(&stack).await;
    sealed(&table, &stack, &clock).await;
    let log = log.text();
    assert!(log.contains("runtime.unsealed"), "the log is heard");
    assert!(
        !holds_canary(log.as_bytes()),
        "the log holds the mark:\n{log}"
    );
}

async fn unsealed(table: &Table, stack: &Stack) {
    let mut h2 = open_http2(stack.tls(b"h2").await).await;
    for path in table.paths() {
        let shown = filled(path);
        for method in METHODS {
            let asked = format!("{method} {shown}");
            if method == "CONNECT" {
                continue;
            }
            matches(
                &stack.runtime_http1(method, &shown).await,
                &table.on_runtime(method, path),
                &asked,
            );
            let expected = table.on_gateway(method, path);
            matches(
                &http2(&mut h2, method, &shown, Some(API_KEY)).await,
                &expected,
                &asked,
            );
            matches(
                &stack.gateway_http1(method, &shown, Some(API_KEY)).await,
                &expected,
                &asked,
            );
            for key in [None, Some("another-key")] {
                matches(
                    &http2(&mut h2, method, &shown, key).await,
                    &Table::without_key(),
                    &asked,
                );
            }
            matches(
                &stack.gateway_http1(method, &shown, None).await,
                &Table::without_key(),
                &asked,
            );
        }
    }
    refuses_connect(&stack.runtime_http1("CONNECT", "").await);
    refuses_connect(&stack.gateway_http1("CONNECT", "", Some(API_KEY)).await);
    refuses_connect(&stack.gateway_http1("CONNECT", "", None).await);
}

/// Plaintext that calls itself an envelope: the node cannot open it, and says so without its words.
async fn an_envelope_in_name_only(stack: &Stack) {
    let mut h2 = open_http2(stack.tls(b"h2").await).await;
    let request = hyper::Request::post(format!("https://localhost/narthex/v1/nodes/{NODE}/relay"))
        .header(AUTHORIZATION, format!("Bearer {API_KEY}"))
        .header(CONTENT_TYPE, protocol::REQUEST_MEDIA_TYPE)
        .body(Full::from(marked_body()))
        .unwrap();
    let (head, body) = h2.send_request(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    assert_eq!(head.status, 400);
    assert!(["runtime.key", "runtime.envelope"].contains(&code(&body).unwrap().as_str()));
    assert!(!holds_canary(&body));
}

async fn sealed(table: &Table, stack: &Stack, clock: &Arc<HandClock>) {
    let address = stack.gateway;
    let connector =
        gateway::Connector::new(
            move |_| async move { Ok::<_, std::io::Error>(connect(address).await) },
        );
    let client = site()
        .client(connector, Arc::clone(clock), Arc::new(Deaf))
        .await
        .unwrap();
    for path in table.paths() {
        for method in SEALED_METHODS {
            let (status, code) = ask(&client, method, &filled(path)).await;
            let expected = table.sealed(method, path);
            let said = expected
                .iter()
                .any(|form| form.status == status && form.code == code);
            assert!(
                said,
                "sealed {method} {path}: {status} {code:?}, not {expected:?}"
            );
        }
    }
}

async fn ask(client: &Client, method: &'static str, path: &str) -> (u16, Option<String>) {
    let body = match path {
        "/v1/completions" => format!(r#"{{"model":"{MODEL}","prompt":"{CANARY}"}}"#),
        "/v1/responses" | "/v1/embeddings" => {
            format!(r#"{{"model":"{MODEL}","input":"{CANARY}"}}"#)
        }
        _ => {
            format!(r#"{{"model":"{MODEL}","messages":[{{"role":"user","content":"{CANARY}"}}]}}"#)
        }
    };
    let mut request = match method {
        "GET" => Request::get(path),
        _ => Request::post(path, body.into_bytes(), MODEL.to_owned()),
    };
    request.method = method;
    let has_model = path != "/v1/models" && !(method == "GET" && path.starts_with(RECEIPTS));
    if has_model {
        request = request.about(MODEL.to_owned());
    }
    let answer = client
        .send(&request)
        .await
        .unwrap()
        .collect()
        .await
        .unwrap();
    let document: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let code = document["error"]["code"].as_str().map(str::to_owned);
    (answer.status, code)
}

/// A path with its placeholders filled.
fn filled(path: &str) -> String {
    let path = path.replace("{node}", NODE).replace("{model}", MODEL);
    let mut filled = String::new();
    let mut rest = path.as_str();
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        filled.push_str("x-1");
        rest = after.split_once('}').expect("a closed placeholder").1;
    }
    filled + rest
}
