//! The least of HTTP/1.1 that a node needs.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, client::conn::http1, header::CONTENT_TYPE};
use hyper_util::rt::TokioIo;
use std::net::SocketAddr;
use tokio::net::TcpStream;

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub media_type: String,
    pub body: Vec<u8>,
}

impl Answer {
    /// The code of a problem document.
    pub fn code(&self) -> String {
        let problem: serde_json::Value = serde_json::from_slice(&self.body).unwrap();
        problem["code"].as_str().unwrap().to_owned()
    }
}

pub async fn post(address: SocketAddr, path: &str, media_type: &str, body: &[u8]) -> Answer {
    let builder = Request::post(path).header("host", "releaser");
    let builder = match media_type {
        "" => builder,
        media_type => builder.header(CONTENT_TYPE, media_type),
    };
    let body = Full::new(Bytes::copy_from_slice(body));
    send(address, builder.body(body).unwrap()).await
}

pub async fn send(address: SocketAddr, request: Request<Full<Bytes>>) -> Answer {
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let response = sender.send_request(request).await.unwrap();
    let (head, body) = response.into_parts();
    let media_type = head.headers.get(CONTENT_TYPE);
    Answer {
        status: head.status.as_u16(),
        media_type: media_type
            .map_or("", |value| value.to_str().unwrap())
            .to_owned(),
        body: body.collect().await.unwrap().to_bytes().to_vec(),
    }
}
