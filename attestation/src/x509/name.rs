//! A distinguished name (RFC 5280 section 4.1.2.4), kept as received.

use der::{
    ErrorKind, Reader, Result, SliceReader, Tag, Tagged as _,
    asn1::{AnyRef, ObjectIdentifier},
};

const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");

/// A name whose structure was checked. Two names are the same if their bytes are: DER has one encoding of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Name<'a> {
    der: &'a [u8],
    common_name: Option<&'a str>,
}

impl<'a> Name<'a> {
    /// Reads `RDNSequence`: a SEQUENCE of SETs of type and value.
    pub(super) fn read<R: Reader<'a>>(reader: &mut R) -> Result<Self> {
        let der = reader.tlv_bytes()?;
        let mut common_names = CommonNames::None;
        let mut reader = SliceReader::new(der)?;
        reader.sequence(|sets| {
            while !sets.is_finished() {
                let set: AnyRef<'a> = sets.decode()?;
                set.tag().assert_eq(Tag::Set)?;
                read_set(set.value(), &mut common_names)?;
            }
            Ok::<_, der::Error>(())
        })?;
        reader.finish()?;
        let common_name = match common_names {
            CommonNames::One(name) => str::from_utf8(name).ok(),
            _ => None,
        };
        Ok(Self { der, common_name })
    }

    /// The bytes received.
    pub(crate) const fn der(&self) -> &'a [u8] {
        self.der
    }

    /// The common name; `None` unless there is exactly one.
    pub(crate) const fn common_name(&self) -> Option<&'a str> {
        self.common_name
    }
}

/// How many there are.
enum CommonNames<'a> {
    None,
    One(&'a [u8]),
    Several,
}

/// The members of a SET ascend in DER, so that none is there twice.
fn read_set<'a>(members: &'a [u8], common_names: &mut CommonNames<'a>) -> Result<()> {
    let mut reader = SliceReader::new(members)?;
    let mut last: Option<&[u8]> = None;
    while !reader.is_finished() {
        let member = reader.tlv_bytes()?;
        if last.is_some_and(|last| last >= member) {
            return Err(ErrorKind::SetOrdering.into());
        }
        let mut parts = SliceReader::new(member)?;
        let (kind, value) = parts.sequence(|parts| {
            let kind: ObjectIdentifier = parts.decode()?;
            Ok::<_, der::Error>((kind, parts.decode::<AnyRef<'a>>()?))
        })?;
        if kind == COMMON_NAME {
            *common_names = match common_names {
                CommonNames::None => CommonNames::One(value.value()),
                _ => CommonNames::Several,
            };
        }
        last = Some(member);
    }
    Ok(())
}
