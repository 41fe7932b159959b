//! The certificate table that the host hands out beside an SNP report (GHCB specification 56421, section 4.1.8.1): entries of 24 bytes
//! (GUID of 16 in RFC 4122 byte order, offset and length as little-endian u32, counted from the table's start), ended by one of zeros,
//! then the certificates. It comes from the untrusted host: every offset is checked.

/// Largest table, as in Linux (`SEV_FW_BLOB_MAX_SIZE`), in bytes.
pub(crate) const MAX_TABLE_BYTES: usize = 16 * 1024;
const MAX_ENTRIES: usize = 32;
const ENTRY_BYTES: usize = 24;
const END: [u8; ENTRY_BYTES] = [0; ENTRY_BYTES];

const VCEK: [u8; 16] = 0x63da_758d_e664_4564_adc5_f4b9_3be8_accd_u128.to_be_bytes();
const VLEK: [u8; 16] = 0xa807_4bc2_a25a_483e_aae6_39c0_45a0_b8a1_u128.to_be_bytes();
const ASK: [u8; 16] = 0x4ab7_b379_bbac_4fe4_a02f_05ae_f327_c782_u128.to_be_bytes();

/// The certificates of a table that evidence needs, DER; entries of other kinds are passed over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CertTable {
    /// Versioned chip endorsement key.
    pub vcek: Option<Vec<u8>>,
    /// Versioned loaded endorsement key.
    pub vlek: Option<Vec<u8>>,
    /// The intermediate above it: ASK or ASVK.
    pub ask: Option<Vec<u8>>,
}

/// Why a table was refused; `code()` is stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertTableError {
    /// Above [`MAX_TABLE_BYTES`].
    #[error("the certificate table is larger than {MAX_TABLE_BYTES} bytes")]
    TooLarge,
    /// The entry of zeros is absent, or comes too late.
    #[error("the certificate table has no end within {MAX_ENTRIES} entries")]
    NoEnd,
    /// An entry points before the table's end or behind the bytes received.
    #[error("an entry of the certificate table points outside of it")]
    OutOfBounds,
    /// Two entries of one kind.
    #[error("the certificate table has two entries of one kind")]
    Doubled,
    /// Not one DER certificate without anything behind it.
    #[error("an entry of the certificate table is not exactly one DER certificate")]
    NotDer,
}

struct Entry {
    guid: [u8; 16],
    offset: usize,
    length: usize,
}

impl CertTableError {
    /// Stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooLarge => "cert_table.too_large",
            Self::NoEnd => "cert_table.no_end",
            Self::OutOfBounds => "cert_table.out_of_bounds",
            Self::Doubled => "cert_table.doubled",
            Self::NotDer => "cert_table.not_der",
        }
    }
}

impl CertTable {
    /// Parses the bytes of `auxblob`; no bytes are an empty table.
    pub fn parse(bytes: &[u8]) -> Result<Self, CertTableError> {
        if bytes.is_empty() {
            return Ok(Self::default());
        }
        if bytes.len() > MAX_TABLE_BYTES {
            return Err(CertTableError::TooLarge);
        }
        let (entries, table_bytes) = entries(bytes)?;
        let mut table = Self::default();
        for entry in &entries {
            table.take(entry, certificate_bytes(bytes, table_bytes, entry)?)?;
        }
        Ok(table)
    }

    fn take(&mut self, entry: &Entry, bytes: &[u8]) -> Result<(), CertTableError> {
        let slot = match entry.guid {
            VCEK => &mut self.vcek,
            VLEK => &mut self.vlek,
            ASK => &mut self.ask,
            _other => return Ok(()),
        };
        if !is_one_der_sequence(bytes) {
            return Err(CertTableError::NotDer);
        }
        match slot.replace(bytes.to_vec()) {
            Some(_first) => Err(CertTableError::Doubled),
            None => Ok(()),
        }
    }
}

/// The entries before the end, and the bytes that they and the end take.
fn entries(bytes: &[u8]) -> Result<(Vec<Entry>, usize), CertTableError> {
    let (records, _rest) = bytes.as_chunks::<ENTRY_BYTES>();
    let mut entries = Vec::new();
    for record in records.iter().take(MAX_ENTRIES + 1) {
        if *record == END {
            let table_bytes = (entries.len() + 1) * ENTRY_BYTES;
            return Ok((entries, table_bytes));
        }
        entries.push(Entry::parse(record));
    }
    Err(CertTableError::NoEnd)
}

fn certificate_bytes<'a>(
    bytes: &'a [u8],
    table_bytes: usize,
    entry: &Entry,
) -> Result<&'a [u8], CertTableError> {
    let end = entry.offset.saturating_add(entry.length);
    if entry.offset < table_bytes {
        return Err(CertTableError::OutOfBounds);
    }
    bytes
        .get(entry.offset..end)
        .ok_or(CertTableError::OutOfBounds)
}

