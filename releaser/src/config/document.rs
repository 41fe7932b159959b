//! The file as it is written: names, types and defaults of every setting.

use serde::Deserialize;
use std::path::PathBuf;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    pub(super) listen: String,
    pub(super) keys: PathBuf,
    pub(super) tls: Tls,
    pub(super) policy: Policy,
    #[serde(default)]
    pub(super) appraisal: Appraisal,
    #[serde(default)]
    pub(super) limits: Limits,
    #[serde(default)]
    pub(super) log: Log,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tls {
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Policy {
    pub(super) source: String,
    pub(super) root: Option<PathBuf>,
    pub(super) keys: Option<Vec<PathBuf>>,
    pub(super) threshold: Option<usize>,
    pub(super) state: PathBuf,
    pub(super) refresh_seconds: Option<u64>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Appraisal {
    pub(super) collateral: Option<PathBuf>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Limits {
    pub(super) max_connections: Option<u64>,
    pub(super) max_nonces: Option<u64>,
    pub(super) nonce_seconds: Option<u64>,
    pub(super) burst: Option<u64>,
    pub(super) period_ms: Option<u64>,
    pub(super) max_appraisals: Option<u64>,
    pub(super) body_timeout_ms: Option<u64>,
    pub(super) drain_timeout_ms: Option<u64>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Log {
    pub(super) format: Option<String>,
}
