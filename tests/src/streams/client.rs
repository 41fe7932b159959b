//! The load: few TLS connections, each with many HTTP/2 streams, every byte of which is held against what must come.

use super::record::RecordReader;
use crate::{fleet::SNP_NODE, stack::Directory};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{
    Request, StatusCode, Uri,
    body::Incoming,
    client::conn::http2::{self, SendRequest},
    header::{AUTHORIZATION, CONTENT_TYPE},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use std::{fs, io, net::SocketAddr, sync::Arc};
use tokio::{
    net::TcpStream,
    sync::Semaphore,
    task::{JoinHandle, JoinSet},
};
use tokio_rustls::TlsConnector;

/// Streams that are being opened at the same time.
const OPENING: usize = 64;
/// Bytes of an envelope: X-Wing's encapsulation and a request of a kilobyte.
const ENVELOPE_BYTES: usize = 2176;

/// What went wrong with a stream.
pub(super) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Number and records of a stream that ended as it must.
pub(super) type Ended = Result<(u64, u64), Failure>;

/// Connections to the gateway.
pub(super) struct Client {
    connections: Vec<Connection>,
    target: Uri,
    authorization: String,
}

struct Connection {
    sender: SendRequest<Full<Bytes>>,
    driver: JoinHandle<()>,
}

impl Client {
    /// Opens so many connections to the gateway of `directory`.
    pub(super) async fn connect(
        directory: &Directory,
        gateway: SocketAddr,
        connections: usize,
    ) -> Result<Self, Failure> {
        let tls = TlsConnector::from(Arc::new(tls_config(directory)?));
        let mut opened = Vec::new();
        for _ in 0..connections {
            opened.push(connect(&tls, gateway).await?);
        }
        let key = fs::read_to_string(directory.file("api-key"))?;
        let target = format!("https://localhost/narthex/v1/nodes/{SNP_NODE}/relay");
        Ok(Self {
            connections: opened,
            target: target.parse()?,
            authorization: format!("Bearer {key}"),
        })
    }

    /// Opens so many streams, each of which adds a permit to `held` with its first record, and reads them to their ends.
    pub(super) fn open(&self, streams: usize, held: &Arc<Semaphore>) -> JoinSet<Ended> {
        let opening = Arc::new(Semaphore::new(OPENING));
        let mut reading = JoinSet::new();
        let connections = self.connections.iter().cycle().take(streams);
        for connection in connections {
            let (sender, request) = (connection.sender.clone(), self.request());
            let (opening, held) = (Arc::clone(&opening), Arc::clone(held));
            reading.spawn(async move {
                let permit = opening.acquire_owned().await?;
                let mut stream = Stream::open(sender, request?).await?;
                stream.read_first().await?;
                drop(permit);
                held.add_permits(1);
                stream.read_to_end().await
            });
        }
        reading
    }

    fn request(&self) -> Result<Request<Full<Bytes>>, hyper::http::Error> {
        Request::post(self.target.clone())
            .header(AUTHORIZATION, &self.authorization)
            .header(CONTENT_TYPE, protocol::REQUEST_MEDIA_TYPE)
            .body(Full::new(Bytes::from_static(&[0x5e; ENVELOPE_BYTES])))
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        for connection in &self.connections {
            connection.driver.abort();
        }
    }
}

/// One answer that is being read.
struct Stream {
    answer: Incoming,
    reader: RecordReader,
}

impl Stream {
    async fn open(
        mut sender: SendRequest<Full<Bytes>>,
        request: Request<Full<Bytes>>,
    ) -> Result<Self, Failure> {
        sender.ready().await?;
        let answer = sender.send_request(request).await?;
        match answer.status() {
            StatusCode::OK => Ok(Self {
                answer: answer.into_body(),
                reader: RecordReader::default(),
            }),
            other => Err(format!("the gateway answers with {other}").into()),
        }
    }

    async fn read_first(&mut self) -> Result<(), Failure> {
        while self.reader.records() == 0 && self.read_frame().await? {}
        Ok(())
    }

    async fn read_to_end(mut self) -> Ended {
        while self.read_frame().await? {}
        Ok(self.reader.finish()?)
    }

    /// Whether there was one.
    async fn read_frame(&mut self) -> Result<bool, Failure> {
        let Some(frame) = self.answer.frame().await else {
            return Ok(false);
        };
        if let Ok(data) = frame?.into_data() {
            self.reader.push(&data)?;
        }
        Ok(true)
    }
}

async fn connect(tls: &TlsConnector, gateway: SocketAddr) -> Result<Connection, Failure> {
    let stream = TcpStream::connect(gateway).await?;
    stream.set_nodelay(true)?;
    let stream = tls
        .connect(ServerName::try_from("localhost")?, stream)
        .await?;
    let handshake = http2::handshake(TokioExecutor::new(), TokioIo::new(stream));
    let (sender, connection) = handshake.await?;
    let driver = tokio::spawn(async move { drop(connection.await) });
    Ok(Connection { sender, driver })
}

fn tls_config(directory: &Directory) -> Result<ClientConfig, Failure> {
    let pem = fs::read(directory.file("gateway.cert.pem"))?;
    let certificate = CertificateDer::from_pem_slice(&pem).map_err(io::Error::other)?;
    let mut roots = RootCertStore::empty();
    roots.add(certificate)?;
    let mut config = ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(config)
}
