//! What the Rego rules get: the policy's document, the inventory and the claims as JSON, times in seconds, flags by their names.

use crate::cases;
use attestation::{
    CpuClaims, NodeClaims, UnixTime, Verified,
    nvidia::{DeviceClaims, Kind},
    snp::{SnpClaims, TcbVersion},
    tdx::TdxClaims,
};
use policy::{
    Inventory,
    snp::{GuestPolicyBit, PlatformInfoBit},
    tdx::TdAttributeBit,
};
use serde_json::{Map, Value, json};
use std::error::Error;

/// Bits of XFAM by the names that the cases make use of.
const XFAM: [(&str, u32); 9] = [
    ("x87", 0),
    ("sse", 1),
    ("avx", 2),
    ("opmask", 5),
    ("zmm_hi256", 6),
    ("hi16_zmm", 7),
    ("pkru", 9),
    ("tilecfg", 17),
    ("tiledata", 18),
];

/// The document.
pub fn policy(text: &str) -> Result<Value, Box<dyn Error>> {
    let table: toml::Table = text.parse()?;
    json_of(&toml::Value::Table(table))
}

fn json_of(value: &toml::Value) -> Result<Value, Box<dyn Error>> {
    Ok(match value {
        toml::Value::Table(table) => {
            let fields = table
                .iter()
                .map(|(key, value)| Ok((key.clone(), json_of(value)?)));
            Value::Object(fields.collect::<Result<Map<_, _>, Box<dyn Error>>>()?)
        }
        toml::Value::Array(array) => {
            let entries = array.iter().map(json_of);
            Value::Array(entries.collect::<Result<_, _>>()?)
        }
        toml::Value::Datetime(time) => {
            let time = UnixTime::from_rfc3339(&time.to_string()).ok_or("a time with an offset")?;
            json!(time.0)
        }
        toml::Value::Integer(number) => json!(number),
        toml::Value::Boolean(flag) => json!(flag),
        toml::Value::String(text) => json!(text),
        toml::Value::Float(_) => return Err("no policy has a float".into()),
    })
}

/// Each entry by its identifier.
pub fn inventory(inventory: Option<&Inventory>) -> Value {
    let entries = inventory.into_iter().flat_map(Inventory::iter);
    let entries = entries.map(|(id, placement)| {
        let until = placement.valid_until.map(|until| until.0);
        let entry = json!({
            "owner": placement.owner,
            "site": placement.site,
            "country": placement.country,
            "valid_from": placement.valid_from.0,
            "valid_until": until,
        });
        (id.to_string(), entry)
    });
    Value::Object(entries.collect())
}

/// The claims, which were verified at `now`.
pub fn claims(verified: &Verified<NodeClaims>, now: UnixTime) -> Value {
    let claims = verified.claims();
    let devices = claims.devices.iter().flat_map(|machine| &machine.devices);
    let hardware = cases::hardware(claims);
    let mut input = json!({
        "now": now.0,
        "verified_at": verified.at().0,
        "not_after": claims.not_after.0,
        "anchors": "custom",
        "model": { "name": claims.manifest.model, "digest": hex::encode(claims.manifest.model_digest) },
        "devices": devices.map(device).collect::<Vec<_>>(),
        "hardware": hardware.iter().map(ToString::to_string).collect::<Vec<_>>(),
    });
    let (tee, cpu) = match &claims.cpu {
        CpuClaims::Snp(claims) => ("snp", snp(claims)),
        CpuClaims::Tdx(claims) => ("tdx", tdx(claims)),
        _ => ("other", Value::Null),
    };
    input["tee"] = json!(tee);
    input[tee] = cpu;
    input
}

fn flags(named: impl Iterator<Item = (&'static str, u64)>, bits: u64) -> Value {
    let flags = named.map(|(name, mask)| (name.to_owned(), json!(bits & mask != 0)));
    Value::Object(flags.collect())
}

fn snp(claims: &SnpClaims) -> Value {
    let guest_policy = GuestPolicyBit::ALL.map(|bit| (bit.name(), bit.mask()));
    let alias_check = PlatformInfoBit::AliasCheckComplete;
    let platform_info = [(alias_check.name(), alias_check.mask())];
    let reserved = claims.guest_policy >> 26 != 0 || claims.guest_policy >> 17 & 1 == 0;
    json!({
        "version": claims.version,
        "product": format!("{:?}", claims.product).to_lowercase(),
        "vmpl": claims.vmpl,
        "signing_key": format!("{:?}", claims.signing_key).to_lowercase(),
        "measurement": hex::encode(claims.measurement),
        "debug": claims.debug,
        "reserved": reserved,
        "guest_policy": flags(guest_policy.into_iter(), claims.guest_policy),
        "platform_info": flags(platform_info.into_iter(), claims.platform_info),
        "tcb": {
            "reported": tcb(&claims.reported_tcb),
            "committed": tcb(&claims.committed_tcb),
            "launch": tcb(&claims.launch_tcb),
        },
    })
}

fn tcb(tcb: &TcbVersion) -> Value {
    json!({ "bootloader": tcb.bootloader, "tee": tcb.tee, "snp": tcb.snp, "microcode": tcb.microcode })
}

fn tdx(claims: &TdxClaims) -> Value {
    let attributes = TdAttributeBit::ALL.map(|bit| (bit.name(), bit.mask()));
    let numbers = [
        claims.tcb.evaluation_data_number,
        claims.tcb.qe_evaluation_data_number,
    ];
    let set = XFAM
        .iter()
        .filter(|(_, bit)| claims.td.xfam >> bit & 1 == 1);
    json!({
        "status": claims.tcb.status.name(),
        "advisories": claims.tcb.advisory_ids,
        "evaluation_number": numbers.iter().min(),
        "registers": {
            "mrtd": hex::encode(claims.td.mr_td),
            "rtmr1": hex::encode(claims.td.rtmrs[1]),
        },
        "service_td": claims.td.service_td().is_some(),
        "debug": claims.td.attributes.under_debug(),
        "attributes": flags(attributes.into_iter(), claims.td.attributes.0),
        "xfam": set.map(|(name, _)| *name).collect::<Vec<_>>(),
    })
}

fn device(claims: &DeviceClaims) -> Value {
    let device = &claims.device;
    let mode = device.feature.map(|mode| mode.to_string().to_lowercase());
    json!({
        "kind": if device.kind() == Kind::Gpu { "gpu" } else { "switch" },
        "id": device.pdi.to_string(),
        "architecture": device.architecture.to_string().to_lowercase(),
        "chip": device.chip,
        "mode": mode,
        "driver": device.driver_version,
        "vbios": device.vbios_version,
        "links": device.links.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}
