//! The proxy on loopback: what passes sealed, what does not pass at all, and that a partial answer never ends cleanly.

use crate::fake::{Fault, Gateway, MODEL, Node};
use bytes::Bytes;
use client::{
    Client, Event, GatewayUrl, Judge, Observer, Roots, SeenPolicies, SystemClock,
    proxy::{Proxy, ProxyKey, ProxySettings},
};
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::{
    client::legacy::{self, connect::HttpConnector},
    rt::TokioExecutor,
};
use policy::Appraiser;
use std::sync::Arc;
use tokio::net::TcpListener;

struct Silent;

impl Observer for Silent {
    fn observe(&self, _: &Event) {}
}

/// A proxy in front of a gateway with one node.
struct Bench {
    gateway: Gateway,
    address: String,
    http: legacy::Client<HttpConnector, Full<Bytes>>,
}

impl Bench {
    async fn with(settings: ProxySettings) -> Self {
        let gateway = Gateway::start(vec![Node::new("node-a")]).await;
        let node = &gateway.nodes[0];
        let judge = Judge {
            appraiser: Appraiser::new(node.machine.verifier(), node.policy()),
            clock: Arc::new(SystemClock),
            seen: SeenPolicies::default(),
        };
        let at = client::Gateway {
            url: GatewayUrl::parse(&gateway.url).unwrap(),
            roots: Roots::System,
            api_key: None,
        };
        let client = Client::connect(&at, judge, Arc::new(Silent)).await.unwrap();
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap().to_string();
        let proxy = Proxy::new(client, settings, Arc::new(Silent));
        tokio::spawn(async move { proxy.serve(socket, std::future::pending()).await });
        Self {
            gateway,
            address,
            http: legacy::Client::builder(TokioExecutor::new()).build_http(),
        }
    }

    async fn new() -> Self {
        Self::with(ProxySettings::default()).await
    }

    fn request(&self, method: &str, path: &str) -> http::request::Builder {
        Request::builder()
            .method(method)
            .uri(format!("http://{}{path}", self.address))
    }

    async fn send(&self, request: http::request::Builder, body: &str) -> Response<Incoming> {
        let request = request.body(Full::from(body.to_owned())).unwrap();
        self.http.request(request).await.unwrap()
    }

    async fn get(&self, path: &str) -> Response<Incoming> {
        self.send(self.request("GET", path), "").await
    }

    async fn chat(&self, body: &str) -> Response<Incoming> {
        let request = self
            .request("POST", "/v1/chat/completions")
            .header("content-type", "application/json");
        self.send(request, body).await
    }
}

