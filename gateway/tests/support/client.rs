//! A client of the gateway: one connection per exchange, HTTP/1.1 or HTTP/2 under TLS; plain HTTP for the admin listener.

use super::{API_KEY, HANG, Stack};
use bytes::Bytes;
use http_body_util::{BodyExt, Empty, StreamBody};
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Frame, Incoming},
    client::conn::{http1, http2},
    header::{AUTHORIZATION, CONTENT_TYPE},
    http::request::Builder,
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use listener::{Body, BoxError, body};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use std::{net::SocketAddr, sync::Arc};
use tokio::{net::TcpStream, sync::mpsc};
use tokio_rustls::{TlsConnector, client::TlsStream};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    Http1,
    Http2,
}

/// A whole answer.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: hyper::HeaderMap,
    pub body: Bytes,
}

impl Answer {
    /// The stable code of a problem.
    pub fn code(&self) -> String {
        assert_eq!(self.headers[CONTENT_TYPE], "application/problem+json");
        let problem: serde_json::Value = serde_json::from_slice(&self.body).unwrap();
        assert_eq!(problem["status"], self.status.as_u16());
        problem["code"].as_str().unwrap().to_owned()
    }
}

impl Stack {
    pub fn tls_config(&self, alpn: &[u8]) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_slice(self.certificate_pem.as_bytes()).unwrap())
            .unwrap();
        let mut config = ClientConfig::builder()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![alpn.to_vec()];
        config
    }

    pub async fn connect(&self, config: ClientConfig) -> std::io::Result<TlsStream<TcpStream>> {
        let stream = TcpStream::connect(self.public).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        TlsConnector::from(Arc::new(config))
            .connect(name, stream)
            .await
    }

    /// Sends one request on a connection of its own and waits for the head of the answer.
    pub async fn send(
        &self,
        version: Version,
        request: Request<Body>,
    ) -> Result<Response<Incoming>, hyper::Error> {
        let within = async {
            match version {
                Version::Http1 => self.send_http1(request).await,
                Version::Http2 => self.send_http2(request).await,
            }
        };
        tokio::time::timeout(HANG, within)
            .await
            .expect("the gateway does not answer")
    }

    async fn send_http1(&self, request: Request<Body>) -> Result<Response<Incoming>, hyper::Error> {
        let stream = self.connect(self.tls_config(b"http/1.1")).await.unwrap();
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        sender.send_request(request).await
    }

    async fn send_http2(&self, request: Request<Body>) -> Result<Response<Incoming>, hyper::Error> {
        let stream = self.connect(self.tls_config(b"h2")).await.unwrap();
        let (mut sender, connection) =
            http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        sender.send_request(request).await
    }

    /// Sends one request over HTTP/2 and reads the whole answer.
    pub async fn ask(&self, request: Request<Body>) -> Answer {
        whole(self.send(Version::Http2, request).await.unwrap()).await
    }

    pub async fn admin(&self, path: &str) -> Answer {
        admin_get(self.admin, path).await
    }

    /// The names of the offered nodes, best first.
    pub async fn offered(&self) -> Vec<String> {
        let answer = self.ask(get("/narthex/v1/offers")).await;
        assert_eq!(answer.status, StatusCode::OK);
        let document: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        let offers = document["offers"].as_array().unwrap().clone();
        offers
            .iter()
            .map(|offer| offer["node"].as_str().unwrap().to_owned())
            .collect()
    }
}

/// One GET of an admin listener.
pub async fn admin_get(admin: SocketAddr, path: &str) -> Answer {
    let stream = TcpStream::connect(admin).await.unwrap();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let request = Request::get(path)
        .header("host", "localhost")
        .body(Empty::<Bytes>::new());
    whole(sender.send_request(request.unwrap()).await.unwrap()).await
}

pub async fn whole(response: Response<Incoming>) -> Answer {
    let (head, body) = response.into_parts();
    let collected = tokio::time::timeout(HANG, body.collect())
        .await
        .expect("the answer does not end");
    Answer {
        status: head.status,
        headers: head.headers,
        body: collected.unwrap().to_bytes(),
    }
}

/// A request with the API key.
pub fn request(method: Method, path: &str) -> Builder {
    Request::builder()
        .method(method)
        .uri(format!("https://localhost{path}"))
        .header("host", "localhost")
        .header(AUTHORIZATION, format!("Bearer {API_KEY}"))
}

pub fn get(path: &str) -> Request<Body> {
    request(Method::GET, path).body(body::empty()).unwrap()
}

pub fn relay_path(node: &str) -> String {
    format!("/narthex/v1/nodes/{node}/relay")
}

/// An envelope for `node`.
pub fn envelope(node: &str, content: Body) -> Request<Body> {
    request(Method::POST, &relay_path(node))
        .header(CONTENT_TYPE, protocol::REQUEST_MEDIA_TYPE)
        .body(content)
        .unwrap()
}

/// A challenge for `node`.
pub fn challenge(node: &str, nonce: &[u8]) -> Request<Body> {
    request(Method::POST, &format!("/narthex/v1/nodes/{node}/challenge"))
        .header(CONTENT_TYPE, "application/octet-stream")
        .body(body::full(nonce.to_vec()))
        .unwrap()
}

/// A body of no declared length, fed by hand; it ends when the sender is dropped and breaks off on an error.
pub fn fed() -> (mpsc::Sender<Result<Bytes, BoxError>>, Body) {
    let (feed, mut fed) = mpsc::channel(1);
    let parts = futures_util::stream::poll_fn(move |cx| fed.poll_recv(cx));
    let frames =
        futures_util::StreamExt::map(parts, |part: Result<Bytes, BoxError>| part.map(Frame::data));
    (feed, body::streaming(StreamBody::new(frames)))
}
