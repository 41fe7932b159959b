//! The file as it is written: names, types and defaults of every setting.

use serde::Deserialize;
use std::path::PathBuf;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    pub(super) listen: String,
    #[serde(default = "default_admin_listen")]
    pub(super) admin_listen: String,
    pub(super) tls: Tls,
    pub(super) policy: Policy,
    pub(super) api_keys: Vec<ApiKey>,
    pub(super) nodes: Vec<Node>,
    #[serde(default)]
    pub(super) appraisal: Appraisal,
    #[serde(default)]
    pub(super) relay: Relay,
    #[serde(default)]
    pub(super) limits: ListenerLimits,
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
    pub(super) source: Option<String>,
    /// What `source` was called while it could be a file only.
    pub(super) envelope: Option<PathBuf>,
    pub(super) root: Option<PathBuf>,
    pub(super) keys: Option<Vec<PathBuf>>,
    pub(super) threshold: Option<usize>,
    pub(super) state: PathBuf,
    #[serde(default = "default_refresh_seconds")]
    pub(super) refresh_seconds: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ApiKey {
    pub(super) name: String,
    pub(super) sha256: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Node {
    pub(super) name: String,
    pub(super) upstream: String,
    #[serde(default = "default_weight")]
    pub(super) weight: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Appraisal {
    pub(super) collateral: Option<PathBuf>,
    pub(super) interval_seconds: u64,
    pub(super) timeout_ms: u64,
    pub(super) retry_min_ms: u64,
    pub(super) retry_max_ms: u64,
    pub(super) max_challenges_per_node: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Relay {
    pub(super) max_in_flight: u64,
    pub(super) max_in_flight_per_node: u64,
    pub(super) max_request_bytes: u64,
    pub(super) max_response_bytes: u64,
    pub(super) connect_timeout_ms: u64,
    pub(super) request_timeout_ms: u64,
    pub(super) answer_timeout_ms: u64,
    pub(super) stall_timeout_ms: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ListenerLimits {
    pub(super) max_connections: u64,
    pub(super) max_streams: u32,
    pub(super) handshake_timeout_ms: u64,
    pub(super) header_timeout_ms: u64,
    pub(super) idle_timeout_ms: u64,
    pub(super) drain_timeout_ms: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Log {
    pub(super) format: String,
    pub(super) level: String,
}

fn default_admin_listen() -> String {
    "127.0.0.1:9464".to_owned()
}

const fn default_refresh_seconds() -> u64 {
    30
}

const fn default_weight() -> u32 {
    1
}

impl Default for Appraisal {
    fn default() -> Self {
        Self {
            collateral: None,
            interval_seconds: 300,
            timeout_ms: 20_000,
            retry_min_ms: 1_000,
            retry_max_ms: 60_000,
            max_challenges_per_node: 64,
        }
    }
}

impl Default for Relay {
    fn default() -> Self {
        Self {
            max_in_flight: 256,
            max_in_flight_per_node: 64,
            max_request_bytes: 16 << 20,
            max_response_bytes: 64 << 20,
            connect_timeout_ms: 3_000,
            request_timeout_ms: 60_000,
            answer_timeout_ms: 240_000,
            stall_timeout_ms: 240_000,
        }
    }
}

impl Default for ListenerLimits {
    fn default() -> Self {
        Self {
            max_connections: 512,
            max_streams: 64,
            handshake_timeout_ms: 10_000,
            header_timeout_ms: 10_000,
            idle_timeout_ms: 60_000,
            drain_timeout_ms: 30_000,
        }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self {
            format: "text".to_owned(),
            level: "info".to_owned(),
        }
    }
}
