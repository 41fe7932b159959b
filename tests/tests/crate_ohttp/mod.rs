//! A client whose seal is the crate `ohttp` and whose messages are the crate `bhttp`; the evidence is read by ours.

use attestation::{Binding, DeviceEvidence, EvidenceBundle, Manifest, Nonce, UnixTime};
use bhttp::{Message, Mode};
use bytes::Bytes;
use futures_executor::block_on;
use futures_util::{AsyncReadExt, AsyncWrite, AsyncWriteExt, io::Cursor};
use http_body_util::{BodyExt, Full};
use hyper::{Request, StatusCode, header, http::request};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use protocol::{KeyConfigs, SignedKeyConfigs};
use rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs, version::TLS13};
use rustls_pki_types::{CertificateDer, pem::PemObject};
use std::{
    fs, io,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::{SystemTime, UNIX_EPOCH},
};
use tests::stack::Stack;

/// One-shot (RFC 9458) or chunked. The crate has no AES-256-GCM, and so of the node's keys X25519's alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seal {
    Chunked,
    OneShot,
}

impl Seal {
    pub(crate) const fn request_type(self) -> &'static str {
        match self {
            Self::Chunked => "message/ohttp-chunked-req",
            Self::OneShot => "message/ohttp-req",
        }
    }

    const fn response_type(self) -> &'static str {
        match self {
            Self::Chunked => "message/ohttp-chunked-res",
            Self::OneShot => "message/ohttp-res",
        }
    }

    /// The envelope, and what opens the answer.
    fn seal(self, configs: &[u8], message: &[u8]) -> (Vec<u8>, Answer) {
        let request = ohttp::ClientRequest::from_encoded_config_list(configs).unwrap();
        if self == Self::Chunked {
            return seal_chunked(request, message);
        }
        let (envelope, response) = request.encapsulate(message).unwrap();
        let open = move |sealed: &[u8]| response.decapsulate(sealed).map_err(|e| e.to_string());
        (envelope, Box::new(open))
    }
}

/// Opens a whole answer.
pub(crate) type Answer = Box<dyn FnOnce(&[u8]) -> Result<Vec<u8>, String>>;

fn seal_chunked(request: ohttp::ClientRequest, message: &[u8]) -> (Vec<u8>, Answer) {
    let sink = Sink::default();
    let mut stream = request.encapsulate_stream(sink.clone()).unwrap();
    block_on(async {
        stream.write_all(message).await.unwrap();
        stream.close().await.unwrap();
    });
    let open = move |sealed: &[u8]| {
        let mut response = stream
            .response(Cursor::new(sealed))
            .map_err(|e| e.to_string())?;
        let mut opened = Vec::new();
        let read = block_on(response.read_to_end(&mut opened));
        read.map(|_| opened).map_err(|e| e.to_string())
    };
    (sink.bytes(), Box::new(open))
}

/// A place to write to that can be read afterwards.
#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Sink {
    fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap().clone()
    }
}

impl AsyncWrite for Sink {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Any HTTP client: a base URL and an API key.
struct Http {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    url: String,
    authorization: String,
}

/// Status, media type and body.
pub(crate) type Reply = (StatusCode, String, Bytes);

impl Http {
    fn to(stack: &Stack) -> Self {
        let certificate = fs::read(stack.directory.file("gateway.cert.pem")).unwrap();
        let key = fs::read_to_string(stack.directory.file("api-key")).unwrap();
        Self {
            client: Client::builder(TokioExecutor::new()).build(connector(&certificate)),
            url: stack.gateway_url(),
            authorization: format!("Bearer {key}"),
        }
    }

    async fn get(&self, path: &str) -> Reply {
        self.send(Request::get(format!("{}{path}", self.url)), &[])
            .await
    }

    async fn post(&self, path: &str, media_type: &str, body: &[u8]) -> Reply {
        let request = Request::post(format!("{}{path}", self.url));
        self.send(request.header(header::CONTENT_TYPE, media_type), body)
            .await
    }

    async fn send(&self, request: request::Builder, body: &[u8]) -> Reply {
        let request = request.header(header::AUTHORIZATION, &self.authorization);
        let request = request.body(Full::from(body.to_vec())).unwrap();
        let (head, body) = self.client.request(request).await.unwrap().into_parts();
        let media_type = head.headers[header::CONTENT_TYPE].to_str().unwrap();
        let body = body.collect().await.unwrap().to_bytes();
        (head.status, media_type.to_owned(), body)
    }
}

fn connector(certificate: &[u8]) -> HttpsConnector<HttpConnector> {
    let mut roots = RootCertStore::empty();
    let certificate = CertificateDer::from_pem_slice(certificate).unwrap();
    roots.add(certificate).unwrap();
    let tls = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&TLS13])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    HttpsConnectorBuilder::new()
        .with_tls_config(tls)
        .https_only()
        .enable_http1()
        .build()
}

