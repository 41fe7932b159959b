//! The peer's side: crate `ohttp` as a server that streams an answer. It seals with AES-128-GCM, its default (ADR 1 says why not AES-256).

use futures::{AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, executor::block_on, io::Cursor};
use ohttp::{
    ClientRequest, KeyConfig, Server, SymmetricSuite,
    hpke::{Aead, Kdf, Kem},
};
use std::{
    error::Error,
    hint::black_box,
    io,
    pin::Pin,
    task::{Context, Poll},
};

/// An answer under way, whose bytes go nowhere.
pub fn answer_stream() -> Result<impl AsyncWrite + Unpin, Box<dyn Error>> {
    let suite = SymmetricSuite::new(Kdf::HkdfSha256, Aead::Aes128Gcm);
    let config = KeyConfig::new(1, Kem::X25519Sha256, vec![suite])?;
    let mut envelope = Vec::new();
    block_on(async {
        let mut request = ClientRequest::from_encoded_config(&config.encode()?)?
            .encapsulate_stream(&mut envelope)?;
        request.write_all(b"request").await?;
        request.close().await?;
        Ok::<_, Box<dyn Error>>(())
    })?;
    let mut request = Server::new(config)?.decapsulate_stream(Cursor::new(envelope));
    let mut plain = Vec::new();
    block_on(request.read_to_end(&mut plain))?;
    Ok(request.response(Sink)?)
}

/// Swallows what it gets, as a socket's buffer would.
struct Sink;

impl AsyncWrite for Sink {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        black_box(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
