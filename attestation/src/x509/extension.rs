//! Extensions of certificates, of lists and of their entries (RFC 5280 sections 4.2, 5.2 and 5.3).

use der::{
    DecodeValue, FixedTag, Header, Reader, Result, Tag,
    asn1::{ObjectIdentifier, OctetStringRef},
};

/// One extension over the bytes received.
pub(super) struct Extension<'a> {
    pub(super) oid: ObjectIdentifier,
    pub(super) critical: bool,
    /// DER, without the octet string around it.
    pub(super) value: &'a [u8],
}

impl FixedTag for Extension<'_> {
    const TAG: Tag = Tag::Sequence;
}

impl<'a> DecodeValue<'a> for Extension<'a> {
    type Error = der::Error;

    fn decode_value<R: Reader<'a>>(reader: &mut R, _header: Header) -> Result<Self> {
        let oid = reader.decode()?;
        let critical: Option<bool> = reader.decode()?;
        let value: &OctetStringRef = reader.decode()?;
        Ok(Self {
            oid,
            critical: critical.unwrap_or_default(),
            value: value.as_bytes(),
        })
    }
}

/// Most extensions of one certificate, list or list entry: more than twice what any vendor uses. Finding a doubled one takes every pair.
pub(super) const MAX_EXTENSIONS: usize = 32;

/// The extensions, none of them twice; `None` if one is, or if there are too many.
pub(super) fn unique(extensions: Option<Vec<Extension<'_>>>) -> Option<Vec<Extension<'_>>> {
    let extensions = extensions.unwrap_or_default();
    if extensions.len() > MAX_EXTENSIONS {
        return None;
    }
    let doubled = |(index, extension): (usize, &Extension<'_>)| {
        let mut later = extensions.iter().skip(index + 1);
        later.any(|other| other.oid == extension.oid)
    };
    let any_doubled = extensions.iter().enumerate().any(doubled);
    (!any_doubled).then_some(extensions)
}

#[cfg(test)]
mod tests {
    use super::{Extension, MAX_EXTENSIONS, unique};

    fn extensions(count: usize) -> Vec<Extension<'static>> {
        let extension = |number: usize| Extension {
            oid: format!("1.2.3.{number}").parse().unwrap(),
            critical: false,
            value: b"",
        };
        (0..count).map(extension).collect()
    }

    #[test]
    fn a_doubled_extension_and_too_many_are_refused() {
        assert!(unique(Some(extensions(MAX_EXTENSIONS))).is_some());
        assert!(unique(Some(extensions(MAX_EXTENSIONS + 1))).is_none());
        let mut doubled = extensions(2);
        doubled.extend(extensions(1));
        assert!(unique(Some(doubled)).is_none());
    }
}
