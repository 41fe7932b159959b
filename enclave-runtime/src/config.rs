//! The configuration file, and the only reader of files named in it. TOML; unknown fields are refused; all mistakes are told at once.
//! No environment variable is read: the environment is not measured.

mod files;
mod section;
mod shown;
mod upstream;

pub use files::{Files, read_files};
pub use upstream::UpstreamSettings;

use crate::{Limits, evidence::VekError, runtime::is_node_name};
use attestation::UnixTime;
use engine::local::IsaName;
use protocol::PaddingProfile;
use provision::{FileError, PolicyKeeperError, policy_keeper::PolicyUrlError};
use section::Section;
use std::{
    fmt,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

/// Largest configuration file, in bytes.
const MAX_CONFIG_BYTES: usize = 64 * 1024;
/// Where Linux keeps configfs-tsm.
const TSM_ROOT: &str = "/sys/kernel/config/tsm/report";
/// Where Linux shows the data of the ACPI table CCEL.
const EVENT_LOG: &str = "/sys/firmware/acpi/tables/data/CCEL";
/// Time between two looks at the source of the policy.
const REFRESH: Duration = Duration::from_secs(30);
/// What `engine.isa` is where the machine decides.
const AUTO: &str = "auto";
const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8700);

/// Everything that an operator can set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `node`: the node's name.
    pub node: String,
    /// `listen`: the address for the gateway; 127.0.0.1:8700.
    pub listen: SocketAddr,
    /// `model`: the GGUF file.
    pub model: PathBuf,
    /// `model_name`: the public name that clients ask for; the one in the model file, if absent.
    pub model_name: Option<String>,
    /// `residency`: country of the machine, two capital letters; the inventory's, if absent.
    pub residency: Option<String>,
    /// `aibom`: the AIBOM of what is served; its SHA-256 is stated in the manifest and in receipts.
    pub aibom: Option<PathBuf>,
    /// `[policy]`.
    pub policy: PolicySettings,
    /// `[evidence]`.
    pub evidence: EvidencePaths,
    /// `[engine]`.
    pub engine: EngineSettings,
    /// `[upstream]`, in the place of `[engine]`; `model` is then the file that it serves.
    pub upstream: Option<UpstreamSettings>,
    /// `[channel]`.
    pub channel: ChannelSettings,
    /// `[limits]`.
    pub limits: Limits,
    /// `[log]` `format`: `text` or `json`.
    pub log_format: LogFormat,
}

/// `[policy]`: what this runtime obeys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicySettings {
    /// `root`, or `keys` and `threshold`.
    pub root: PolicyRoot,
    /// `source`: a policy's file, the folder of a publication, or its address.
    pub source: String,
    /// `refresh_seconds`: time between two looks at the source; 30.
    pub refresh: Duration,
}

/// Who signs what this runtime obeys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PolicyRoot {
    /// `root`: a root document.
    Document(PathBuf),
    /// Keys given by hand.
    Keys {
        /// `keys`: files of Ed25519 public keys, PEM.
        files: Vec<PathBuf>,
        /// `threshold`: how many of them must have signed; all of them if absent.
        threshold: Option<usize>,
    },
}

/// `[evidence]`: how to ask the platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvidencePaths {
    /// `tsm_root`: root of configfs-tsm's reports.
    pub tsm_root: PathBuf,
    /// `vek`: VCEK or VLEK certificate (DER), for hosts that hand out none.
    pub vek: Option<PathBuf>,
    /// `privlevel`: VMPL to ask for, 0 to 3.
    pub privlevel: Option<u8>,
    /// `event_log`: the CCEL event log of a TDX guest; where Linux shows it, if absent.
    pub event_log: PathBuf,
    /// `collateral`: a collateral bundle that goes out with the evidence; read for each challenge, so that it can be replaced.
    pub collateral: Option<PathBuf>,
}