impl Entry {
    fn parse(record: &[u8; ENTRY_BYTES]) -> Self {
        let [.., o0, o1, o2, o3, l0, l1, l2, l3] = *record;
        let mut guid = [0; 16];
        guid.iter_mut()
            .zip(record)
            .for_each(|(to, from)| *to = *from);
        Self {
            guid,
            offset: u32::from_le_bytes([o0, o1, o2, o3]) as usize,
            length: u32::from_le_bytes([l0, l1, l2, l3]) as usize,
        }
    }
}

/// Whether `bytes` are one SEQUENCE with a two-byte length (X.690 section 8.1.3.5) and nothing more: the outer shape of every
/// certificate of 256 to 65535 bytes.
pub(crate) fn is_one_der_sequence(bytes: &[u8]) -> bool {
    match bytes {
        [0x30, 0x82, high, low, content @ ..] => {
            content.len() == usize::from(u16::from_be_bytes([*high, *low]))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn der(fill: u8) -> Vec<u8> {
        let mut bytes = vec![0x30, 0x82, 0x01, 0x00];
        bytes.extend([fill; 256]);
        bytes
    }

    fn table(certificates: &[([u8; 16], Vec<u8>)]) -> Vec<u8> {
        let mut offset = (certificates.len() + 1) * ENTRY_BYTES;
        let mut bytes = Vec::new();
        for (guid, der) in certificates {
            bytes.extend(guid);
            bytes.extend(u32::try_from(offset).unwrap().to_le_bytes());
            bytes.extend(u32::try_from(der.len()).unwrap().to_le_bytes());
            offset += der.len();
        }
        bytes.extend(END);
        certificates.iter().for_each(|(_, der)| bytes.extend(der));
        bytes
    }

    #[test]
    fn reads_the_kinds_it_knows_and_passes_over_others() {
        let bytes = table(&[
            ([7; 16], vec![1, 2, 3]),
            (VLEK, der(1)),
            (ASK, der(2)),
            (VCEK, der(3)),
        ]);
        let parsed = CertTable::parse(&bytes).unwrap();
        assert_eq!(parsed.vlek, Some(der(1)));
        assert_eq!(parsed.ask, Some(der(2)));
        assert_eq!(parsed.vcek, Some(der(3)));
    }

    #[test]
    fn guids_are_those_of_the_specification() {
        let text = |guid: [u8; 16]| hex::encode(guid);
        assert_eq!(text(VCEK), "63da758de6644564adc5f4b93be8accd");
        assert_eq!(text(VLEK), "a8074bc2a25a483eaae639c045a0b8a1");
        assert_eq!(text(ASK), "4ab7b379bbac4fe4a02f05aef327c782");
    }

    #[test]
    fn no_bytes_are_an_empty_table() {
        assert_eq!(CertTable::parse(&[]), Ok(CertTable::default()));
    }

    #[test]
    fn refuses_what_is_too_large() {
        let bytes = vec![0; MAX_TABLE_BYTES + 1];
        assert_eq!(CertTable::parse(&bytes), Err(CertTableError::TooLarge));
    }

    #[test]
    fn refuses_a_table_without_end() {
        let bytes = vec![1; ENTRY_BYTES * 4];
        assert_eq!(CertTable::parse(&bytes), Err(CertTableError::NoEnd));
        let late = table(&vec![([7; 16], vec![]); MAX_ENTRIES + 1]);
        assert_eq!(CertTable::parse(&late), Err(CertTableError::NoEnd));
        assert_eq!(CertTable::parse(&[0; 5]), Err(CertTableError::NoEnd));
    }

    #[test]
    fn refuses_entries_that_point_outside() {
        let good = table(&[(VCEK, der(1))]);
        for (at, value) in [
            (16, 0_u32),
            (16, 24),
            (16, u32::MAX),
            (20, u32::MAX),
            (20, 261),
        ] {
            let mut bytes = good.clone();
            bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
            assert_eq!(CertTable::parse(&bytes), Err(CertTableError::OutOfBounds));
        }
    }

    #[test]
    fn refuses_a_doubled_kind() {
        let bytes = table(&[(VCEK, der(1)), (VCEK, der(1))]);
        assert_eq!(CertTable::parse(&bytes), Err(CertTableError::Doubled));
    }

    #[test]
    fn refuses_what_is_not_one_certificate() {
        for bad in [
            b"-----BEGIN CERTIFICATE-----".to_vec(),
            [der(1), vec![0]].concat(),
        ] {
            let bytes = table(&[(VCEK, bad)]);
            assert_eq!(CertTable::parse(&bytes), Err(CertTableError::NotDer));
        }
    }
}
