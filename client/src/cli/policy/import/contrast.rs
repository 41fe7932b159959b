//! Contrast's manifest: `ReferenceValues` with entries `snp` and `tdx`.

use super::{draft::Draft, trustee::little_endian};
use attestation::snp::{Product, TcbVersion};
use serde_json::Value;

/// PlatformInfo is a maximum there: what is false must be clear.
const MUST_BE_CLEAR: [(&str, &str); 2] = [("SMTEnabled", "smt_en"), ("TSMEEnabled", "tsme_en")];
/// What is true there and makes a platform stronger.
const MUST_BE_SET: [(&str, &str); 4] = [
    ("ECCEnabled", "ecc_en"),
    ("RAPLDisabled", "rapl_dis"),
    ("CiphertextHidingDRAMEnabled", "ciphertext_hiding_dram_en"),
    ("AliasCheckComplete", "alias_check_complete"),
];
const REGISTERS: [&str; 4] = ["rtmr0", "rtmr1", "rtmr2", "rtmr3"];

/// The draft of a manifest.
pub(super) fn read(manifest: &Value) -> Result<Draft, String> {
    let mut draft = Draft::new("imported from Contrast");
    let values = manifest
        .get("ReferenceValues")
        .ok_or("it has no ReferenceValues")?;
    for (name, entries) in values.as_object().into_iter().flatten() {
        let entries = entries
            .as_array()
            .ok_or_else(|| format!("{name} is not an array"))?;
        for entry in entries {
            match name.as_str() {
                "snp" => snp(&mut draft, entry)?,
                "tdx" => tdx(&mut draft, entry)?,
                other => draft.leave(format!("ReferenceValues.{other}")),
            }
        }
    }
    if draft.snp.measurements.len()
        + draft
            .tdx
            .registers
            .iter()
            .filter(|(name, _)| *name == "mrtd")
            .count()
        > 1
    {
        draft.leave("which values of its entries belong together: a policy accepts each of them with every other");
    }
    let outside = manifest.as_object().into_iter().flatten();
    let outside = outside.filter(|(name, value)| *name != "ReferenceValues" && !is_empty(value));
    draft
        .left
        .extend(outside.map(|(name, _)| format!("{name}: about workloads, not about machines")));
    if draft.snp.measurements.is_empty() && draft.tdx.registers.is_empty() {
        return Err("its ReferenceValues name no machine".to_owned());
    }
    Ok(draft)
}

fn snp(draft: &mut Draft, entry: &Value) -> Result<(), String> {
    let product = match entry.get("ProductName").and_then(Value::as_str) {
        Some("Milan") => Product::Milan,
        Some("Genoa") => Product::Genoa,
        other => return Err(format!("ProductName {other:?} is neither Milan nor Genoa")),
    };
    draft
        .snp
        .measurements
        .insert(digest(entry, "TrustedMeasurement")?);
    raise(draft, product, floor(entry)?);
    let info = entry.get("PlatformInfo").cloned().unwrap_or_default();
    let is = |name: &str| info.get(name).and_then(Value::as_bool).unwrap_or_default();
    draft.snp.forbidden.extend(
        MUST_BE_CLEAR
            .iter()
            .filter(|(name, _)| !is(name))
            .map(|(_, flag)| *flag),
    );
    draft.snp.required.extend(
        MUST_BE_SET
            .iter()
            .filter(|(name, _)| is(name))
            .map(|(_, flag)| *flag),
    );
    left_of_snp(draft, entry);
    Ok(())
}

fn left_of_snp(draft: &mut Draft, entry: &Value) {
    for name in [
        "GuestPolicy",
        "MinimumMitigationVector",
        "AllowedChipIDs",
        "CPUs",
        "Platform",
    ] {
        let value = entry.get(name).filter(|value| !is_empty(value));
        draft
            .left
            .extend(value.map(|value| format!("snp {name} = {value}{}", advice(name))));
    }
}

