//! The configuration: one TOML file, read here and nowhere else, refused with all its mistakes at once.

mod check;
mod document;
mod mistakes;
mod policy;

use crate::{NodeName, api_key::KeyDigest};

use attestation::{
    CollateralBundle, Verifier,
    collateral::{CollateralError, MAX_COLLATERAL_BYTES},
};
use hyper::http::uri::Authority;
use listener::tls::Certificate;
pub use listener::tls::TlsError;
use provision::FileError;
use std::{
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

pub use mistakes::{Mistake, Mistakes};
pub use policy::{PolicyConfig, Source};

/// Every setting with its default and a word on it; itself a configuration that parses.
pub const DEFAULTS: &str = include_str!("../narthex-gateway.toml");

/// A configuration without mistakes.
#[derive(Clone, Debug)]
pub struct Config {
    /// Public address.
    pub listen: SocketAddr,
    /// Address of health and metrics.
    pub admin_listen: SocketAddr,
    /// Certificate and key.
    pub tls: TlsFiles,
    /// What nodes are judged by.
    pub policy: PolicyConfig,
    /// Digests of the API keys.
    pub api_keys: Vec<KeyDigest>,
    /// The nodes, names unique.
    pub nodes: Vec<NodeConfig>,
    /// When and how nodes are appraised.
    pub appraisal: AppraisalConfig,
    /// The gateway's own collateral; `None`: what nodes bring.
    pub collateral: Option<PathBuf>,
    /// Limits of relayed exchanges.
    pub relay: RelayConfig,
    /// Limits of the public listener.
    pub limits: listener::Limits,
    /// How to log.
    pub log: LogConfig,
}

/// Paths of the PEM files of the public listener.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// Chain, leaf first.
    pub certificate: PathBuf,
    /// Private key.
    pub key: PathBuf,
}

/// One node of the static list.
#[derive(Clone, Debug)]
pub struct NodeConfig {
    /// The name that the node must sign.
    pub name: NodeName,
    /// Where it listens.
    pub upstream: Authority,
    /// Its share of the work, 1 to 1000.
    pub weight: u32,
}

/// When and how nodes are appraised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AppraisalConfig {
    /// Between appraisals of an admitted node.
    pub interval: Duration,
    /// For one challenge.
    pub timeout: Duration,
    /// First pause after a failure; doubles each time.
    pub retry_min: Duration,
    /// Longest pause after failures.
    pub retry_max: Duration,
    /// Clients' challenges at once, per node.
    pub max_challenges_per_node: usize,
}

/// Limits of relayed exchanges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RelayConfig {
    /// Exchanges at once in total.
    pub max_in_flight: usize,
    /// Exchanges at once per node.
    pub max_in_flight_per_node: usize,
    /// Bytes of a request's body.
    pub max_request_bytes: u64,
    /// Bytes of an answer's body.
    pub max_response_bytes: u64,
    /// For a TCP connection to a node.
    pub connect_timeout: Duration,
    /// For the whole request body.
    pub request_timeout: Duration,
    /// Until the node begins to answer.
    pub answer_timeout: Duration,
    /// Between two parts of the answer.
    pub stall_timeout: Duration,
}

/// How to log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogConfig {
    /// Text or JSON.
    pub format: LogFormat,
    /// Least severe level written.
    pub level: tracing::Level,
}

/// The form of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file cannot be read.
    #[error("cannot read {path}: {source}", path = .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Not TOML, or a field that is unknown, absent or of the wrong type.
    #[error("{0}")]
    Syntax(#[from] toml::de::Error),
    /// Values that cannot be used.
    #[error("{0}")]
    Mistakes(#[from] Mistakes),
    /// An address that cannot be bound.
    #[error("{field}: cannot bind {address}: {source}")]
    Unbindable {
        /// The field that names it.
        field: &'static str,
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// Certificate or key.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The collateral's file.
    #[error(transparent)]
    File(#[from] FileError),
    /// What is in it.
    #[error("appraisal.collateral: {0}")]
    Collateral(#[from] CollateralError),
}

impl Config {
    /// Reads the configuration file; the paths in it are relative to its folder.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let config = Self::from_toml(&String::from_utf8_lossy(&read(path)?))?;
        Ok(config.relative_to(path.parent().unwrap_or(Path::new(""))))
    }

    /// Parses a configuration; the paths in it stay as they are.
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        let document: document::Document = toml::from_str(text)?;
        Ok(document.check()?)
    }

    fn relative_to(mut self, folder: &Path) -> Self {
        self.policy.relative_to(folder);
        let tls = [&mut self.tls.certificate, &mut self.tls.key];
        for path in tls.into_iter().chain(&mut self.collateral) {
            *path = folder.join(&*path);
        }
        self
    }

    /// `verifier` with the collateral that is named, if some is.
    pub fn verifier(&self, verifier: Verifier) -> Result<Verifier, ConfigError> {
        let Some(path) = &self.collateral else {
            return Ok(verifier);
        };
        let bytes = provision::file::read(path, MAX_COLLATERAL_BYTES)?;
        let collateral = CollateralBundle::from_cbor(&bytes)?;
        Ok(verifier.with_collateral(collateral))
    }

    /// Reads certificate and key.
    pub fn certificate(&self) -> Result<Certificate, ConfigError> {
        self.tls.read()
    }
}

impl TlsFiles {
    /// Reads certificate and key.
    pub(crate) fn read(&self) -> Result<Certificate, ConfigError> {
        let (chain, key) = (read(&self.certificate)?, read(&self.key)?);
        Ok(Certificate::from_pem(&chain, &key)?)
    }
}

fn read(path: &Path) -> Result<Vec<u8>, ConfigError> {
    fs::read(path).map_err(|source| ConfigError::Unreadable {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests;
