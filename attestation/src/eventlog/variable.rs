//! `UEFI_VARIABLE_DATA` (PFP section 10.2.6).

use crate::cursor::Cursor;

/// A UEFI variable as an event tells it.
pub(super) struct Variable<'a> {
    pub(super) name: String,
    pub(super) data: &'a [u8],
}

impl<'a> Variable<'a> {
    /// VariableName (a GUID), UnicodeNameLength in characters, VariableDataLength in bytes, UnicodeName, VariableData.
    pub(super) fn parse(event: &'a [u8]) -> Option<Self> {
        let mut cursor = Cursor::new(event);
        let _guid: [u8; 16] = cursor.array()?;
        let name_chars = cursor.length_u64_le()?;
        let data_bytes = cursor.length_u64_le()?;
        let name = utf16(cursor.bytes(name_chars.checked_mul(2)?)?);
        let data = cursor.bytes(data_bytes)?;
        cursor.is_empty().then_some(Self { name, data })
    }
}

/// UTF-16LE up to its first zero; what is not Unicode is shown as U+FFFD.
pub(super) fn utf16(bytes: &[u8]) -> String {
    let (units, _) = bytes.as_chunks();
    let units = units.iter().map(|unit| u16::from_le_bytes(*unit));
    let text: Vec<u16> = units.take_while(|unit| *unit != 0).collect();
    String::from_utf16_lossy(&text)
}