fn body(extra: &str) -> String {
    format!(r#"{{"model":"{MODEL}"{extra},"messages":[]}}"#)
}

async fn text(response: Response<Incoming>) -> Result<String, hyper::Error> {
    let bytes = response.into_body().collect().await?.to_bytes();
    Ok(String::from_utf8(bytes.to_vec()).unwrap())
}

async fn code(response: Response<Incoming>) -> String {
    let text = text(response).await.unwrap();
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    document["error"]["code"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_whole_answer_names_who_gave_it() {
    let bench = Bench::new().await;
    let response = bench.chat(&body("")).await;
    assert_eq!(response.status(), 200);
    let headers = response.headers();
    assert_eq!(headers["content-type"], "application/json");
    assert_eq!(headers["narthex-node"], "node-a");
    assert_eq!(headers["narthex-policy-version"], "3");
    let opened = bench.gateway.nodes[0].opened.lock().unwrap()[0];
    assert_eq!(headers["narthex-request-id"], hex::encode(opened).as_str());
    assert!(text(response).await.unwrap().contains("Hello, world"));
}

#[tokio::test]
async fn a_stream_ends_with_done_and_has_a_receipt() {
    let bench = Bench::new().await;
    let response = bench.chat(&body(r#","stream":true"#)).await;
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let id = response.headers()["narthex-request-id"]
        .to_str()
        .unwrap()
        .to_owned();
    let text = text(response).await.unwrap();
    assert!(
        text.contains("Hello") && text.ends_with("data: [DONE]\n\n"),
        "{text}"
    );
    let receipt = bench.get(&format!("/narthex/receipts/{id}")).await;
    assert_eq!(receipt.status(), 200);
    let receipt = self::text(receipt).await.unwrap();
    let receipt: serde_json::Value = serde_json::from_str(&receipt).unwrap();
    assert_eq!(receipt["request_id"], id.as_str());
    assert_eq!(receipt["node"], "node-a");
}

/// What came, and whether it broke off.
async fn until_the_end(response: Response<Incoming>) -> (String, bool) {
    let mut body = response.into_body();
    let mut seen = Vec::new();
    let broken = loop {
        match body.frame().await {
            Some(Ok(frame)) => seen.extend(frame.into_data().unwrap_or_default()),
            Some(Err(_)) => break true,
            None => break false,
        }
    };
    (String::from_utf8(seen).unwrap(), broken)
}

#[tokio::test]
async fn an_answer_that_the_node_did_not_finish_breaks_off_and_its_receipt_says_so() {
    let bench = Bench::new().await;
    *bench.gateway.nodes[0].outcome.lock().unwrap() = protocol::Outcome::Failed;
    let response = bench.chat(&body(r#","stream":true"#)).await;
    let id = response.headers()["narthex-request-id"]
        .to_str()
        .unwrap()
        .to_owned();
    let (seen, broken) = until_the_end(response).await;
    assert!(broken && !seen.contains("[DONE]"), "{seen}");
    let receipt = bench.get(&format!("/narthex/receipts/{id}")).await;
    assert!(
        text(receipt)
            .await
            .unwrap()
            .contains(r#""outcome":"failed""#)
    );
    let whole = bench.chat(&body("")).await;
    assert_eq!(whole.status(), 502);
    assert_eq!(code(whole).await, "receipt.outcome");
    let opened = bench.gateway.nodes[0].opened.lock().unwrap()[1];
    let path = format!("/narthex/receipts/{}", hex::encode(opened));
    assert_eq!(bench.get(&path).await.status(), 200);
}

/// R6.11.
#[tokio::test]
async fn a_truncated_stream_breaks_the_connection_and_never_says_done() {
    for fault in [Fault::DropEnd, Fault::BreakOff, Fault::FlipBit] {
        let bench = Bench::new().await;
        bench.gateway.fault(fault);
        let response = bench.chat(&body(r#","stream":true"#)).await;
        let id = response.headers()["narthex-request-id"]
            .to_str()
            .unwrap()
            .to_owned();
        let (seen, broken) = until_the_end(response).await;
        assert!(broken, "{fault:?}: the answer ended cleanly");
        assert!(!seen.contains("[DONE]"), "{fault:?}");
        bench.gateway.fault(None);
        let receipt = bench.get(&format!("/narthex/receipts/{id}")).await;
        let receipt: serde_json::Value =
            serde_json::from_str(&text(receipt).await.unwrap()).unwrap();
        assert_eq!(receipt["request_id"], id.as_str(), "the node kept it");
    }
}

#[tokio::test]
async fn a_truncated_whole_answer_is_an_error_and_nothing_of_it_is_shown() {
    let bench = Bench::new().await;
    bench.gateway.fault(Fault::DropEnd);
    let response = bench.chat(&body("")).await;
    assert_eq!(response.status(), 502);
    assert_eq!(code(response).await, "channel.truncated");
}

#[tokio::test]
async fn errors_from_inside_the_seal_pass_as_they_are() {
    let bench = Bench::new().await;
    let response = bench.chat(&body(r#","user":"refuse me""#)).await;
    assert_eq!(response.status(), 400);
    assert!(response.headers().contains_key("narthex-request-id"));
    assert_eq!(code(response).await, "refused");
}

#[tokio::test]
async fn models_are_listed_through_the_seal() {
    let bench = Bench::new().await;
    let response = bench.get("/v1/models").await;
    assert_eq!(response.status(), 200);
    assert_eq!(bench.gateway.calls("relay"), 1);
    let absent = bench.get("/v1/models/gpt-9").await;
    assert_eq!(absent.status(), 404);
    assert_eq!(code(absent).await, "model_not_found");
    assert_eq!(bench.gateway.calls("relay"), 1);
}

#[tokio::test]
async fn what_has_no_sealed_form_never_leaves_the_machine() {
    let bench = Bench::new().await;
    for (method, path) in [
        ("POST", "/v1/moderations"),
        ("GET", "/"),
        ("POST", "/v1/chat/completions?a=1"),
        ("OPTIONS", "/v1/chat/completions"),
        ("GET", "/narthex/v1/offers"),
    ] {
        let response = bench.send(bench.request(method, path), "").await;
        assert_eq!(response.status(), 404, "{method} {path}");
        assert!(
            !response
                .headers()
                .contains_key("access-control-allow-origin")
        );
        assert_eq!(code(response).await, "unknown_url", "{method} {path}");
    }
    assert_eq!(bench.gateway.calls("relay"), 0);
}

#[tokio::test]
async fn bodies_are_json_objects_with_one_model_and_not_too_large() {
    let bench = Bench::new().await;
    for (body, status, expected) in [
        ("", 400, "invalid_body"),
        ("[]", 400, "invalid_body"),
        (r#"{"messages":[]}"#, 400, "invalid_body"),
        (r#"{"model":"tiny","model":"tiny"}"#, 400, "invalid_body"),
        (r#"{"model":"other"}"#, 404, "model_not_found"),
    ] {
        let response = bench.chat(body).await;
        assert_eq!(response.status(), status, "{body}");
        assert_eq!(code(response).await, expected, "{body}");
    }
    let large = bench.chat(&" ".repeat(9 << 20)).await;
    assert_eq!(large.status(), 413);
    let request = bench
        .request("POST", "/v1/completions")
        .header("content-type", "text/plain");
    let plain = bench.send(request, &body("")).await;
    assert_eq!(plain.status(), 415);
    assert_eq!(bench.gateway.calls("relay"), 0);
}

#[tokio::test]
async fn other_names_for_this_machine_are_refused() {
    let bench = Bench::new().await;
    let request = bench
        .request("GET", "/v1/models")
        .header("host", "rebound.example");
    let response = bench.send(request, "").await;
    assert_eq!(response.status(), 421);
    assert_eq!(code(response).await, "proxy.host");
    let request = bench
        .request("GET", "/v1/models")
        .header("origin", "https://evil.example");
    let response = bench.send(request, "").await;
    assert_eq!(code(response).await, "proxy.origin");
}

#[tokio::test]
async fn a_proxy_with_a_key_demands_it() {
    let bench = Bench::with(ProxySettings {
        key: ProxyKey::new("local"),
        receipts: None,
    })
    .await;
    let response = bench.get("/v1/models").await;
    assert_eq!(response.status(), 401);
    let request = bench
        .request("GET", "/v1/models")
        .header("authorization", "Bearer local");
    assert_eq!(bench.send(request, "").await.status(), 200);
}

#[tokio::test]
async fn receipts_are_kept_for_an_auditor() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::with(ProxySettings {
        key: None,
        receipts: Some(folder.path().join("receipts")),
    })
    .await;
    let response = bench.chat(&body("")).await;
    let id = response.headers()["narthex-request-id"]
        .to_str()
        .unwrap()
        .to_owned();
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder.path().join("receipts")).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(
            entry.metadata().unwrap().permissions().mode() & 0o777,
            0o600
        );
        names.push(entry.file_name().into_string().unwrap());
    }
    names.sort();
    let shared = names.iter().filter(|name| !name.starts_with(&id));
    let shared: Vec<_> = shared.cloned().collect();
    assert_eq!(shared.len(), 1, "{names:?}");
    let own: Vec<_> = names.iter().filter(|name| name.starts_with(&id)).collect();
    let kinds = ["bundle", "opening", "receipt"];
    assert_eq!(
        own,
        kinds
            .map(|kind| format!("{id}.{kind}"))
            .iter()
            .collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn a_socket_that_other_machines_reach_is_refused() {
    let bench = Bench::new().await;
    let node = &bench.gateway.nodes[0];
    let judge = Judge {
        appraiser: Appraiser::new(node.machine.verifier(), node.policy()),
        clock: Arc::new(SystemClock),
        seen: SeenPolicies::default(),
    };
    let at = client::Gateway {
        url: GatewayUrl::parse(&bench.gateway.url).unwrap(),
        roots: Roots::System,
        api_key: None,
    };
    let client = Client::connect(&at, judge, Arc::new(Silent)).await.unwrap();
    let proxy = Proxy::new(client, ProxySettings::default(), Arc::new(Silent));
    let socket = TcpListener::bind("0.0.0.0:0").await.unwrap();
    assert!(proxy.serve(socket, async {}).await.is_err());
}