/// A gateway's first node, with the evidence and the keys that it has shown.
pub(crate) struct Node {
    http: Http,
    relay: String,
    binding_id: String,
    keys: KeyConfigs,
}

impl Node {
    pub(crate) async fn admit(stack: &Stack) -> Self {
        let http = Http::to(stack);
        let (_, _, offers) = http.get("/narthex/v1/offers").await;
        let offers: serde_json::Value = serde_json::from_slice(&offers).unwrap();
        let offer = |name: &str| offers["offers"][0][name].as_str().unwrap().to_owned();
        let nonce = Nonce([7; 32]);
        let question = (offer("challenge"), "application/octet-stream");
        let (_, _, bundle) = http.post(&question.0, question.1, &nonce.0).await;
        let (binding_id, keys) = read_bundle(&bundle, &nonce);
        Self {
            http,
            relay: offer("relay"),
            binding_id,
            keys,
        }
    }

    /// A request as the crate `bhttp` writes it; `body` is a model and what is asked of it.
    pub(crate) fn message(&self, method: &str, path: &str, body: Option<(&str, &str)>) -> Vec<u8> {
        let [method, scheme, authority, path] =
            [method, "https", "narthex", path].map(|part| part.as_bytes().to_vec());
        let mut message = Message::request(method, scheme, authority, path);
        for (name, value) in self.sealed_headers() {
            message.put_header(name, value);
        }
        if let Some((model, body)) = body {
            message.put_header("narthex-model", model);
            message.put_header("content-type", "application/json");
            message.write_content(body);
        }
        let mut bytes = Vec::new();
        message.write_bhttp(Mode::KnownLength, &mut bytes).unwrap();
        bytes
    }

    fn sealed_headers(&self) -> [(&'static str, String); 7] {
        let policy = (&self.keys.policy_version, &self.keys.policy_digest);
        [
            ("narthex-binding", self.binding_id.clone()),
            ("narthex-policy-version", policy.0.to_string()),
            ("narthex-policy-digest", hex::encode(policy.1)),
            ("narthex-client-policy", "00".repeat(32)),
            ("narthex-request-id", request_id()),
            ("narthex-issued-at", now().0.to_string()),
            ("narthex-node", self.keys.node.clone()),
        ]
    }

    /// The envelope, and what opens its answer.
    pub(crate) fn seal(&self, seal: Seal, message: &[u8]) -> (Vec<u8>, Answer) {
        seal.seal(&self.keys.configs, message)
    }

    /// The sealed answer, and what opens it.
    pub(crate) async fn send(&self, seal: Seal, message: &[u8]) -> (Bytes, Answer) {
        let (envelope, answer) = self.seal(seal, message);
        let (status, media_type, sealed) = self.relay(seal.request_type(), &envelope).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(media_type, seal.response_type());
        (sealed, answer)
    }

    /// A whole exchange: the inner response.
    pub(crate) async fn ask(&self, seal: Seal, message: &[u8]) -> Message {
        let (sealed, open) = self.send(seal, message).await;
        let opened = open(&sealed).unwrap();
        let message = Message::read_bhttp(&mut io::Cursor::new(opened)).unwrap();
        assert!(message.trailer().get(b"narthex-receipt").is_some());
        message
    }

    pub(crate) async fn relay(&self, media_type: &str, envelope: &[u8]) -> Reply {
        self.http.post(&self.relay, media_type, envelope).await
    }
}

/// The binding id of what `bundle` shows under `nonce`, and the keys in it; its vendor's signatures are not this client's matter.
fn read_bundle(bundle: &[u8], nonce: &Nonce) -> (String, KeyConfigs) {
    let bundle = EvidenceBundle::from_cbor(bundle).unwrap();
    assert!(
        bundle
            .freshness
            .includes(nonce, &bundle.nonce_path.unwrap())
    );
    let binding = Binding {
        freshness: bundle.freshness,
        identity: bundle.identity.digest(),
        manifest: Manifest::digest(&bundle.manifest),
        devices: bundle.devices.iter().map(DeviceEvidence::digest).collect(),
    };
    let keys = SignedKeyConfigs::from_bytes(bundle.key_configs.unwrap());
    let keys = keys.verify(&bundle.identity, &binding.manifest, now());
    let binding_id = binding.report_data().binding_id();
    (hex::encode(binding_id.0), keys.unwrap())
}

/// Another one each time.
fn request_id() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    format!("{:032x}", NEXT.fetch_add(1, Ordering::Relaxed))
}

#[expect(
    clippy::disallowed_methods,
    reason = "a sealed request states when it was made"
)]
fn now() -> UnixTime {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH);
    UnixTime(since_epoch.unwrap().as_secs())
}
