//! OpaqueData of NVIDIA's MEASUREMENTS responses: fields of type (u16), length (u16) and value, and what the known ones say.

use super::{Feature, Nvdec0, NvidiaError, Pdi};
use crate::cursor::Cursor;
use std::collections::BTreeMap;

/// DSP0274 1.1 allows no more.
const MAX_OPAQUE_BYTES: usize = 1024;
/// Highest OPAQUE_DATA_VERSION whose fields are known.
const KNOWN_VERSION: u16 = 1;
const STATUS_ON: u8 = 0xAA;
const STATUS_OFF: u8 = 0x55;

// Types of the fields that are read.
const DRIVER_VERSION: u16 = 3;
const VBIOS_VERSION: u16 = 6;
const NVDEC0_STATUS: u16 = 11;
const CHIP_SKU: u16 = 15;
const PROJECT: u16 = 17;
const PROJECT_SKU: u16 = 18;
const FWID: u16 = 20;
const PROTECTED_PCIE_STATUS: u16 = 21;
/// A GPU's: the switch at the other end of each link, least significant byte first. A switch's: its own, as its certificate has it.
const SWITCH_PDI: u16 = 22;
const POSITION_ID: u16 = 24;
const LOCK_SWITCH_STATUS: u16 = 25;
/// A switch's: the GPUs at its ports (8 PDIs), then the place in that list for each of 64 ports.
const SWITCH_GPU_PDIS: u16 = 26;
const OPAQUE_DATA_VERSION: u16 = 34;
const CHIP_INFO: u16 = 35;
const FEATURE_FLAG: u16 = 36;

/// The fields by type, each once.
pub(super) struct OpaqueData<'a>(BTreeMap<u16, &'a [u8]>);

/// What the known fields say; `None` where the device gives no such field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct OpaqueFields {
    pub(super) driver_version: Option<String>,
    /// As NVIDIA writes it: `96.00.9F.00.01`.
    pub(super) vbios_version: Option<String>,
    pub(super) project: Option<String>,
    pub(super) project_sku: Option<String>,
    pub(super) chip_sku: Option<String>,
    pub(super) chip: Option<String>,
    pub(super) fwid: Option<[u8; 48]>,
    pub(super) nvdec0: Option<Nvdec0>,
    pub(super) feature: Option<Feature>,
    pub(super) switch_pdis: Vec<Pdi>,
    pub(super) gpu_pdis: Vec<Pdi>,
    pub(super) position_id: Option<u16>,
    pub(super) lock_status: Option<u16>,
}

impl<'a> OpaqueData<'a> {
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, NvidiaError> {
        let malformed = NvidiaError::ReportOpaque;
        if bytes.len() > MAX_OPAQUE_BYTES {
            return Err(malformed("more than 1024 bytes"));
        }
        let mut rest = Cursor::new(bytes);
        let mut fields = BTreeMap::new();
        while !rest.is_empty() {
            let (kind, value) = field(&mut rest).ok_or(malformed("a field is cut off"))?;
            if fields.insert(kind, value).is_some() {
                return Err(malformed("a type occurs twice"));
            }
        }
        Ok(Self(fields))
    }

    /// Every field as received, those of unknown type too.
    pub(super) fn fields(&self) -> impl Iterator<Item = (u16, &'a [u8])> {
        self.0.iter().map(|(kind, value)| (*kind, *value))
    }

    /// Reads the known fields; one that has another shape than every real one is refused.
    pub(super) fn read(&self) -> Result<OpaqueFields, NvidiaError> {
        self.check_version()?;
        Ok(OpaqueFields {
            driver_version: self.field(DRIVER_VERSION, "DRIVER_VERSION", text)?,
            vbios_version: self.field(VBIOS_VERSION, "VBIOS_VERSION", vbios_version)?,
            project: self.field(PROJECT, "PROJECT", text)?,
            project_sku: self.field(PROJECT_SKU, "PROJECT_SKU", text)?,
            chip_sku: self.field(CHIP_SKU, "CHIP_SKU", text)?,
            chip: self.field(CHIP_INFO, "CHIP_INFO", text)?,
            fwid: self.field(FWID, "FWID", |value| value.try_into().ok())?,
            nvdec0: self.field(NVDEC0_STATUS, "NVDEC0_STATUS", nvdec0)?,
            feature: self.feature()?,
            switch_pdis: self
                .field(SWITCH_PDI, "SWITCH_PDI", pdis)?
                .unwrap_or_default(),
            gpu_pdis: self
                .field(SWITCH_GPU_PDIS, "SWITCH_GPU_PDIS", gpu_pdis)?
                .unwrap_or_default(),
            position_id: self.field(POSITION_ID, "POSITION_ID", number)?,
            lock_status: self.field(LOCK_SWITCH_STATUS, "LOCK_SWITCH_STATUS", number)?,
        })
    }

    fn check_version(&self) -> Result<(), NvidiaError> {
        match self.field(OPAQUE_DATA_VERSION, "OPAQUE_DATA_VERSION", number)? {
            Some(version) if version > KNOWN_VERSION => Err(NvidiaError::OpaqueVersion(version)),
            _ => Ok(()),
        }
    }

    /// FEATURE_FLAG; older firmware tells PPCIE alone, by PROTECTED_PCIE_STATUS.
    fn feature(&self) -> Result<Option<Feature>, NvidiaError> {
        let flag = self.field(FEATURE_FLAG, "FEATURE_FLAG", feature)?;
        let protected = self.field(PROTECTED_PCIE_STATUS, "PROTECTED_PCIE_STATUS", is_on)?;
        Ok(flag.or(protected.map(|is_on| if is_on { Feature::Ppcie } else { Feature::Spt })))
    }

