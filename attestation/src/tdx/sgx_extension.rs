//! The SGX extensions of a PCK certificate (Intel SGX PCK certificate and CRL profile specification, section 1.3.5), strict DER.

use der::{
    Decode, Reader, SliceReader, Tag,
    asn1::{ObjectIdentifier, OctetStringRef},
};

/// `1.2.840.113741.1.13.1`.
pub(super) const SGX_EXTENSIONS: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113741.1.13.1");

/// What a PCK certificate says of its platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SgxExtension {
    pub(super) ppid: [u8; 16],
    /// SGX TCB components 1 to 16, to compare with those of TCB info.
    pub(super) components: [u8; 16],
    pub(super) pce_svn: u16,
    pub(super) cpu_svn: [u8; 16],
    pub(super) pce_id: [u8; 2],
    pub(super) fmspc: [u8; 6],
    /// 0 standard, 1 scalable, 2 scalable with integrity.
    pub(super) sgx_type: u8,
    /// Platform CA only.
    pub(super) platform_instance_id: Option<[u8; 16]>,
    /// Platform CA only.
    pub(super) configuration: Option<Configuration>,
}

/// `1.2.840.113741.1.13.1.7`, each absent if the certificate does not tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Configuration {
    pub(super) dynamic_platform: Option<bool>,
    pub(super) cached_keys: Option<bool>,
    pub(super) smt_enabled: Option<bool>,
}

/// `SEQUENCE OF SEQUENCE { OBJECT IDENTIFIER below parent, ANY }`, no identifier twice: last arc and value.
struct Entries<'a>(Vec<(u32, &'a [u8])>);

impl SgxExtension {
    /// Parses the extension's value; a missing, doubled or malformed entry is told by its name.
    pub(super) fn parse(der: &[u8]) -> Result<Self, &'static str> {
        let entries = Entries::parse(der, SGX_EXTENSIONS).ok_or("sequence")?;
        let tcb = entries.of(2).ok_or("TCB")?;
        let tcb =
            Entries::parse(tcb, SGX_EXTENSIONS.push_arc(2).map_err(|_| "TCB")?).ok_or("TCB")?;
        Ok(Self {
            ppid: entries.octets(1).ok_or("PPID")?,
            components: components(&tcb).ok_or("TCB components")?,
            pce_svn: tcb.value(17).ok_or("PCESVN")?,
            cpu_svn: tcb.octets(18).ok_or("CPUSVN")?,
            pce_id: entries.octets(3).ok_or("PCEID")?,
            fmspc: entries.octets(4).ok_or("FMSPC")?,
            sgx_type: sgx_type(&entries).ok_or("SGX type")?,
            platform_instance_id: entries
                .optional(6, Entries::octets)
                .ok_or("platform instance id")?,
            configuration: entries
                .optional(7, |entries, arc| Configuration::parse(entries.of(arc)?))
                .ok_or("configuration")?,
        })
    }
}

impl Configuration {
    fn parse(der: &[u8]) -> Option<Self> {
        let entries = Entries::parse(der, SGX_EXTENSIONS.push_arc(7).ok()?)?;
        Some(Self {
            dynamic_platform: entries.optional(1, Entries::value)?,
            cached_keys: entries.optional(2, Entries::value)?,
            smt_enabled: entries.optional(3, Entries::value)?,
        })
    }
}

impl<'a> Entries<'a> {
    fn parse(der: &'a [u8], parent: ObjectIdentifier) -> Option<Self> {
        let mut reader = SliceReader::new(der).ok()?;
        let mut entries = Self(Vec::new());
        let read = reader.sequence(|items| {
            while !items.is_finished() {
                let entry = items.sequence(|entry| {
                    let oid: ObjectIdentifier = entry.decode()?;
                    Ok::<_, der::Error>((oid, entry.tlv_bytes()?))
                })?;
                entries
                    .push(parent, entry)
                    .ok_or_else(|| Tag::ObjectIdentifier.value_error().to_error())?;
            }
            Ok::<_, der::Error>(())
        });
        read.ok()?;
        reader.finish().ok().map(|()| entries)
    }

    fn push(
        &mut self,
        parent: ObjectIdentifier,
        (oid, value): (ObjectIdentifier, &'a [u8]),
    ) -> Option<()> {
        let arc = oid.arcs().last()?;
        let is_new = oid.parent() == Some(parent) && self.of(arc).is_none();
        is_new.then(|| self.0.push((arc, value)))
    }

    /// The value below `arc`, DER.
    fn of(&self, arc: u32) -> Option<&'a [u8]> {
        let found = self.0.iter().find(|(other, _)| *other == arc);
        found.map(|(_, value)| *value)
    }

    fn value<T: Decode<'a>>(&self, arc: u32) -> Option<T> {
        T::from_der(self.of(arc)?).ok()
    }

    fn octets<const N: usize>(&self, arc: u32) -> Option<[u8; N]> {
        let octets: &OctetStringRef = <&OctetStringRef>::from_der(self.of(arc)?).ok()?;
        octets.as_bytes().try_into().ok()
    }

    /// `Some(None)` if there is no entry, `None` if it is malformed.
    fn optional<T>(
        &self,
        arc: u32,
        read: impl FnOnce(&Self, u32) -> Option<T>,
    ) -> Option<Option<T>> {
        match self.of(arc) {
            None => Some(None),
            Some(_) => read(self, arc).map(Some),
        }
    }
}

