//! The outer HTTP client: one connection for each request.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::net::SocketAddr;
use tokio::net::TcpStream;

/// A request as the gateway would send it.
pub struct Outer<'a> {
    pub method: &'static str,
    pub path: &'a str,
    pub headers: Vec<(&'static str, &'static str)>,
    pub body: &'a [u8],
}

pub struct Answer {
    pub status: u16,
    pub headers: hyper::HeaderMap,
    pub body: Vec<u8>,
}

impl<'a> Outer<'a> {
    pub fn get(path: &'a str) -> Self {
        Self {
            method: "GET",
            path,
            headers: Vec::new(),
            body: b"",
        }
    }

    pub fn post(path: &'a str, body: &'a [u8]) -> Self {
        Self {
            method: "POST",
            body,
            ..Self::get(path)
        }
    }

    pub fn media_type(self, media_type: &'static str) -> Self {
        self.header("content-type", media_type)
    }

    pub fn header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }
}

impl Answer {
    /// Status and code of a problem document.
    pub fn problem(&self) -> (u16, String) {
        assert_eq!(self.headers["content-type"], "application/problem+json");
        (
            self.status,
            self.json()["code"].as_str().unwrap().to_owned(),
        )
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

pub async fn send(address: SocketAddr, outer: Outer<'_>) -> Answer {
    let response = begin(address, outer).await;
    let (head, body) = response.into_parts();
    Answer {
        status: head.status.as_u16(),
        headers: head.headers,
        body: body.collect().await.unwrap().to_bytes().to_vec(),
    }
}

/// Sends a request; the answer's body is still to come. Dropping it closes the connection.
pub async fn begin(address: SocketAddr, outer: Outer<'_>) -> Response<Incoming> {
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let mut request = Request::builder()
        .method(outer.method)
        .uri(outer.path)
        .header("host", "node");
    for (name, value) in outer.headers {
        request = request.header(name, value);
    }
    let body = Full::new(Bytes::copy_from_slice(outer.body));
    sender
        .send_request(request.body(body).unwrap())
        .await
        .unwrap()
}
