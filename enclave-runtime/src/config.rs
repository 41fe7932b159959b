//! The configuration file, and the only reader of files named in it. TOML; unknown fields are refused; all mistakes are told at once.
//! No environment variable is read: the environment is not measured.

mod engine;
mod error;
mod files;
mod gpus;
mod limits;
mod model_key;
mod policy;
mod section;
mod shown;
mod upstream;

pub use engine::{ComputeDevice, EngineSettings};
pub use error::{ConfigError, Mistakes};
pub use files::{Files, read_files};
pub use gpus::GpuSource;
pub use model_key::ModelKeySettings;
pub use policy::{PolicyRoot, PolicySettings};
pub use upstream::UpstreamSettings;

use crate::{Limits, runtime::is_node_name};
use protocol::PaddingProfile;
use section::Section;
use std::{
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
const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8700);

/// Everything that an operator can set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `node`: the node's name.
    pub node: String,
    /// `listen`: the address for the gateway; 127.0.0.1:8700.
    pub listen: SocketAddr,
    /// `model`: a GGUF file or a model folder; with `[model_key]`, the folder of a sealed model.
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
    /// `[model_key]`: `model` is sealed, and who has its key.
    pub model_key: Option<ModelKeySettings>,
    /// `[channel]`.
    pub channel: ChannelSettings,
    /// `[limits]`.
    pub limits: Limits,
    /// `[log]` `format`: `text` or `json`.
    pub log_format: LogFormat,
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
    /// `gpus`: `nvml`, or `none` if absent.
    pub gpus: GpuSource,
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
            policy: policy::read(top.section("policy"), &mut mistakes),
            evidence: evidence(top.section("evidence"), &mut mistakes),
            upstream: upstream_of(&mut top, &mut mistakes),
            engine: engine::read(top.section("engine"), &mut mistakes),
            model_key: model_key_of(&mut top, &mut mistakes),
            channel: channel(top.section("channel"), &mut mistakes),
            limits: limits::read(top.section("limits"), &mut mistakes),
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
        if config.engine.device == ComputeDevice::Cuda && config.evidence.gpus == GpuSource::None {
            let mistake = "evidence.gpus must be \"nvml\" where engine.device is \"cuda\"";
            mistakes.push(mistake.to_owned());
        }
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

/// Only the engine of this process opens a sealed model.
fn model_key_of(top: &mut Section<'_>, mistakes: &mut Vec<String>) -> Option<ModelKeySettings> {
    if !top.has("model_key") {
        return None;
    }
    top.excluded("upstream", "model_key");
    model_key::read(top.section("model_key"), mistakes)
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
        gpus: gpus::read(&mut section),
    };
    section.finish(mistakes);
    paths
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
