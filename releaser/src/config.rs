//! The configuration: one TOML file, read here and nowhere else, refused with all its mistakes at once.

mod check;
mod document;

use crate::{KeyFolder, KeyFolderError, Limits};
use attestation::{
    CollateralBundle, Verifier,
    collateral::{CollateralError, MAX_COLLATERAL_BYTES},
};
use listener::tls::{Certificate, TlsError};
use provision::{FileError, PolicySettings, PolicySource, RootSource, file};
use std::{
    fmt, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

/// Every setting with its default and a word on it; itself a configuration that parses.
pub const DEFAULTS: &str = include_str!("../narthex-releaser.toml");

/// Largest configuration file, in bytes.
const MAX_CONFIG_BYTES: usize = 64 * 1024;
/// Largest certificate or key file, in bytes.
const MAX_PEM_BYTES: usize = 64 * 1024;

/// A configuration without mistakes.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where it listens.
    pub listen: SocketAddr,
    /// The folder of keys.
    pub keys: PathBuf,
    /// Certificate and key of the listener.
    pub tls: TlsFiles,
    /// What nodes are judged by.
    pub policy: PolicyConfig,
    /// The releaser's own collateral; `None`: what nodes bring.
    pub collateral: Option<PathBuf>,
    /// What peers are granted.
    pub limits: Limits,
    /// How to log.
    pub log: LogConfig,
}

/// Paths of the PEM files of the listener.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// Chain, leaf first.
    pub certificate: PathBuf,
    /// Private key.
    pub key: PathBuf,
}

/// What nodes are judged by.
#[derive(Clone, Debug)]
pub struct PolicyConfig {
    /// Who may sign.
    pub root: RootSource,
    /// Where the documents are published.
    pub source: PolicySource,
    /// Folder that remembers what was obeyed.
    pub state: PathBuf,
    /// Between two looks at the source.
    pub refresh: Duration,
}

/// How to log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogConfig {
    /// Text or JSON.
    pub format: LogFormat,
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
#[non_exhaustive]
pub enum ConfigError {
    /// A file cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// Not TOML, or a field that is unknown, absent or of the wrong type.
    #[error("{0}")]
    Syntax(#[from] toml::de::Error),
    /// Values that cannot be used.
    #[error("{0}")]
    Mistakes(#[from] Mistakes),
    /// Certificate or key.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The folder of keys.
    #[error(transparent)]
    Keys(#[from] KeyFolderError),
    /// The collateral.
    #[error("appraisal.collateral: {0}")]
    Collateral(#[from] CollateralError),
    /// The address.
    #[error("listen: cannot bind {address}: {source}")]
    Unbindable {
        /// As configured.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
}

/// All mistakes of one configuration, a line for each; never empty in an error.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mistakes(pub Vec<String>);

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for Mistakes {}

impl Config {
    /// Reads the configuration file; the paths in it are relative to its folder.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let bytes = file::read(path, MAX_CONFIG_BYTES)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        Self::parse(&String::from_utf8_lossy(&bytes), folder)
    }

    /// Parses `text`; the paths in it are relative to `folder`.
    pub fn parse(text: &str, folder: &Path) -> Result<Self, ConfigError> {
        let document: document::Document = toml::from_str(text)?;
        Ok(document.check(folder)?)
    }

    /// `verifier` with the collateral that is named, if some is.
    pub fn verifier(&self, verifier: Verifier) -> Result<Verifier, ConfigError> {
        let Some(path) = &self.collateral else {
            return Ok(verifier);
        };
        let bytes = file::read(path, MAX_COLLATERAL_BYTES)?;
        Ok(verifier.with_collateral(CollateralBundle::from_cbor(&bytes)?))
    }

    /// Looks at every key.
    pub fn key_folder(&self) -> Result<KeyFolder, ConfigError> {
        Ok(KeyFolder::open(&self.keys)?)
    }
}

impl TlsFiles {
    /// Reads certificate and key.
    pub fn read(&self) -> Result<Certificate, ConfigError> {
        let chain = file::read(&self.certificate, MAX_PEM_BYTES)?;
        let key = file::read(&self.key, MAX_PEM_BYTES)?;
        Ok(Certificate::from_pem(&chain, &key)?)
    }
}

impl PolicyConfig {
    /// What a keeper of policies wants to know.
    #[must_use]
    pub fn settings(&self) -> PolicySettings {
        PolicySettings {
            root: self.root.clone(),
            source: self.source.clone(),
            state: Some(self.state.clone()),
        }
    }
}