/// `[engine]`: how much of the machine the model may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EngineSettings {
    /// `threads`: threads that compute; 0, as many as there are cores, if absent.
    pub threads: usize,
    /// `max_sequences`: answers made at the same time; 8.
    pub max_sequences: usize,
    /// `queue`: requests that may wait for their turn; 64.
    pub queue: usize,
    /// `max_context_tokens`: longest prompt and answer; the model's own context, at most 8192, if absent.
    pub max_context_tokens: usize,
    /// `isa`: the instructions it computes with, which receipts name; the fastest of the machine, if absent or `auto`.
    pub isa: Option<IsaName>,
    /// `step_tokens`: tokens that go through the model together, 1 to 256; 128.
    pub step_tokens: usize,
    /// `kv_bytes`: memory for keys and values; as much as `max_sequences` can take, if absent.
    pub kv_bytes: usize,
    /// `tenant_jobs`: requests of one tenant that run or wait; half of all, if absent.
    pub tenant_jobs: usize,
    /// `cached_tokens_per_secret`: tokens whose keys and values are kept for those who share a cache secret, 0 for none; 8192.
    pub cached_tokens_per_secret: usize,
}

/// `[channel]`: what of an exchange's length and timing its wire shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChannelSettings {
    /// `padding`: `off`, `default` or `strict`; stated in the manifest.
    pub padding: PaddingProfile,
    /// `flush_ms`: time between two flushes of a padded stream, 40 to 80; 60.
    pub flush_interval: Duration,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

/// Why a configuration, or a file that it names, was refused; `code()` is stable.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A file could not be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// Not TOML.
    #[error("{0}")]
    Syntax(toml::de::Error),
    /// Every field that is absent, unknown or wrong.
    #[error("{0}")]
    Mistakes(Mistakes),
    /// `policy.source`.
    #[error("policy.source: {0}")]
    PolicySource(#[from] PolicyUrlError),
    /// The root, or what is signed under it.
    #[error(transparent)]
    Policy(#[from] PolicyKeeperError),
    /// The root document that is pinned is not the first one.
    #[error(
        "policy.root is version {version} of the root; a runtime pins version 1, so that its manifest can name it, and finds the \
         later ones in roots.jsonl"
    )]
    LaterRoot {
        /// Its version.
        version: u64,
    },
    /// The signed policy is of another time.
    #[error("the policy is in force from {} to {}", .not_before.to_rfc3339(), .expires.to_rfc3339())]
    PolicyNotInForce {
        /// First second.
        not_before: UnixTime,
        /// First second after.
        expires: UnixTime,
    },
    /// The certificate that endorses reports.
    #[error("evidence.vek: {0}")]
    Vek(#[from] VekError),
}

/// One line for each mistake; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistakes(pub Vec<String>);

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl ConfigError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::File(error) => error.code(),
            Self::Syntax(_) => "config.syntax",
            Self::Mistakes(_) => "config.mistakes",
            Self::PolicySource(_) => "config.policy_source",
            Self::Policy(error) => error.code(),
            Self::LaterRoot { .. } => "config.later_root",
            Self::PolicyNotInForce { .. } => "config.policy_not_in_force",
            Self::Vek(error) => error.code(),
        }
    }
}

impl Config {
    /// Reads the file at `path`; relative paths in it start at its folder.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let bytes = provision::file::read(path, MAX_CONFIG_BYTES)?;
        let text = String::from_utf8_lossy(&bytes);
        let folder = path.parent().unwrap_or(Path::new(""));
        Self::parse(&text, folder)
    }

    /// Parses `text`; relative paths in it start at `folder`.
    pub fn parse(text: &str, folder: &Path) -> Result<Self, ConfigError> {
        let table = text.parse().map_err(ConfigError::Syntax)?;
        let mut mistakes = Vec::new();
        let mut top = Section::outermost(table, folder);
        let config = Self {
            policy: policy(top.section("policy"), &mut mistakes),
            evidence: evidence(top.section("evidence"), &mut mistakes),
            upstream: upstream_of(&mut top, &mut mistakes),
            engine: engine(top.section("engine"), &mut mistakes),
            channel: channel(top.section("channel"), &mut mistakes),
            limits: limits(top.section("limits"), &mut mistakes),
            log_format: log_format(top.section("log"), &mut mistakes),
            node: top.required("node", "a-z, 0-9 and -, 1 to 63 of them", node_name),
            listen: top
                .optional("listen", "ADDRESS:PORT", |text: String| text.parse().ok())
                .unwrap_or(LISTEN),
            model: top.path("model").unwrap_or_default(),
            model_name: top.optional("model_name", "1 to 128 of a-z, 0-9, - and .", model_name),
            residency: top.optional("residency", "a country of two capital letters", country),
            aibom: top.optional_path("aibom"),
        };
        top.finish(&mut mistakes);
        if mistakes.is_empty() {
            Ok(config)
        } else {
            Err(ConfigError::Mistakes(Mistakes(mistakes)))
        }
    }
}

