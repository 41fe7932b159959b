//! Flags that say where the gateway is.

use super::{Exit, Failure, files};
use crate::{ApiKey, ClientError, Gateway, GatewayUrl, Roots};
use clap::Args;
use rustls_pki_types::{CertificateDer, pem::PemObject};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};
use zeroize::Zeroizing;

const MAX_CA_BYTES: usize = 1024 * 1024;
const MAX_KEY_BYTES: usize = 4096;

#[derive(Args)]
#[command(next_help_heading = "Gateway")]
pub(crate) struct GatewayArgs {
    /// Address of the gateway: https://HOST[:PORT]
    #[arg(long, env = "NARTHEX_GATEWAY", value_name = "URL")]
    gateway: String,
    /// CA certificates (PEM) of the gateway's TLS, instead of the system's
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// File with the gateway's API key
    #[arg(long, value_name = "FILE", conflicts_with = "api_key")]
    api_key_file: Option<PathBuf>,
    /// The gateway's API key; as a flag it is seen by every user of this machine, so prefer the file or the variable
    #[arg(
        long,
        env = "NARTHEX_API_KEY",
        hide_env_values = true,
        value_name = "KEY"
    )]
    api_key: Option<String>,
    /// Collateral for verifying nodes, as `narthex collateral` makes it; goes before what nodes bring
    #[arg(long, value_name = "FILE")]
    collateral: Option<PathBuf>,
    /// Seconds between two looks for newer policies, orders and timestamps
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=86400))]
    policy_refresh: u64,
}

impl GatewayArgs {
    /// The file of `--collateral`.
    pub(crate) fn collateral(&self) -> Option<PathBuf> {
        self.collateral.clone()
    }

    /// From one look for newer documents to the next.
    pub(crate) const fn policy_refresh(&self) -> Duration {
        Duration::from_secs(self.policy_refresh)
    }

    pub(crate) fn gateway(self) -> Result<Gateway, Failure> {
        Ok(Gateway {
            url: GatewayUrl::parse(&self.gateway)?,
            roots: match &self.ca {
                Some(path) => Roots::Given(certificates(path)?),
                None => Roots::System,
            },
            api_key: match (self.api_key_file, self.api_key.map(Zeroizing::new)) {
                (Some(path), _) => Some(key_file(&path)?),
                (None, Some(key)) => Some(ApiKey::new(&key)?),
                (None, None) => None,
            },
        })
    }
}

fn key_file(path: &Path) -> Result<ApiKey, Failure> {
    let bytes = Zeroizing::new(files::read_unlisted(path, MAX_KEY_BYTES)?);
    let text = std::str::from_utf8(&bytes).map_err(|_| Failure::from(ClientError::ApiKey))?;
    Ok(ApiKey::new(text)?)
}

fn certificates(path: &Path) -> Result<Vec<Vec<u8>>, Failure> {
    let pem = files::read(path, MAX_CA_BYTES)?;
    CertificateDer::pem_slice_iter(&pem)
        .map(|certificate| certificate.map(|der| der.to_vec()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| {
            let message = format!("{} is not PEM: {error}", path.display());
            Failure::new(Exit::Malformed, "gateway.roots", message)
        })
}
