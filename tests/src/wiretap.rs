//! A wiretap: passes TCP on as it is and keeps every byte of both directions.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Most bytes kept; a test that passes more would search only a part, so [`Wiretap::recording`] refuses then.
const MAX_RECORDING_BYTES: usize = 256 << 20;

/// A running wiretap. It stops with the tokio runtime that it was started on.
#[derive(Clone)]
pub struct Wiretap {
    /// Where it listens.
    pub address: SocketAddr,
    kept: Arc<Mutex<Vec<u8>>>,
}

impl Wiretap {
    /// Listens on a free loopback port and passes everything on to `upstream`.
    pub async fn start(upstream: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let tap = Self {
            address: listener.local_addr()?,
            kept: Arc::default(),
        };
        tokio::spawn(accept(listener, upstream, Arc::clone(&tap.kept)));
        Ok(tap)
    }

    /// Every byte that passed so far.
    pub fn recording(&self) -> io::Result<Vec<u8>> {
        let kept = self
            .kept
            .lock()
            .map_err(|_| io::Error::other("the wiretap's recording is broken"))?;
        if kept.len() >= MAX_RECORDING_BYTES {
            return Err(io::Error::other("more passed than the wiretap keeps"));
        }
        Ok(kept.clone())
    }
}

async fn accept(listener: TcpListener, upstream: SocketAddr, kept: Arc<Mutex<Vec<u8>>>) {
    while let Ok((near, _)) = listener.accept().await {
        let kept = Arc::clone(&kept);
        tokio::spawn(async move {
            let Ok(far) = TcpStream::connect(upstream).await else {
                return;
            };
            let _ = near.set_nodelay(true);
            let _ = far.set_nodelay(true);
            let (near_read, near_write) = near.into_split();
            let (far_read, far_write) = far.into_split();
            tokio::join!(
                pass(near_read, far_write, &kept),
                pass(far_read, near_write, &kept)
            );
        });
    }
}

async fn pass(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    kept: &Mutex<Vec<u8>>,
) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(n @ 1..) = from.read(&mut buffer).await {
        let bytes = buffer.get(..n).unwrap_or_default();
        if let Ok(mut kept) = kept.lock() {
            let room = MAX_RECORDING_BYTES.saturating_sub(kept.len()).min(n);
            kept.extend_from_slice(bytes.get(..room).unwrap_or_default());
        }
        if to.write_all(bytes).await.is_err() {
            break;
        }
    }
    let _ = to.shutdown().await;
}
