//! Claims as a case writes them. What a case leaves out is as a sound node has it; what a policy can tell nodes apart by is to be given.

use super::{
    super::super::Failure, gpu::DeviceForm, gpu_code::GpuCodeForm, hex_bytes::HexBytes,
    snp::SnpForm, tdx::TdxForm,
};
use crate::cli::Exit;
use attestation::{
    Anchors, BindingId, CpuClaims, IdentityKey, Manifest, NodeClaims, UnixTime,
    nvidia::{MachineClaims, topology::TopologyClaims},
};
use serde::{Deserialize, Deserializer, de::Error};

/// How long collateral counts that a case says nothing of: 30 days.
const COLLATERAL_SECONDS: u64 = 30 * 24 * 60 * 60;

/// `[claims]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClaimsForm {
    /// When the evidence was verified; `at` if absent.
    #[serde(default, deserialize_with = "optional_time")]
    verified_at: Option<UnixTime>,
    /// Until when certificates and lists hold; 30 days after `at` if absent.
    #[serde(default, deserialize_with = "optional_time")]
    not_after: Option<UnixTime>,
    snp: Option<SnpForm>,
    tdx: Option<TdxForm>,
    #[serde(default)]
    devices: Vec<DeviceForm>,
    manifest: ManifestForm,
}

/// `[claims.manifest]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ManifestForm {
    model: String,
    model_digest: HexBytes<32>,
    #[serde(default = "runtime_version")]
    runtime_version: String,
    #[serde(default)]
    runtime_digest: HexBytes<32>,
    #[serde(default)]
    tokenizer_digest: HexBytes<32>,
    #[serde(default)]
    template_digest: HexBytes<32>,
    aibom_digest: Option<HexBytes<32>>,
    #[serde(default)]
    kernels_digest: HexBytes<32>,
    #[serde(default = "engine")]
    engine: String,
    #[serde(default = "isa")]
    isa: String,
    #[serde(default = "max_context_tokens")]
    max_context_tokens: u32,
    #[serde(default = "max_request_bytes")]
    max_request_bytes: u32,
    #[serde(default = "padding")]
    padding: String,
    #[serde(default)]
    policy_root: HexBytes<32>,
    gpu: Option<GpuCodeForm>,
}

fn runtime_version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}

fn engine() -> String {
    "cpu/deterministic".to_owned()
}

fn isa() -> String {
    "scalar".to_owned()
}

const fn max_context_tokens() -> u32 {
    4096
}

const fn max_request_bytes() -> u32 {
    1024 * 1024
}

fn padding() -> String {
    "off".to_owned()
}

impl ClaimsForm {
    pub(super) fn verified_at(&self, at: UnixTime) -> UnixTime {
        self.verified_at.unwrap_or(at)
    }

    /// The claims of a node that is judged at `at`.
    pub(super) fn claims(&self, at: UnixTime) -> Result<NodeClaims, Failure> {
        let not_after = self
            .not_after
            .unwrap_or_else(|| at.plus(COLLATERAL_SECONDS));
        let cpu = match (&self.snp, &self.tdx) {
            (Some(snp), None) => CpuClaims::Snp(Box::new(snp.claims(not_after))),
            (None, Some(tdx)) => CpuClaims::Tdx(Box::new(tdx.claims(at, not_after))),
            _ => {
                let message = "a node has either [claims.snp] or [claims.tdx]";
                return Err(Failure::new(Exit::Malformed, "policy.case", message)
                    .advice("give the claims of one CPU"));
            }
        };
        Ok(NodeClaims {
            cpu,
            devices: self.devices(not_after),
            anchors: Anchors::Vendor,
            identity: IdentityKey([0; 32]),
            manifest: self.manifest.manifest(),
            manifest_digest: [0; 32],
            binding_id: BindingId([0; 32]),
            nonce: None,
            not_after,
        })
    }

    fn devices(&self, not_after: UnixTime) -> Option<MachineClaims> {
        if self.devices.is_empty() {
            return None;
        }
        let switches = self
            .devices
            .iter()
            .filter(|device| device.is_switch())
            .count();
        let devices = self.devices.iter();
        let devices = devices.map(|device| device.claims(&self.devices, not_after));
        let feature = self.devices.iter().find_map(DeviceForm::feature);
        Some(MachineClaims {
            topology: TopologyClaims {
                gpus: self.devices.len() - switches,
                switches,
                feature,
                is_whole: switches > 0,
                nonce: [0; 32],
            },
            devices: devices.collect(),
        })
    }
}

impl ManifestForm {
    fn manifest(&self) -> Manifest {
        Manifest {
            runtime_version: self.runtime_version.clone(),
            runtime_digest: self.runtime_digest.0,
            model: self.model.clone(),
            model_digest: self.model_digest.0,
            tokenizer_digest: self.tokenizer_digest.0,
            template_digest: self.template_digest.0,
            aibom_digest: self.aibom_digest.map(|digest| digest.0),
            kernels_digest: self.kernels_digest.0,
            engine: self.engine.clone(),
            isa: self.isa.clone(),
            max_context_tokens: self.max_context_tokens,
            max_request_bytes: self.max_request_bytes,
            padding: self.padding.clone(),
            policy_root: self.policy_root.0,
            gpu: self.gpu.as_ref().map(GpuCodeForm::code),
        }
    }
}

/// A time as TOML writes it, or as text (JSON).
pub(super) fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<UnixTime, D::Error> {
    let text = match TimeForm::deserialize(deserializer)? {
        TimeForm::Toml(time) => time.to_string(),
        TimeForm::Text(text) => text,
    };
    let expected = "not a time with an offset, such as 2026-12-01T00:00:00Z";
    UnixTime::from_rfc3339(&text).ok_or_else(|| D::Error::custom(expected))
}

/// The same where it may be absent.
pub(super) fn optional_time<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<UnixTime>, D::Error> {
    time(deserializer).map(Some)
}

#[derive(Deserialize)]
#[serde(untagged)]
enum TimeForm {
    Toml(toml::value::Datetime),
    Text(String),
}
