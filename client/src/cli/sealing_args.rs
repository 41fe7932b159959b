//! Flags that say how many nodes are kept ready, and what every request says inside its seal.

use super::{Exit, Failure, files, signing_key};
use crate::{Settings, TenantKey, Verdicts};
use clap::Args;
use protocol::CacheSecret;
use provision::SigningKey;
use serde::Deserialize;
use std::{
    num::NonZeroUsize,
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

const MAX_SECRET_BYTES: usize = 1024;
const MAX_CONFIG_BYTES: usize = 64 * 1024;

#[derive(Args)]
#[command(next_help_heading = "Nodes and seal")]
pub(crate) struct SealingArgs {
    /// Admitted nodes to keep ready [default: 3; one question needs 1]
    #[arg(long, value_name = "N")]
    nodes: Option<NonZeroUsize>,
    /// Country that the node must be in: ISO 3166-1 alpha-2, upper case
    #[arg(long, value_name = "CC", value_parser = parse_country)]
    residency: Option<String>,
    /// Ed25519 private key (PEM, PKCS#8) of the tenant that asks, where the node's policy wants to know
    #[arg(long, value_name = "FILE")]
    tenant_key: Option<PathBuf>,
    /// File with 64 hexadecimal digits: who seals the same may share cached state with you
    #[arg(long, value_name = "FILE")]
    cache_secret: Option<PathBuf>,
    /// TOML file with nodes, residency, tenant_key, cache_secret; a flag goes before its key
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Do not tell the gateway how nodes were judged here; differences from its own verdicts go unnoticed
    #[arg(long)]
    no_verdicts: bool,
}

/// The flags by their keys in a file.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ConfigFile {
    nodes: Option<NonZeroUsize>,
    residency: Option<String>,
    tenant_key: Option<PathBuf>,
    cache_secret: Option<PathBuf>,
}

impl SealingArgs {
    /// The settings, with the default number of nodes.
    pub(crate) fn settings(self) -> Result<Settings, Failure> {
        self.settings_or(Settings::default().nodes)
    }

    /// The settings; `nodes` are kept ready if nothing else is said.
    pub(crate) fn settings_or(self, nodes: NonZeroUsize) -> Result<Settings, Failure> {
        let file = self.config.as_deref().map(ConfigFile::read).transpose()?;
        let file = file.unwrap_or_default();
        let tenant_key = self.tenant_key.or(file.tenant_key);
        let cache_secret = self.cache_secret.or(file.cache_secret);
        Ok(Settings {
            nodes: self.nodes.or(file.nodes).unwrap_or(nodes),
            residency: self.residency.or(file.residency),
            tenant: tenant_key.as_deref().map(read_tenant_key).transpose()?,
            cache_secret: cache_secret.as_deref().map(read_cache_secret).transpose()?,
            verdicts: if self.no_verdicts {
                Verdicts::Kept
            } else {
                Verdicts::Compared
            },
        })
    }
}

impl ConfigFile {
    /// Paths in it are relative to its folder.
    fn read(path: &Path) -> Result<Self, Failure> {
        let malformed = |message: String| {
            let message = format!("{}: {message}", path.display());
            Failure::new(Exit::Malformed, "config.malformed", message)
        };
        let bytes = files::read(path, MAX_CONFIG_BYTES)?;
        let text = String::from_utf8(bytes).map_err(|_| malformed("not UTF-8".to_owned()))?;
        let mut file: Self =
            toml::from_str(&text).map_err(|error| malformed(error.message().to_owned()))?;
        if let Some(country) = &file.residency {
            parse_country(country).map_err(|why| malformed(format!("residency is {why}")))?;
        }
        let folder = path.parent().unwrap_or(Path::new(""));
        for named in [&mut file.tenant_key, &mut file.cache_secret] {
            *named = named.take().map(|name| folder.join(name));
        }
        Ok(file)
    }
}

/// Parses a country for clap.
pub(crate) fn parse_country(text: &str) -> Result<String, String> {
    let is_country = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase());
    is_country
        .then(|| text.to_owned())
        .ok_or_else(|| "not two upper-case letters as in ISO 3166-1, e.g. DE".to_owned())
}

fn read_tenant_key(path: &Path) -> Result<TenantKey, Failure> {
    let key = SigningKey::read(path).map_err(|error| signing_key::failure(&error))?;
    Ok(TenantKey::new(key))
}

fn read_cache_secret(path: &Path) -> Result<CacheSecret, Failure> {
    let text = Zeroizing::new(files::read_unlisted(path, MAX_SECRET_BYTES)?);
    let mut secret = Zeroizing::new([0; 32]);
    hex::decode_to_slice(text.trim_ascii(), secret.as_mut_slice()).map_err(|_| {
        let message = format!("{} is not 64 hexadecimal digits", path.display());
        Failure::new(Exit::Malformed, "seal.cache_secret", message)
            .advice("`openssl rand -hex 32` makes such a secret; share it with nobody but those who may share your cache")
    })?;
    Ok(CacheSecret::from_bytes(*secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_country_is_two_upper_case_letters() {
        assert_eq!(parse_country("DE"), Ok("DE".to_owned()));
        for wrong in ["", "D", "de", "DEU", "D1", "ÄÖ"] {
            assert!(parse_country(wrong).is_err(), "{wrong}");
        }
    }
}
