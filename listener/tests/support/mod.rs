//! A server under test: its address, its counters, and the switch that ends it.
#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    reason = "shared by test binaries that each use a part"
)]

use bytes::Bytes;
use hyper::{Request, Response, body::Incoming};
use listener::{Body, Counters, Drained, Limits, Server, body};
use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName},
};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinHandle,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

/// Guards against a hanging test; no test depends on its length.
pub const HANG: Duration = Duration::from_secs(60);

pub struct Running {
    pub address: SocketAddr,
    pub counters: Arc<Counters>,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<Drained>,
}

/// Short where the test waits for a limit, long everywhere else.
pub fn limits() -> Limits {
    Limits {
        handshake_timeout: HANG,
        header_timeout: HANG,
        idle_timeout: HANG,
        stall_timeout: HANG,
        drain_timeout: HANG,
        ..Limits::default()
    }
}

pub const SHORT: Duration = Duration::from_secs(1);

pub async fn start<S, F>(limits: Limits, tls: Option<Arc<ServerConfig>>, service: S) -> Running
where
    S: Fn(Request<Incoming>) -> F + Clone + Send + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let counters = Arc::new(Counters::default());
    let server = Server::new(socket, limits).counters(Arc::clone(&counters));
    let server = match tls {
        Some(config) => server.tls(config),
        None => server,
    };
    let (stop, stopped) = oneshot::channel();
    let ended = tokio::spawn(server.serve(service, async { drop(stopped.await) }));
    Running {
        address,
        counters,
        stop,
        ended,
    }
}

impl Running {
    pub async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Tells the server to stop; the handle gives how it ended.
    pub fn stop(self) -> JoinHandle<Drained> {
        self.stop.send(()).unwrap();
        self.ended
    }
}

pub async fn hello(_request: Request<Incoming>) -> Response<Body> {
    Response::new(body::full(Bytes::from_static(b"hello")))
}

pub async fn never(_request: Request<Incoming>) -> Response<Body> {
    std::future::pending().await
}

/// Reads until the server hangs up, by FIN or by reset.
pub async fn hung_up(mut stream: impl AsyncRead + Unpin) -> Vec<u8> {
    let mut received = Vec::new();
    let _ = tokio::time::timeout(HANG, stream.read_to_end(&mut received))
        .await
        .expect("the server keeps the connection open");
    received
}

pub struct Pki {
    certificate: CertificateDer<'static>,
    pub server: Arc<ServerConfig>,
}

pub fn pki() -> Pki {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let certificate = made.cert.der().clone();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let mut server = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    server.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Pki {
        certificate,
        server: Arc::new(server),
    }
}

impl Pki {
    pub async fn connect(&self, running: &Running, alpn: &[u8]) -> TlsStream<TcpStream> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).unwrap();
        let mut config = ClientConfig::builder()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![alpn.to_vec()];
        TlsConnector::from(Arc::new(config))
            .connect(
                ServerName::try_from("localhost").unwrap(),
                running.connect().await,
            )
            .await
            .unwrap()
    }
}
