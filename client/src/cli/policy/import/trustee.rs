//! Trustee's reference values, by the names that its default CPU policy asks for.

use super::draft::{Draft, has_names};
use attestation::snp::{Product, TcbVersion};
use serde_json::Value;

/// The draft of `values`, whose SNP values are for `products`.
pub(super) fn read(values: &Value, products: &[Product]) -> Result<Draft, String> {
    let mut draft = Draft::new("imported from Trustee");
    let mut floor = TcbVersion::default();
    let mut has_floor = [false; 4];
    for (name, value) in pairs(values)? {
        match name {
            "snp_launch_measurement" => draft.snp.measurements.extend(digests(name, value)?),
            "snp_bootloader" => least(name, value, (&mut floor.bootloader, &mut has_floor[0]))?,
            "snp_tee_svn" => least(name, value, (&mut floor.tee, &mut has_floor[1]))?,
            "snp_snp_svn" => least(name, value, (&mut floor.snp, &mut has_floor[2]))?,
            "snp_microcode" => least(name, value, (&mut floor.microcode, &mut has_floor[3]))?,
            "snp_smt_enabled" => platform(&mut draft, "smt_en", flag(name, value)?),
            "snp_tsme_enabled" => platform(&mut draft, "tsme_en", flag(name, value)?),
            "snp_single_socket" => guest(&mut draft, "single_socket", flag(name, value)?),
            "snp_smt_allowed" => guest(&mut draft, "smt", flag(name, value)?),
            "mr_td" => register(&mut draft, "mrtd", name, value)?,
            "mr_seam" => register(&mut draft, "mrseam", name, value)?,
            "rtmr_0" => register(&mut draft, "rtmr0", name, value)?,
            "rtmr_1" => register(&mut draft, "rtmr1", name, value)?,
            "rtmr_2" => register(&mut draft, "rtmr2", name, value)?,
            "rtmr_3" => register(&mut draft, "rtmr3", name, value)?,
            "xfam" => xfam(&mut draft, value)?,
            other => draft.leave(format!("{other} = {value}")),
        }
    }
    finish(draft, products, (floor, has_floor))
}

fn finish(
    mut draft: Draft,
    products: &[Product],
    (floor, has_floor): (TcbVersion, [bool; 4]),
) -> Result<Draft, String> {
    if !draft.snp.measurements.is_empty() {
        if products.is_empty() {
            return Err("Trustee's SNP values name no product: give --product".to_owned());
        }
        if has_floor.contains(&false) {
            return Err(
                "snp_bootloader, snp_tee_svn, snp_snp_svn or snp_microcode is missing".to_owned(),
            );
        }
        draft.snp.floors = products.iter().map(|product| (*product, floor)).collect();
        draft.leave("the lists of SVNs as lists: Trustee accepts these numbers alone, a policy their highest and more");
    }
    if draft
        .tdx
        .registers
        .iter()
        .any(|(register, _)| *register != "mrtd")
        && !draft
            .tdx
            .registers
            .iter()
            .any(|(register, _)| *register == "mrtd")
    {
        return Err("mr_td is missing".to_owned());
    }
    if draft.snp.measurements.is_empty() && draft.tdx.registers.is_empty() {
        return Err("it names neither snp_launch_measurement nor mr_td".to_owned());
    }
    Ok(draft)
}

/// `{ name: value }`, or `[{ "name", "value" }]`.
fn pairs(values: &Value) -> Result<Vec<(&str, &Value)>, String> {
    match values {
        Value::Object(fields) => Ok(fields
            .iter()
            .map(|(name, value)| (name.as_str(), value))
            .collect()),
        Value::Array(entries) => entries.iter().map(pair).collect(),
        _ => Err("neither an object nor an array".to_owned()),
    }
}

fn pair(entry: &Value) -> Result<(&str, &Value), String> {
    let name = entry.get("name").and_then(Value::as_str);
    let pair = name.zip(entry.get("value"));
    pair.ok_or_else(|| "an entry has no name or no value".to_owned())
}

/// One value, or each of a list.
fn each(value: &Value) -> &[Value] {
    value
        .as_array()
        .map_or(std::slice::from_ref(value), Vec::as_slice)
}

fn digests(name: &str, value: &Value) -> Result<Vec<String>, String> {
    let digest = |one: &Value| {
        let text = one.as_str().map(str::to_ascii_lowercase);
        text.filter(|text| text.len() == 96 && hex::decode(text).is_ok())
            .ok_or_else(|| format!("{name} is not 96 hexadecimal digits"))
    };
    each(value).iter().map(digest).collect()
}

/// The highest of a list: a floor there accepts less than the list does below it.
fn least(name: &str, value: &Value, (floor, is_there): (&mut u8, &mut bool)) -> Result<(), String> {
    for one in each(value) {
        let svn = one.as_u64().and_then(|svn| u8::try_from(svn).ok());
        *floor = (*floor).max(svn.ok_or_else(|| format!("{name} is not a number from 0 to 255"))?);
        *is_there = true;
    }
    Ok(())
}

fn flag(name: &str, value: &Value) -> Result<Option<bool>, String> {
    let flags = each(value).iter().map(Value::as_bool);
    let flags: Option<Vec<bool>> = flags.collect();
    let flags = flags.ok_or_else(|| format!("{name} is neither true nor false"))?;
    let first = flags.first().copied();
    Ok(first.filter(|first| flags.iter().all(|flag| flag == first)))
}

/// Both values accepted: no rule.
fn platform(draft: &mut Draft, name: &'static str, flag: Option<bool>) {
    match flag {
        Some(true) => _ = draft.snp.required.insert(name),
        Some(false) => _ = draft.snp.forbidden.insert(name),
        None => {}
    }
}

fn guest(draft: &mut Draft, name: &'static str, flag: Option<bool>) {
    let rule = flag.map(|flag| if flag { "require" } else { "forbid" });
    draft.snp.guest_policy.extend(rule.map(|rule| (name, rule)));
}

fn register(
    draft: &mut Draft,
    register: &'static str,
    name: &str,
    value: &Value,
) -> Result<(), String> {
    let digests = digests(name, value)?.into_iter();
    draft
        .tdx
        .registers
        .extend(digests.map(|digest| (register, digest)));
    Ok(())
}

fn xfam(draft: &mut Draft, value: &Value) -> Result<(), String> {
    match each(value) {
        [one] => {
            draft.tdx.xfam = Some(
                one.as_str()
                    .and_then(little_endian)
                    .ok_or("xfam is not 16 hexadecimal digits of known features")?,
            );
        }
        _ => draft.leave(format!("xfam = {value} (more than one value)")),
    }
    Ok(())
}

/// As the bytes stand in a quote.
pub(super) fn little_endian(text: &str) -> Option<u64> {
    let mut bytes = [0; 8];
    hex::decode_to_slice(text, &mut bytes).ok()?;
    Some(u64::from_le_bytes(bytes)).filter(|xfam| has_names(*xfam))
}
