//! The payload: the values that each measurement may have.

use super::SWID;
use crate::nvidia::rim::{RimError, xml::Element};

/// The namespace of the attributes `Hash0`, `Hash1`, ...: the algorithm's name.
const SHA384: &str = "http://www.w3.org/2001/04/xmlenc#sha384";

/// Attributes of a `Resource` beside its hashes: type, index, active, alternatives, name, size.
const OTHER_ATTRIBUTES: usize = 6;

/// What one measurement may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Golden {
    /// From 0; the block of the SPDM measurement record has the next higher index.
    pub index: u8,
    /// What NVIDIA calls it: `Measurement_8`, `HashedMeasurement_1_FSP`.
    pub name: String,
    /// Whether this firmware measures it at all; where not, the values say nothing.
    pub active: bool,
    /// The values that are right, SHA-384; at least one.
    pub alternatives: Vec<[u8; 48]>,
}

/// Every `Resource` of `payload`; their indices ascend, so that none is there twice.
pub(in crate::nvidia::rim) fn read(payload: &Element<'_>) -> Result<Vec<Golden>, RimError> {
    let mut measurements: Vec<Golden> = Vec::new();
    let resources = payload.elements();
    let resources = resources.ok_or(RimError::Tag("Payload contains text"))?;
    for (position, resource) in resources.into_iter().enumerate() {
        let golden = golden(resource).ok_or(RimError::Measurement(position))?;
        let ascends = |last: &Golden| last.index < golden.index;
        if !measurements.last().is_none_or(ascends) {
            return Err(RimError::Measurement(position));
        }
        measurements.push(golden);
    }
    if measurements.is_empty() {
        return Err(RimError::Measurement(0));
    }
    Ok(measurements)
}

/// A `Resource` without content, with the attributes of one measurement and no other.
fn golden(resource: &Element<'_>) -> Option<Golden> {
    let attribute = |name| resource.attribute("", name);
    let index = number(attribute("index")?)?;
    let alternatives = number(attribute("alternatives")?)?;
    let name = attribute("name")?;
    let active = match attribute("active")? {
        "True" => true,
        "False" => false,
        _ => return None,
    };
    let fits = resource.is(SWID, "Resource")
        && resource.children.is_empty()
        && attribute("type")? == "Measurement"
        && attribute("size")? == "48"
        && resource.attributes.len() == OTHER_ATTRIBUTES + usize::from(alternatives);
    let hash = |number| digest(resource.attribute(SHA384, &format!("Hash{number}"))?);
    let alternatives: Vec<_> = (0..alternatives).map(hash).collect::<Option<_>>()?;
    (fits && !alternatives.is_empty()).then_some(Golden {
        index,
        name: name.to_owned(),
        active,
        alternatives,
    })
}

/// Decimal, without sign or leading zeros.
fn number(text: &str) -> Option<u8> {
    let number: u8 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

/// 96 hex digits.
fn digest(hex: &str) -> Option<[u8; 48]> {
    let mut digest = [0; 48];
    let (pairs, rest) = hex.as_bytes().as_chunks::<2>();
    if pairs.len() != digest.len() || !rest.is_empty() {
        return None;
    }
    for (byte, [high, low]) in digest.iter_mut().zip(pairs) {
        *byte = nibble(*high)? << 4 | nibble(*low)?;
    }
    Some(digest)
}

fn nibble(digit: u8) -> Option<u8> {
    u8::try_from(char::from(digit).to_digit(16)?).ok()
}

#[cfg(test)]
mod tests {
    use super::{SWID, number, read};
    use crate::nvidia::rim::xml;
    use std::{env, fs, path::PathBuf};

    /// Payloads of go-nvattest-tools; where no evidence is at hand this says so and looks at nothing.
    #[test]
    fn payloads_are_read_as_their_names_say() {
        #[expect(clippy::disallowed_methods, reason = "evidence is found by a variable")]
        let Some(folder) = env::var_os("NARTHEX_VECTORS") else {
            println!("NARTHEX_VECTORS is not set: no payload to look at");
            return;
        };
        let mut seen = [0, 0];
        for entry in fs::read_dir(PathBuf::from(folder).join("go-nvattest-tools/rim")).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap();
            let is_right = name.starts_with("success_");
            if !is_right && !name.starts_with("failure_") {
                continue;
            }
            let text = fs::read(&path).unwrap();
            let root = xml::parse(&text).unwrap();
            let children = root.elements().unwrap();
            let payload = children.into_iter().find(|one| one.is(SWID, "Payload"));
            let has_none = "success_payload_multiple_measurements";
            let accepted = payload.is_some_and(|payload| read(payload).is_ok());
            assert_eq!(accepted, is_right && name != has_none, "{name}");
            seen[usize::from(is_right)] += 1;
        }
        assert_eq!(seen, [18, 4]);
    }

    #[test]
    fn numbers_have_one_spelling() {
        assert_eq!(
            ["0", "63", "255"].map(number),
            [Some(0), Some(63), Some(255)]
        );
        assert_eq!(
            ["", "+1", "01", "-0", "256", " 1", "1 "].map(number),
            [None; 7]
        );
    }
}
