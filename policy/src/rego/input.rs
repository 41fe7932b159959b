//! What a module sees as `input`: the claims, by the names of their specifications in lower case; bytes in hexadecimal, times in seconds since 1970.

use crate::{HardwareId, Placement};
use attestation::{
    CpuClaims, Manifest, NodeClaims, UnixTime,
    manifest::GpuCode,
    nvidia::DeviceClaims,
    snp::{SnpClaims, TcbVersion},
    tdx::TdxClaims,
};
use regorus::Value;
use std::collections::BTreeMap;

type Fields = BTreeMap<Value, Value>;

/// `{ now, cpu: { snp | tdx }, devices, manifest, placement }`.
pub(crate) fn input(claims: &NodeClaims, placement: Option<&Placement>, now: UnixTime) -> Value {
    let devices = claims.devices.iter().flat_map(|machine| &machine.devices);
    let devices: Vec<Value> = devices.map(device).collect();
    object([
        ("now", now.0.into()),
        ("cpu", cpu(claims)),
        ("devices", devices.into()),
        ("manifest", manifest(&claims.manifest)),
        ("placement", placement.map_or(Value::Null, placed)),
    ])
}

fn cpu(claims: &NodeClaims) -> Value {
    let hardware = HardwareId::of_cpu(claims).map_or(Value::Null, |id| id.to_string().into());
    match &claims.cpu {
        CpuClaims::Snp(claims) => object([("hardware", hardware), ("snp", snp(claims))]),
        CpuClaims::Tdx(claims) => object([("hardware", hardware), ("tdx", tdx(claims))]),
        _ => Value::Undefined,
    }
}

fn snp(claims: &SnpClaims) -> Value {
    object([
        ("version", claims.version.into()),
        ("product", claims.product.to_string().into()),
        ("policy", claims.guest_policy.into()),
        ("platform_info", claims.platform_info.into()),
        ("vmpl", claims.vmpl.into()),
        ("measurement", bytes(&claims.measurement)),
        ("host_data", bytes(&claims.host_data)),
        ("id_key_digest", bytes(&claims.id_key_digest)),
        ("author_key_digest", bytes(&claims.author_key_digest)),
        ("family_id", bytes(&claims.family_id)),
        ("image_id", bytes(&claims.image_id)),
        ("guest_svn", claims.guest_svn.into()),
        ("csp_id", optional(claims.csp_id.as_deref())),
        ("reported_tcb", tcb(&claims.reported_tcb)),
        ("current_tcb", tcb(&claims.current_tcb)),
        ("committed_tcb", tcb(&claims.committed_tcb)),
        ("launch_tcb", tcb(&claims.launch_tcb)),
    ])
}

fn tcb(tcb: &TcbVersion) -> Value {
    object([
        ("fmc", tcb.fmc.map_or(Value::Null, number)),
        ("bootloader", number(tcb.bootloader)),
        ("tee", number(tcb.tee)),
        ("snp", number(tcb.snp)),
        ("microcode", number(tcb.microcode)),
    ])
}

fn tdx(claims: &TdxClaims) -> Value {
    let td = &claims.td;
    let rtmrs: Vec<Value> = td.rtmrs.iter().map(|rtmr| bytes(rtmr)).collect();
    let advisories = claims.tcb.advisory_ids.iter().map(|id| id.as_str().into());
    object([
        ("mrtd", bytes(&td.mr_td)),
        ("rtmrs", rtmrs.into()),
        ("mrseam", bytes(&td.mr_seam)),
        ("mrsignerseam", bytes(&td.mr_signer_seam)),
        ("mrconfigid", bytes(&td.mr_config_id)),
        ("mrowner", bytes(&td.mr_owner)),
        ("mrownerconfig", bytes(&td.mr_owner_config)),
        ("attributes", td.attributes.0.into()),
        ("xfam", td.xfam.into()),
        ("fmspc", bytes(&claims.platform.fmspc)),
        ("pce_svn", u64::from(claims.platform.pce_svn).into()),
        ("tcb_status", claims.tcb.status.name().into()),
        ("tcb_date", claims.tcb.date.0.into()),
        ("advisory_ids", advisories.collect::<Vec<Value>>().into()),
        (
            "tcb_evaluation_data_number",
            claims.tcb.evaluation_data_number.into(),
        ),
    ])
}

