//! The crates `ohttp` and `bhttp` on the other end, both ways round. `ohttp` 0.8 streams AES-128-GCM alone, hence X25519.

use super::*;
use crate::{OpenError, ReceiptError, ResponseEvent, test_exchange::request};
use ::bhttp::{Message, Mode};
use futures_executor::block_on;
use futures_util::{AsyncReadExt, AsyncWrite, AsyncWriteExt, io::Cursor};
use std::{
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

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
    ) -> Poll<std::io::Result<usize>> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// The request as the crate `bhttp` writes it.
fn their_message(mode: Mode) -> Vec<u8> {
    let mut message = Message::request(
        b"POST".to_vec(),
        b"https".to_vec(),
        b"narthex".to_vec(),
        CONTROL.path.into(),
    );
    for (name, value) in lines() {
        message.put_header(name, value);
    }
    message.write_content(BODY);
    let mut bytes = Vec::new();
    message.write_bhttp(mode, &mut bytes).unwrap();
    bytes
}

#[test]
fn the_crate_ohttp_as_client() {
    for padding in PaddingProfile::ALL {
        let modes = [(Mode::KnownLength, 10_000), (Mode::IndeterminateLength, 37)];
        for (mode, size) in modes {
            their_client(padding, mode, size);
        }
    }
}

fn their_client(padding: PaddingProfile, mode: Mode, size: usize) {
    let node = Node::with_padding(padding).x25519_only();
    let client = ohttp::ClientRequest::from_encoded_config_list(&node.configs.configs);
    let sink = Sink::default();
    let mut client = client.unwrap().encapsulate_stream(sink.clone()).unwrap();
    block_on(async {
        for chunk in their_message(mode).chunks(size) {
            client.write_all(chunk).await.unwrap();
        }
        client.close().await.unwrap();
    });
    let mut opener = node.receiver.open();
    opener.push(&sink.bytes()).unwrap();
    let (plaintext, mut responder) = opener.finish().unwrap();
    assert_eq!(&*plaintext.body, BODY);
    assert_eq!(plaintext.headers.check(&node.context(), NOW), Ok(()));

    let mut sent = responder.head(200, &[("content-type", b"text/event-stream")]);
    sent.extend(responder.body(b"data: one\n\n"));
    sent.extend(responder.body(b"data: two\n\n"));
    responder.flush_into(&mut sent);
    let receipt = node.receipt(&plaintext, &responder).sign(&node.identity);
    sent.extend(responder.finish(&receipt));
    let mut opened = Vec::new();
    block_on(async {
        let mut response = client.response(Cursor::new(sent)).unwrap();
        response.read_to_end(&mut opened).await.unwrap();
    });
    let message = Message::read_bhttp(&mut std::io::Cursor::new(opened)).unwrap();
    assert_eq!(message.control().status().unwrap().code(), 200);
    let content = String::from_utf8(message.content().to_vec()).unwrap();
    let blocks = content.split_terminator("\n\n");
    let events: Vec<_> = blocks.filter(|block| !block.starts_with(':')).collect();
    assert_eq!(events, ["data: one", "data: two"]);
    assert!(message.trailer().get(b"narthex-receipt").is_some());
}

/// A node whose key the crate `ohttp` holds, and its server.
fn their_node() -> (Node, ohttp::Server) {
    let suite =
        ohttp::SymmetricSuite::new(ohttp::hpke::Kdf::HkdfSha256, ohttp::hpke::Aead::Aes128Gcm);
    let config = ohttp::KeyConfig::new(7, ohttp::hpke::Kem::X25519Sha256, vec![suite]).unwrap();
    let mut node = Node::new();
    node.configs.configs = ohttp::KeyConfig::encode_list(&[&config]).unwrap();
    (node, ohttp::Server::new(config).unwrap())
}

#[test]
fn the_crate_ohttp_as_server() {
    let (node, server) = their_node();
    let body = vec![b'x'; 3 * MAX_SENT_CHUNK];
    let request = crate::ClientRequest {
        body: &body,
        ..request()
    };
    let sealer = node.sealer().unwrap();
    let (sealed, mut opener) = sealer.seal(&request, NOW).unwrap();
    let mut server = server.decapsulate_stream(Cursor::new(sealed.envelope));
    let mut opened = Vec::new();
    block_on(server.read_to_end(&mut opened)).unwrap();
    let message = Message::read_bhttp(&mut std::io::Cursor::new(opened)).unwrap();
    assert_eq!(message.control().path().unwrap(), CONTROL.path.as_bytes());
    assert_eq!(message.header().get(b"narthex-node").unwrap(), b"node-1");
    assert_eq!(message.content(), body);

    let mut response = Message::response(200_u16.try_into().unwrap());
    response.write_content(b"answer");
    let mut bytes = Vec::new();
    response
        .write_bhttp(Mode::IndeterminateLength, &mut bytes)
        .unwrap();
    let sink = Sink::default();
    block_on(async {
        let mut response = server.response(sink.clone()).unwrap();
        response.write_all(&bytes).await.unwrap();
        response.close().await.unwrap();
    });
    let events = opener.push(&sink.bytes()).unwrap();
    assert_eq!(
        events.last(),
        Some(&ResponseEvent::Body(b"answer".to_vec()))
    );
    let expected = OpenError::Receipt(ReceiptError::Absent);
    assert_eq!(
        opener.finish(),
        Err(expected),
        "their server gives no receipt"
    );
}
