//! A network within the process: pipes of bytes, no sockets. Under tokio's paused clock nothing in it waits in real time.

use client::Connector;
use listener::Accept;
use std::{
    io::{self, ErrorKind},
    net::{Ipv4Addr, SocketAddr},
};
use tokio::{
    io::DuplexStream,
    sync::{Mutex, mpsc},
};

/// Bytes that one direction holds before its writer waits.
const PIPE_BYTES: usize = 16 * 1024;

/// The end that accepts.
pub(crate) struct PipeListener(Mutex<mpsc::UnboundedReceiver<DuplexStream>>);

/// The end that connects.
#[derive(Clone)]
pub(crate) struct PipeDialer(mpsc::UnboundedSender<DuplexStream>);

/// One address of the network.
pub(crate) fn address() -> (PipeDialer, PipeListener) {
    let (dial, listen) = mpsc::unbounded_channel();
    (PipeDialer(dial), PipeListener(Mutex::new(listen)))
}

impl PipeDialer {
    /// Refused if nobody listens any more.
    pub(crate) fn dial(&self) -> io::Result<DuplexStream> {
        let (near, far) = tokio::io::duplex(PIPE_BYTES);
        match self.0.send(far) {
            Ok(()) => Ok(near),
            Err(_) => Err(ErrorKind::ConnectionRefused.into()),
        }
    }

    /// For gateway and client; whatever they ask for leads here.
    pub(crate) fn connector(&self) -> Connector {
        let dialer = self.clone();
        Connector::new(move |_| {
            let dialed = dialer.dial();
            async move { dialed }
        })
    }
}

impl Accept for PipeListener {
    type Stream = DuplexStream;

    async fn accept(&self) -> io::Result<(DuplexStream, SocketAddr)> {
        match self.0.lock().await.recv().await {
            Some(stream) => Ok((stream, self.local_addr()?)),
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok((Ipv4Addr::LOCALHOST, 0).into())
    }
}