fn advice(name: &str) -> &'static str {
    match name {
        "GuestPolicy" => " (the draft's own flags stand instead)",
        "MinimumMitigationVector" => " (see snp.required_mitigations)",
        "AllowedChipIDs" => " (list them in an inventory and demand it with [residency])",
        "CPUs" | "Platform" => " (the measurement tells it)",
        _ => "",
    }
}

/// Several entries of one product: the highest floor, which is none of them weakened.
fn raise(draft: &mut Draft, product: Product, floor: TcbVersion) {
    match draft
        .snp
        .floors
        .iter_mut()
        .find(|(known, _)| *known == product)
    {
        None => draft.snp.floors.push((product, floor)),
        Some((_, known)) => {
            known.bootloader = known.bootloader.max(floor.bootloader);
            known.tee = known.tee.max(floor.tee);
            known.snp = known.snp.max(floor.snp);
            known.microcode = known.microcode.max(floor.microcode);
        }
    }
}

fn floor(entry: &Value) -> Result<TcbVersion, String> {
    let svn = |name: &str| {
        let svn = entry
            .get("MinimumTCB")
            .and_then(|tcb| tcb.get(name))
            .and_then(Value::as_u64);
        let svn = svn.and_then(|svn| u8::try_from(svn).ok());
        svn.ok_or_else(|| format!("MinimumTCB.{name} is not a number from 0 to 255"))
    };
    Ok(TcbVersion {
        fmc: None,
        bootloader: svn("BootloaderVersion")?,
        tee: svn("TEEVersion")?,
        snp: svn("SNPVersion")?,
        microcode: svn("MicrocodeVersion")?,
    })
}

fn tdx(draft: &mut Draft, entry: &Value) -> Result<(), String> {
    draft.tdx.registers.insert(("mrtd", digest(entry, "MrTd")?));
    draft
        .tdx
        .registers
        .insert(("mrseam", digest(entry, "MrSeam")?));
    let rtmrs = entry
        .get("Rtmrs")
        .and_then(Value::as_array)
        .ok_or("Rtmrs is not an array")?;
    for (register, value) in REGISTERS.iter().zip(rtmrs) {
        draft
            .tdx
            .registers
            .insert((register, hexadecimal("Rtmrs", value)?));
    }
    let features = entry.get("Xfam").and_then(Value::as_str);
    let features = features
        .and_then(little_endian)
        .ok_or("Xfam is not 16 hexadecimal digits of known features")?;
    match draft.tdx.xfam.replace(features) {
        Some(other) if other != features => {
            return Err("its TDX entries differ in Xfam: import them one by one".to_owned());
        }
        _ => {}
    }
    let number = entry
        .get("MinTCBEvaluationDataNumber")
        .and_then(Value::as_u64)
        .unwrap_or_default();
    draft.tdx.minimum_evaluation_number = draft.tdx.minimum_evaluation_number.max(number);
    for name in [
        "AllowedPIIDs",
        "MemoryIntegrity",
        "SMTDisabled",
        "StaticPlatform",
        "CPUs",
        "Platform",
    ] {
        let value = entry.get(name).filter(|value| !is_empty(value));
        draft
            .left
            .extend(value.map(|value| format!("tdx {name} = {value}")));
    }
    Ok(())
}

fn digest(entry: &Value, name: &str) -> Result<String, String> {
    hexadecimal(name, entry.get(name).unwrap_or(&Value::Null))
}

fn hexadecimal(name: &str, value: &Value) -> Result<String, String> {
    let text = value.as_str().map(str::to_ascii_lowercase);
    text.filter(|text| text.len() == 96 && hex::decode(text).is_ok())
        .ok_or_else(|| format!("{name} is not 96 hexadecimal digits"))
}

/// Nothing was said.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Number(number) => number.as_u64() == Some(0),
        Value::String(text) => text.is_empty(),
        Value::Array(entries) => entries.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(true) => false,
    }
}