/// The server in the place of the own engine, whose settings then mean nothing.
fn upstream_of(top: &mut Section<'_>, mistakes: &mut Vec<String>) -> Option<UpstreamSettings> {
    if !top.has("upstream") {
        return None;
    }
    top.excluded("engine", "upstream");
    upstream::read(top.section("upstream"), mistakes)
}

fn node_name(name: String) -> Option<String> {
    is_node_name(&name).then_some(name)
}

fn model_name(name: String) -> Option<String> {
    let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.');
    ((1..=128).contains(&name.len()) && name.bytes().all(allowed)).then_some(name)
}

fn country(code: String) -> Option<String> {
    let capital = |byte: u8| byte.is_ascii_uppercase();
    (code.len() == 2 && code.bytes().all(capital)).then_some(code)
}

fn policy(mut section: Section<'_>, mistakes: &mut Vec<String>) -> PolicySettings {
    section.renamed("envelope", "source");
    let settings = PolicySettings {
        root: policy_root(&mut section),
        source: section.source("source").unwrap_or_default(),
        refresh: section.seconds("refresh_seconds", REFRESH),
    };
    section.finish(mistakes);
    settings
}

/// One of the two ways to say who signs, not both.
fn policy_root(section: &mut Section<'_>) -> PolicyRoot {
    match section.optional_path("root") {
        Some(root) => {
            section.excluded("keys", "root");
            section.excluded("threshold", "root");
            PolicyRoot::Document(root)
        }
        None => policy_keys(section),
    }
}

fn policy_keys(section: &mut Section<'_>) -> PolicyRoot {
    let files = section.paths("keys").unwrap_or_default();
    let expected = "a positive number, not above that of the keys";
    let in_range = |threshold: usize| (1..=files.len()).contains(&threshold).then_some(threshold);
    let threshold = section.optional("threshold", expected, in_range);
    PolicyRoot::Keys { files, threshold }
}

fn evidence(mut section: Section<'_>, mistakes: &mut Vec<String>) -> EvidencePaths {
    let vmpl = |level: u8| (level <= 3).then_some(level);
    let paths = EvidencePaths {
        tsm_root: section
            .optional_path("tsm_root")
            .unwrap_or_else(|| TSM_ROOT.into()),
        vek: section.optional_path("vek"),
        privlevel: section.optional("privlevel", "0 to 3", vmpl),
        event_log: section
            .optional_path("event_log")
            .unwrap_or_else(|| EVENT_LOG.into()),
        collateral: section.optional_path("collateral"),
    };
    section.finish(mistakes);
    paths
}

fn engine(mut section: Section<'_>, mistakes: &mut Vec<String>) -> EngineSettings {
    let threads = |count: usize| (count <= 1024).then_some(count);
    let step_tokens = |count: usize| (1..=256).contains(&count).then_some(count);
    let named = |name: String| isa(&name);
    let settings = EngineSettings {
        threads: section
            .optional("threads", "0 to 1024", threads)
            .unwrap_or(0),
        max_sequences: section.count("max_sequences", 8),
        queue: section.count("queue", 64),
        max_context_tokens: section.count("max_context_tokens", 8192),
        isa: section.optional("isa", &isa_names(), named).flatten(),
        step_tokens: section
            .optional("step_tokens", "1 to 256", step_tokens)
            .unwrap_or(128),
        kv_bytes: section.count("kv_bytes", 0),
        tenant_jobs: section.count("tenant_jobs", 0),
        cached_tokens_per_secret: section
            .optional("cached_tokens_per_secret", "a number", Some)
            .unwrap_or(8192),
    };
    section.finish(mistakes);
    settings
}

