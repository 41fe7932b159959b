//! The gateway's process, what it is configured with, and what the system and its own metrics say of it.

use super::{Failure, Load, MODEL, MODEL_DIGEST, PATIENCE, PAUSE};
use crate::{
    child::Process,
    fleet::{self, Fleet, Tees},
    stack::{self, Directory},
};
use attestation::UnixTime;
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::{Request, client::conn::http1, header::HOST};
use hyper_util::rt::TokioIo;
use std::{
    fs, io,
    net::SocketAddr,
    path::Path,
    time::{Duration, Instant},
};
use tee_sim::{PolicySigner, PolicyText};
use tokio::net::TcpStream;

const POLICY_SECONDS: u64 = 24 * 3600;
/// SubjectPublicKeyInfo of an Ed25519 key, without the key (RFC 8410).
const ED25519_SPKI_PREFIX: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];

/// A gateway in front of one node.
pub(super) struct GatewayUnderLoad {
    process: Process,
    pub(super) public: SocketAddr,
    admin: SocketAddr,
    pub(super) directory: Directory,
}

impl GatewayUnderLoad {
    /// Starts it with limits that `load` just fits into; it has admitted the node when this returns.
    pub(super) fn start(
        program: &Path,
        fleet: &Fleet,
        node: SocketAddr,
        load: &Load,
    ) -> io::Result<Self> {
        let directory = Directory::create()?;
        directory.write_access()?;
        fleet.publish_roots(&directory.file(""))?;
        publish_policy(&directory)?;
        let config = stack::gateway_config(&directory, Tees::Snp, &[node]) + &limits(load);
        fs::write(directory.file("gateway.toml"), config)?;
        let process = Process::start(program, &["gateway", &directory.path()])?;
        let (public, admin) = stack::two_addresses(&process.ready)?;
        Ok(Self {
            process,
            public,
            admin,
            directory,
        })
    }

    /// Bytes of its memory that are resident.
    pub(super) fn resident_bytes(&self) -> io::Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        kib.map(|kib| kib * 1024)
            .ok_or_else(|| io::Error::other("no VmRSS"))
    }

    /// Processor time of all its threads.
    pub(super) fn processor_time(&self) -> io::Result<Duration> {
        let threads = fs::read_dir(format!("/proc/{}/task", self.process.id()))?;
        let used = threads.map(|thread| {
            let told = fs::read_to_string(thread?.path().join("schedstat"))?;
            let nanoseconds = told
                .split(' ')
                .next()
                .and_then(|word| word.parse::<u64>().ok());
            nanoseconds.ok_or_else(|| io::Error::other("no schedstat"))
        });
        used.sum::<io::Result<u64>>().map(Duration::from_nanos)
    }

    /// Relayed exchanges under way.
    pub(super) async fn in_flight(&self) -> Result<u64, Failure> {
        let metrics = self.metrics().await?;
        Ok(values(&metrics, "narthex_gateway_relay_in_flight").sum())
    }

    /// Answers that ended complete, and in any other way.
    pub(super) async fn ends(&self) -> Result<(u64, u64), Failure> {
        let metrics = self.metrics().await?;
        let complete = r#"narthex_gateway_relay_ends_total{end="complete"}"#;
        let complete: u64 = values(&metrics, complete).sum();
        let all: u64 = values(&metrics, "narthex_gateway_relay_ends_total{").sum();
        Ok((complete, all - complete))
    }

    /// Waits until it holds no exchange: the last bytes of an answer are with the client a little sooner than its slot is free.
    pub(super) async fn until_nothing_in_flight(&self) -> Result<(), Failure> {
        let deadline = Instant::now() + PATIENCE;
        while self.in_flight().await? > 0 {
            if Instant::now() > deadline {
                return Err("exchanges are over and their slots are not free".into());
            }
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    }

    async fn metrics(&self) -> Result<String, Failure> {
        let stream = TcpStream::connect(self.admin).await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        let request = Request::get("/metrics").header(HOST, "localhost");
        let answer = sender.send_request(request.body(Empty::<Bytes>::new())?);
        let bytes = answer.await?.into_body().collect().await?.to_bytes();
        Ok(String::from_utf8(bytes.to_vec())?)
    }
}

/// Values of the samples that begin with `name`.
fn values<'a>(metrics: &'a str, name: &'a str) -> impl Iterator<Item = u64> + 'a {
    let samples = metrics.lines().filter(move |line| line.starts_with(name));
    samples.filter_map(|line| line.rsplit(' ').next()?.parse().ok())
}

/// The policy that admits the simulated node, signed by both keys.
fn publish_policy(directory: &Directory) -> io::Result<()> {
    let (alice, bob) = (PolicySigner::generate(), PolicySigner::generate());
    for (name, signer) in [("alice", &alice), ("bob", &bob)] {
        fs::write(directory.file(&format!("{name}.pub.pem")), pem(signer))?;
    }
    let now = stack::now();
    let begins = UnixTime(now.0.saturating_sub(3600));
    let mut text = PolicyText::admitting(&fleet::snp_report(), begins, now.plus(POLICY_SECONDS));
    text.gpu = Some(fleet::gpu_text());
    let text = text.model(MODEL, MODEL_DIGEST).to_toml();
    let mut envelope = alice.signed_policy(&text);
    bob.sign(&mut envelope);
    fs::write(directory.file("policy.json"), envelope.to_json())
}

fn pem(signer: &PolicySigner) -> String {
    let der = [ED25519_SPKI_PREFIX.as_slice(), &signer.public_key()].concat();
    let text = BASE64_STANDARD.encode(der);
    format!("-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----\n")
}

fn limits(load: &Load) -> String {
    let streams = load.streams;
    let per_connection = streams.div_ceil(load.connections);
    format!(
        r"
[relay]
max_in_flight = {streams}
max_in_flight_per_node = {streams}

[limits]
max_streams = {per_connection}

[log]
format = 'text'
level = 'warn'
"
    )
}
