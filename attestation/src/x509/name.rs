//! A distinguished name (RFC 5280 section 4.1.2.4), kept as received.

use der::{
    ErrorKind, Reader, Result, SliceReader, Tag, Tagged as _,
    asn1::{AnyRef, ObjectIdentifier},
};

const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");

/// A name whose structure was checked. Two names are the same if their bytes are: DER has one encoding of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Name<'a>(&'a [u8]);

impl<'a> Name<'a> {
    /// Reads `RDNSequence`: a SEQUENCE of SETs of type and value.
    pub(super) fn read<R: Reader<'a>>(reader: &mut R) -> Result<Self> {
        let name = Self(reader.tlv_bytes()?);
        name.visit(|_, _| ())?;
        Ok(name)
    }

    /// The bytes received.
    pub(crate) const fn der(&self) -> &'a [u8] {
        self.0
    }

    /// The common name; `None` unless there is exactly one.
    pub(crate) fn common_name(&self) -> Option<&'a str> {
        let (mut found, mut count) = (None, 0_u8);
        let visited = self.visit(|kind, value| {
            if kind == COMMON_NAME {
                (found, count) = (Some(value.value()), count.saturating_add(1));
            }
        });
        visited.ok().filter(|()| count == 1)?;
        str::from_utf8(found?).ok()
    }

    /// Shows every type and value to `see`.
    fn visit(&self, mut see: impl FnMut(ObjectIdentifier, AnyRef<'a>)) -> Result<()> {
        let mut reader = SliceReader::new(self.0)?;
        reader.sequence(|sets| {
            while !sets.is_finished() {
                let set: AnyRef<'a> = sets.decode()?;
                set.tag().assert_eq(Tag::Set)?;
                visit_set(set.value(), &mut see)?;
            }
            Ok::<_, der::Error>(())
        })?;
        reader.finish()
    }
}

/// The members of a SET ascend in DER, so that none is there twice.
fn visit_set<'a>(
    members: &'a [u8],
    see: &mut impl FnMut(ObjectIdentifier, AnyRef<'a>),
) -> Result<()> {
    let mut reader = SliceReader::new(members)?;
    let mut last: Option<&[u8]> = None;
    while !reader.is_finished() {
        let member = reader.tlv_bytes()?;
        if last.is_some_and(|last| last >= member) {
            return Err(ErrorKind::SetOrdering.into());
        }
        let mut parts = SliceReader::new(member)?;
        let (kind, value) =
            parts.sequence(|parts| Ok::<_, der::Error>((parts.decode()?, parts.decode()?)))?;
        see(kind, value);
        last = Some(member);
    }
    Ok(())
}
