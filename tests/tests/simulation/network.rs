//! The product's seams on turmoil's network.

use client::Connector;
use hyper::http::Uri;
use listener::Accept;
use std::{io, net::SocketAddr, time::Duration};
use tokio::time::timeout;
use turmoil::net::{TcpListener, TcpStream};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// A listening socket of a simulated host.
pub(crate) struct Socket(TcpListener);

impl Socket {
    pub(crate) async fn bind(port: u16) -> io::Result<Self> {
        TcpListener::bind(("0.0.0.0", port)).await.map(Self)
    }
}

impl Accept for Socket {
    type Stream = TcpStream;

    async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        self.0.accept().await
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// Connects to the host that an address names.
pub(crate) fn connector() -> Connector {
    Connector::new(|address: Uri| {
        let host = address.host().unwrap_or_default().to_owned();
        connect(host, address.port_u16().unwrap_or(80))
    })
}

/// Connects to this host, whatever the address says.
pub(crate) fn connector_to(host: &'static str, port: u16) -> Connector {
    Connector::new(move |_| connect(host.to_owned(), port))
}

async fn connect(host: String, port: u16) -> io::Result<TcpStream> {
    timeout(CONNECT_TIMEOUT, TcpStream::connect((host, port)))
        .await
        .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}