    fn field<T>(
        &self,
        kind: u16,
        name: &'static str,
        read: impl Fn(&[u8]) -> Option<T>,
    ) -> Result<Option<T>, NvidiaError> {
        let value = self.0.get(&kind);
        value
            .map(|value| read(value).ok_or(NvidiaError::ReportFields(name)))
            .transpose()
    }
}

fn field<'a>(rest: &mut Cursor<'a>) -> Option<(u16, &'a [u8])> {
    let kind = rest.u16_le()?;
    let length = rest.u16_le()?;
    Some((kind, rest.bytes(length.into())?))
}

/// ASCII, padded with zero bytes.
fn text(value: &[u8]) -> Option<String> {
    let end = value
        .iter()
        .rposition(|byte| *byte != 0)
        .map_or(0, |last| last + 1);
    let text = value.get(..end)?;
    let is_text = !text.is_empty() && text.iter().all(u8::is_ascii_graphic);
    is_text.then(|| text.iter().copied().map(char::from).collect())
}

/// A GPU gives two little-endian words, of which the second has one byte; a switch gives the text.
fn vbios_version(value: &[u8]) -> Option<String> {
    match *value {
        [d, c, b, a, e, 0, 0, 0] => Some(format!("{a:02X}.{b:02X}.{c:02X}.{d:02X}.{e:02X}")),
        _ => {
            let text = text(value)?.to_ascii_uppercase();
            let is_pair =
                |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
            let is_version = text.split('.').count() == 5 && text.split('.').all(is_pair);
            is_version.then_some(text)
        }
    }
}

fn number(value: &[u8]) -> Option<u16> {
    value.try_into().ok().map(u16::from_le_bytes)
}

fn feature(value: &[u8]) -> Option<Feature> {
    match number(value)? {
        0 => Some(Feature::Spt),
        1 => Some(Feature::Mpt),
        2 => Some(Feature::Ppcie),
        _ => None,
    }
}

fn is_on(value: &[u8]) -> Option<bool> {
    match *value {
        [STATUS_ON] => Some(true),
        [STATUS_OFF] => Some(false),
        _ => None,
    }
}

fn nvdec0(value: &[u8]) -> Option<Nvdec0> {
    is_on(value).map(|is_on| {
        if is_on {
            Nvdec0::Enabled
        } else {
            Nvdec0::Disabled
        }
    })
}

fn pdis(value: &[u8]) -> Option<Vec<Pdi>> {
    let (pdis, []) = value.as_chunks() else {
        return None;
    };
    (!pdis.is_empty()).then(|| pdis.iter().copied().map(Pdi).collect())
}

fn gpu_pdis(value: &[u8]) -> Option<Vec<Pdi>> {
    let value: &[u8; 128] = value.try_into().ok()?;
    let (gpus, _ports) = value.split_at(64);
    pdis(gpus)
}

#[cfg(test)]
mod tests {
    use super::{OpaqueData, text, vbios_version};

    fn field(kind: u16, value: &[u8]) -> Vec<u8> {
        let length = value.len() as u16;
        [&kind.to_le_bytes(), &length.to_le_bytes(), value].concat()
    }

    fn code(bytes: &[u8]) -> Option<&'static str> {
        let read = OpaqueData::parse(bytes).and_then(|data| data.read());
        read.err().map(|error| error.code())
    }

    #[test]
    fn unknown_types_are_kept_and_doubled_ones_refused() {
        let unknown = field(0x7FFF, b"??");
        let data = OpaqueData::parse(&unknown).unwrap();
        assert_eq!(data.fields().collect::<Vec<_>>(), [(0x7FFF, &b"??"[..])]);
        assert_eq!(code(&unknown), None);
        let doubled = [unknown.clone(), unknown].concat();
        assert_eq!(code(&doubled), Some("nvidia.report.opaque"));
    }

    #[test]
    fn fields_end_where_the_data_ends() {
        let whole = [field(3, b"550.90.07\0"), field(0x7FFF, &[])].concat();
        assert_eq!(code(&whole), None);
        for cut in 1..whole.len() {
            let expected = [14, whole.len()].contains(&cut);
            assert_eq!(code(&whole[..cut]).is_none(), expected, "{cut}");
        }
        assert_eq!(
            code(&field(0x7FFF, &[0; 1021])),
            Some("nvidia.report.opaque")
        );
    }

    #[test]
    fn known_fields_have_their_shape() {
        let wrong: [(u16, &[u8]); 14] = [
            (3, b"\0"),
            (3, b"550 90"),
            (6, b"96.00.9F.00"),
            (6, &[0, 0x9F, 0, 0x96, 1, 1, 0, 0]),
            (6, b"96.00.9G.00.01"),
            (11, &[0]),
            (11, &[0x55, 0]),
            (20, &[1; 47]),
            (21, &[1]),
            (22, &[1; 7]),
            (22, &[]),
            (26, &[1; 127]),
            (34, &[1]),
            (36, &[3, 0]),
        ];
        for (kind, value) in wrong {
            let found = code(&field(kind, value));
            assert_eq!(found, Some("nvidia.report.fields"), "{kind} {value:x?}");
        }
        assert_eq!(
            code(&field(34, &[2, 0])),
            Some("nvidia.report.opaque_version")
        );
    }

    #[test]
    fn versions_are_written_as_nvidia_writes_them() {
        let binary = vbios_version(&[0x00, 0x9F, 0x00, 0x96, 0x01, 0, 0, 0]);
        assert_eq!(binary.as_deref(), Some("96.00.9F.00.01"));
        let written = vbios_version(b"96.10.6d.00.01");
        assert_eq!(written.as_deref(), Some("96.10.6D.00.01"));
        assert_eq!(text(b"882\0\0\0").as_deref(), Some("882"));
        assert_eq!(text(b"8\x002"), None);
    }
}
