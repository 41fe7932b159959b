//! `narthex proxy`.

use super::{
    Context, Exit, Failure, block_on, connect::connect, files, gateway_args::GatewayArgs,
    sealing_args::SealingArgs,
};
use crate::{
    Observer,
    alarm::Recorder,
    proxy::{Proxy, ProxyKey, ProxySettings},
};
use clap::Args;
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};
use zeroize::Zeroizing;

const MAX_KEY_BYTES: usize = 4096;

/// Serve the OpenAI API on loopback; every request is sealed to a verified node
#[derive(Args)]
#[command(after_help = "\
Examples:
  narthex proxy --gateway https://gw.example --policy policy.json --policy-key alice.pub.pem
  narthex proxy --policy policy.json --policy-key alice.pub.pem --listen 127.0.0.1:8080 --receipts receipts/

Point an OpenAI SDK at the address that is printed; nothing else changes:
  OPENAI_BASE_URL=http://127.0.0.1:8080/v1 OPENAI_API_KEY=unused python app.py

Every answer names its request in `narthex-request-id`; its receipt is at GET /narthex/receipts/REQUEST-ID.")]
pub(crate) struct ProxyArgs {
    #[command(flatten)]
    gateway: GatewayArgs,
    #[command(flatten)]
    sealing: SealingArgs,
    /// Loopback address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Directory for receipts, openings and evidence bundles
    #[arg(long, value_name = "DIR")]
    receipts: Option<PathBuf>,
    /// File with a key that local programs must send as their API key
    #[arg(long, value_name = "FILE")]
    proxy_key: Option<PathBuf>,
}

impl ProxyArgs {
    pub(crate) fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        if !self.listen.ip().is_loopback() {
            let message = format!(
                "{} is not a loopback address: prompts would travel in plaintext to it",
                self.listen
            );
            return Err(Failure::usage("proxy.listen", message).advice(
                "listen on 127.0.0.1 or [::1]; run one proxy on every machine that needs it",
            ));
        }
        let settings = ProxySettings {
            key: self.proxy_key.as_deref().map(proxy_key).transpose()?,
            receipts: self.receipts.clone(),
        };
        let observer = observer(self.receipts.as_deref(), context);
        block_on(async {
            let socket = TcpListener::bind(self.listen)
                .await
                .map_err(|error| unbound(self.listen, &error))?;
            let sealing = self.sealing.settings()?;
            let client = connect(context, self.gateway, sealing, Arc::clone(&observer)).await?;
            let proxy = Proxy::new(client, settings, observer);
            announce(&socket, context)?;
            proxy
                .serve(socket, interrupted()?)
                .await
                .map_err(|error| Failure::internal("proxy.serve", &error))?;
            Ok(Exit::Accepted)
        })
    }
}

/// Alarms are kept beside the receipts.
fn observer(receipts: Option<&Path>, context: &Context<'_>) -> Arc<dyn Observer> {
    let output = context.output.clone();
    match receipts {
        Some(directory) => Arc::new(Recorder::new(directory, output)),
        None => output,
    }
}

fn proxy_key(path: &Path) -> Result<ProxyKey, Failure> {
    let bytes = Zeroizing::new(files::read_unlisted(path, MAX_KEY_BYTES)?);
    std::str::from_utf8(&bytes)
        .ok()
        .and_then(ProxyKey::new)
        .ok_or_else(|| {
            Failure::usage("proxy.key", format!("{} holds no key", path.display()))
                .advice("put one line of text into the file")
        })
}

fn announce(socket: &TcpListener, context: &Context<'_>) -> Result<(), Failure> {
    let address = socket
        .local_addr()
        .map_err(|error| Failure::internal("proxy.listen", &error))?;
    context.output.ready(&format!("http://{address}/v1"))
}

fn unbound(address: SocketAddr, error: &std::io::Error) -> Failure {
    Failure::new(
        Exit::Internal,
        "proxy.listen",
        format!("cannot listen on {address}: {error}"),
    )
    .advice("take another port, or port 0 for a free one")
}

/// Resolves at the first interrupt or termination signal.
fn interrupted() -> Result<impl Future<Output = ()>, Failure> {
    let listen = |kind| signal(kind).map_err(|error| Failure::internal("proxy.signal", &error));
    let (mut interrupt, mut terminate) = (
        listen(SignalKind::interrupt())?,
        listen(SignalKind::terminate())?,
    );
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}
