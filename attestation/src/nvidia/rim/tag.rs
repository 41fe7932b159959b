//! The SWID tag: which firmware a manifest is for, and what that firmware measures.

mod golden;

pub use golden::Golden;

use super::{RimError, signature::DSIG, xml::Element};

/// ISO/IEC 19770-2:2015.
const SWID: &str = "http://standards.iso.org/iso/19770/-2/2015/schema.xsd";

/// Which part of the firmware a manifest describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RimKind {
    /// What a GPU's driver loads into it; versions like `550.90.07`.
    GpuDriver,
    /// What a GPU boots from; versions like `96.00.9F.00.01`.
    GpuVbios,
    /// What a switch boots from; versions like `96.10.55.00.01`.
    SwitchBios,
}

/// What the tag says.
#[derive(Debug)]
pub(super) struct Tag {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) kind: RimKind,
    pub(super) measurements: Vec<Golden>,
}

impl Tag {
    /// Reads `root`, which is the element that the signature covers, and hands out the `Signature` in it.
    pub(super) fn read<'e, 'a>(root: &'e Element<'a>) -> Result<(Self, &'e Element<'a>), RimError> {
        let [meta, payload, signature] = parts(root)?;
        let name = attribute(root, "name")?;
        for kind_of_tag in ["corpus", "patch", "supplemental"] {
            if attribute(root, kind_of_tag)? != "false" {
                return Err(RimError::Tag("a corpus, patch or supplemental tag"));
            }
        }
        if attribute(meta, "product")? != name || attribute(meta, "PayloadType")? != "direct" {
            return Err(RimError::Tag("Meta is about another product or payload"));
        }
        let version = attribute(meta, "colloquialVersion")?;
        let kind = RimKind::of(attribute(meta, "edition")?, version)?;
        let tag = Self {
            name: name.to_owned(),
            version: version.to_owned(),
            kind,
            measurements: golden::read(payload)?,
        };
        Ok((tag, signature))
    }
}

/// Meta, Payload and Signature of a tag that consists of an Entity and these.
fn parts<'e, 'a>(root: &'e Element<'a>) -> Result<[&'e Element<'a>; 3], RimError> {
    let refused = RimError::Tag("not a SoftwareIdentity of Entity, Meta, Payload and Signature");
    let elements = root.elements().ok_or(refused.clone())?;
    let &[entity, meta, payload, signature] = elements.as_slice() else {
        return Err(refused);
    };
    let named = root.is(SWID, "SoftwareIdentity")
        && entity.is(SWID, "Entity")
        && meta.is(SWID, "Meta")
        && payload.is(SWID, "Payload")
        && signature.is(DSIG, "Signature");
    let leaves = entity.children.is_empty() && meta.children.is_empty();
    (named && leaves)
        .then_some([meta, payload, signature])
        .ok_or(refused)
}

fn attribute<'a>(element: &Element<'a>, name: &'static str) -> Result<&'a str, RimError> {
    let value = element.attribute("", name);
    value
        .filter(|value| !value.is_empty())
        .ok_or(RimError::Tag(name))
}

impl RimKind {
    /// From `edition` and the form of `colloquialVersion`: nothing else in a manifest tells a driver's from a VBIOS's.
    fn of(edition: &str, version: &str) -> Result<Self, RimError> {
        match edition {
            "GPU" if is_driver_version(version) => Ok(Self::GpuDriver),
            "GPU" if is_bios_version(version) => Ok(Self::GpuVbios),
            "SWITCH" if is_bios_version(version) => Ok(Self::SwitchBios),
            "GPU" | "SWITCH" => Err(RimError::Tag("colloquialVersion")),
            _ => Err(RimError::Tag("edition")),
        }
    }
}

/// Two or three decimal numbers.
fn is_driver_version(version: &str) -> bool {
    let is_number = |part: &str| {
        (1..=4).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    version.split('.').all(is_number) && matches!(version.split('.').count(), 2 | 3)
}

/// Five bytes in upper-case hex.
fn is_bios_version(version: &str) -> bool {
    let is_byte = |part: &str| {
        let is_digit = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'A'..=b'F');
        part.len() == 2 && part.bytes().all(is_digit)
    };
    version.split('.').all(is_byte) && version.split('.').count() == 5
}