fn components(tcb: &Entries<'_>) -> Option<[u8; 16]> {
    let mut components = [0; 16];
    for (component, arc) in components.iter_mut().zip(1..) {
        *component = tcb.value(arc)?;
    }
    Some(components)
}

/// `ENUMERATED` of one byte.
fn sgx_type(entries: &Entries<'_>) -> Option<u8> {
    match entries.of(5)? {
        [0x0A, 0x01, kind @ 0..=2] => Some(*kind),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{SGX_EXTENSIONS, SgxExtension};
    use der::{Encode as _, asn1::ObjectIdentifier};

    fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
        match content.len() {
            length @ 0..128 => [&[tag, length as u8], content].concat(),
            length => [&[tag, 0x82, (length >> 8) as u8, length as u8], content].concat(),
        }
    }

    fn entry(arcs: &[u32], value: &[u8]) -> Vec<u8> {
        let below = |oid: ObjectIdentifier, arc: &u32| oid.push_arc(*arc).unwrap();
        let oid = arcs.iter().fold(SGX_EXTENSIONS, below);
        tlv(0x30, &[&oid.to_der().unwrap(), value].concat())
    }

    /// The entries of a well-formed extension; component 3 has an SVN of two bytes in DER.
    fn entries() -> Vec<Vec<u8>> {
        let mut tcb: Vec<_> = (1..=16).map(|arc| entry(&[2, arc], &[2, 1, 4])).collect();
        tcb[2] = entry(&[2, 3], &[2, 2, 0, 0xFF]);
        tcb.push(entry(&[2, 17], &[2, 2, 1, 0]));
        tcb.push(entry(&[2, 18], &tlv(4, &[9; 16])));
        let flags = [entry(&[7, 1], &[1, 1, 0xFF]), entry(&[7, 3], &[1, 1, 0])];
        vec![
            entry(&[1], &tlv(4, &[1; 16])),
            entry(&[2], &tlv(0x30, &tcb.concat())),
            entry(&[3], &tlv(4, &[0; 2])),
            entry(&[4], &tlv(4, &[6; 6])),
            entry(&[5], &[0x0A, 1, 1]),
            entry(&[6], &tlv(4, &[7; 16])),
            entry(&[7], &tlv(0x30, &flags.concat())),
        ]
    }

    fn parse(entries: &[Vec<u8>]) -> Result<SgxExtension, &'static str> {
        SgxExtension::parse(&tlv(0x30, &entries.concat()))
    }

    #[test]
    fn every_entry_is_read() {
        let sgx = parse(&entries()).unwrap();
        assert_eq!((sgx.ppid, sgx.fmspc), ([1; 16], [6; 6]));
        assert_eq!(
            (sgx.components[2], sgx.components[15], sgx.pce_svn),
            (255, 4, 256)
        );
        assert_eq!(sgx.platform_instance_id, Some([7; 16]));
        let configuration = sgx.configuration.unwrap();
        assert_eq!(configuration.dynamic_platform, Some(true));
        assert_eq!(configuration.cached_keys, None);
        assert_eq!(configuration.smt_enabled, Some(false));
        let without = parse(&entries()[..5]).unwrap();
        assert!(without.platform_instance_id.is_none() && without.configuration.is_none());
    }

    #[test]
    fn an_entry_that_is_missing_doubled_or_of_another_form_is_refused() {
        for index in 0..5 {
            let mut missing = entries();
            missing.remove(index);
            assert!(parse(&missing).is_err(), "{index}");
        }
        for index in 0..7 {
            let mut doubled = entries();
            doubled.push(doubled[index].clone());
            assert!(parse(&doubled).is_err(), "{index}");
        }
        for (index, entry) in [
            (0, entry(&[1], &tlv(4, &[1; 15]))),
            (2, entry(&[3], &tlv(0x30, &[0; 2]))),
            (4, entry(&[5], &[0x0A, 1, 3])),
            (4, entry(&[5], &[2, 1, 1])),
            (5, entry(&[6], &tlv(4, &[7; 17]))),
            (6, entry(&[7], &tlv(0x30, &entry(&[7, 1], &[1, 1, 1])))),
            (6, entry(&[7], &tlv(0x30, &entry(&[1], &[1, 1, 0])))),
            (0, tlv(0x30, &[6, 1, 42, 4, 0])),
        ] {
            let mut changed = entries();
            changed[index] = entry;
            assert!(parse(&changed).is_err(), "{index}");
        }
    }

    #[test]
    fn bytes_behind_it_are_refused() {
        let der = tlv(0x30, &entries().concat());
        assert!(SgxExtension::parse(&[der.as_slice(), &[0]].concat()).is_err());
        assert!(SgxExtension::parse(&der[..der.len() - 1]).is_err());
        assert!(SgxExtension::parse(b"").is_err());
    }
}