fn device(claims: &DeviceClaims) -> Value {
    let device = &claims.device;
    let feature = device.feature.map(|feature| feature.to_string());
    object([
        (
            "hardware",
            HardwareId::NvidiaDevice(device.pdi.0).to_string().into(),
        ),
        ("kind", device.kind().to_string().into()),
        ("architecture", device.architecture.to_string().into()),
        ("chip", device.chip.as_str().into()),
        ("driver", optional(device.driver_version.as_deref())),
        ("vbios", device.vbios_version.as_str().into()),
        ("project", optional(device.project.as_deref())),
        ("project_sku", optional(device.project_sku.as_deref())),
        ("mode", optional(feature.as_deref())),
    ])
}

fn manifest(manifest: &Manifest) -> Value {
    let aibom = manifest.aibom_digest.as_ref();
    object([
        ("runtime", manifest.runtime_version.as_str().into()),
        ("runtime_digest", bytes(&manifest.runtime_digest)),
        ("model", manifest.model.as_str().into()),
        ("model_digest", bytes(&manifest.model_digest)),
        ("tokenizer_digest", bytes(&manifest.tokenizer_digest)),
        ("template_digest", bytes(&manifest.template_digest)),
        (
            "aibom_digest",
            aibom.map_or(Value::Null, |digest| bytes(digest)),
        ),
        ("kernels_digest", bytes(&manifest.kernels_digest)),
        ("engine", manifest.engine.as_str().into()),
        ("isa", manifest.isa.as_str().into()),
        ("max_context_tokens", manifest.max_context_tokens.into()),
        ("max_request_bytes", manifest.max_request_bytes.into()),
        ("padding", manifest.padding.as_str().into()),
        ("policy_root", bytes(&manifest.policy_root)),
        ("gpu", manifest.gpu.as_ref().map_or(Value::Null, gpu_code)),
    ])
}

fn gpu_code(code: &GpuCode) -> Value {
    let libraries = code.libraries.iter();
    let libraries =
        libraries.map(|(name, version)| (Value::from(name.as_str()), version.as_str().into()));
    let self_test_digest = code.self_test.digest();
    object([
        ("cubins_digest", bytes(&code.kernels.cubins_digest)),
        ("arithmetic", code.kernels.arithmetic.as_str().into()),
        ("device", code.device.as_str().into()),
        ("architecture", code.architecture.as_str().into()),
        ("driver", code.driver.as_str().into()),
        ("cuda", code.cuda.as_str().into()),
        ("libraries", Value::from(libraries.collect::<Fields>())),
        ("self_test", code.self_test.as_str().into()),
        (
            "self_test_digest",
            self_test_digest.map_or(Value::Null, |digest| bytes(digest)),
        ),
    ])
}

fn placed(placement: &Placement) -> Value {
    object([
        ("owner", placement.owner.as_str().into()),
        ("site", placement.site.as_str().into()),
        ("country", placement.country.to_string().into()),
    ])
}

fn object<const N: usize>(fields: [(&str, Value); N]) -> Value {
    let fields = fields
        .into_iter()
        .map(|(name, value)| (Value::from(name), value));
    Value::from(fields.collect::<Fields>())
}

fn bytes(bytes: &[u8]) -> Value {
    hex::encode(bytes).into()
}

fn number(number: u8) -> Value {
    u64::from(number).into()
}

fn optional(text: Option<&str>) -> Value {
    text.map_or(Value::Null, Value::from)
}
