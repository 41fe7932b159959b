//! DER taken apart one level at a time.

use der::{
    Decode as _, Reader as _, SliceReader, Tag, TagNumber, Tagged as _,
    asn1::{AnyRef, ObjectIdentifier},
};

/// `[number] EXPLICIT`, or implicit of a constructed type.
pub(super) const fn constructed(number: u32) -> Tag {
    Tag::ContextSpecific {
        constructed: true,
        number: TagNumber(number),
    }
}

/// `[number] IMPLICIT` of a primitive type.
pub(super) const fn primitive(number: u32) -> Tag {
    Tag::ContextSpecific {
        constructed: false,
        number: TagNumber(number),
    }
}

/// The values that follow each other in `content`.
pub(super) fn values(content: &[u8]) -> Option<Vec<AnyRef<'_>>> {
    let mut reader = SliceReader::new(content).ok()?;
    let mut values = Vec::new();
    while !reader.is_finished() {
        values.push(reader.decode::<AnyRef<'_>>().ok()?);
    }
    Some(values)
}

/// The one value that is all of `content`.
pub(super) fn only(content: &[u8]) -> Option<AnyRef<'_>> {
    AnyRef::from_der(content).ok()
}

/// The content of `value`, if it has `tag`.
pub(super) fn tagged(value: AnyRef<'_>, tag: Tag) -> Option<&[u8]> {
    (value.tag() == tag).then(|| value.value())
}

/// The values in the SEQUENCE `value`.
pub(super) fn sequence(value: AnyRef<'_>) -> Option<Vec<AnyRef<'_>>> {
    values(tagged(value, Tag::Sequence)?)
}

pub(super) fn oid(value: AnyRef<'_>) -> Option<ObjectIdentifier> {
    value.decode_as().ok()
}