fn isa(name: &str) -> Option<Option<IsaName>> {
    match name {
        AUTO => Some(None),
        name => name.parse().ok().map(Some),
    }
}

fn isa_names() -> String {
    let names = IsaName::ALL.map(|name| format!(", \"{name}\""));
    format!("one of \"{AUTO}\"{}", names.concat())
}

fn channel(mut section: Section<'_>, mistakes: &mut Vec<String>) -> ChannelSettings {
    let in_range = |ms: u64| (40..=80).contains(&ms).then(|| Duration::from_millis(ms));
    let profile = |name: String| PaddingProfile::parse(&name);
    let settings = ChannelSettings {
        padding: section
            .optional("padding", "\"off\", \"default\" or \"strict\"", profile)
            .unwrap_or_default(),
        flush_interval: section
            .optional("flush_ms", "40 to 80", in_range)
            .unwrap_or(Limits::default().flush_interval),
    };
    section.finish(mistakes);
    settings
}

fn log_format(mut section: Section<'_>, mistakes: &mut Vec<String>) -> LogFormat {
    let named = |name: String| match name.as_str() {
        "text" => Some(LogFormat::Text),
        "json" => Some(LogFormat::Json),
        _ => None,
    };
    let format = section.optional("format", "\"text\" or \"json\"", named);
    section.finish(mistakes);
    format.unwrap_or(LogFormat::Text)
}

fn limits(mut section: Section<'_>, mistakes: &mut Vec<String>) -> Limits {
    let default = Limits::default();
    let limits = Limits {
        max_connections: section.count("max_connections", default.max_connections),
        max_in_flight: section.count("max_in_flight", default.max_in_flight),
        max_challenges: section.count("max_challenges", default.max_challenges),
        max_request_bytes: request_bytes(&mut section, default.max_request_bytes),
        replay_capacity: section.count("replay_capacity", default.replay_capacity),
        max_bindings: section.count("max_bindings", default.max_bindings),
        kept_receipts: section.count("kept_receipts", default.kept_receipts),
        key_window: seconds_in(&mut section, KEY_WINDOW, default.key_window),
        key_grace: seconds_in(&mut section, KEY_GRACE, default.key_grace),
        envelope_timeout: section.seconds("envelope_timeout_seconds", default.envelope_timeout),
        answer_timeout: section.seconds("answer_timeout_seconds", default.answer_timeout),
        drain_timeout: section.seconds("drain_timeout_seconds", default.drain_timeout),
        ..default
    };
    section.finish(mistakes);
    limits
}

fn request_bytes(section: &mut Section<'_>, default: u32) -> u32 {
    let in_range = |bytes: u32| (1024..=64 * 1024 * 1024).contains(&bytes).then_some(bytes);
    section
        .optional("max_request_bytes", "1024 to 67108864", in_range)
        .unwrap_or(default)
}

/// A duration's field, and the seconds that it may have.
type Seconds = (&'static str, std::ops::RangeInclusive<u64>);

const KEY_WINDOW: Seconds = ("key_window_seconds", 60..=3600);
const KEY_GRACE: Seconds = ("key_grace_seconds", 0..=600);

fn seconds_in(section: &mut Section<'_>, (name, range): Seconds, default: Duration) -> Duration {
    let expected = format!("{} to {}", range.start(), range.end());
    let in_range = |seconds: u64| {
        range
            .contains(&seconds)
            .then(|| Duration::from_secs(seconds))
    };
    section
        .optional(name, &expected, in_range)
        .unwrap_or(default)
}
