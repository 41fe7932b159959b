//! The file at the end of a UEFI device path (UEFI 2.10 section 10.3).

use super::variable::utf16;
use crate::cursor::Cursor;

const MEDIA: u8 = 4;
const MEDIA_FILE_PATH: u8 = 4;

/// Every file path node, joined; `None` if the path names no file or is malformed.
pub(super) fn file(path: &[u8]) -> Option<String> {
    let mut cursor = Cursor::new(path);
    let mut file = String::new();
    while !cursor.is_empty() {
        let [kind, subtype, low, high] = cursor.array()?;
        let length = usize::from(u16::from_le_bytes([low, high])).checked_sub(4)?;
        let node = cursor.bytes(length)?;
        if (kind, subtype) == (MEDIA, MEDIA_FILE_PATH) {
            file.push_str(&utf16(node));
        }
    }
    (!file.is_empty()).then_some(file)
}

/// The path in a `UEFI_IMAGE_LOAD_EVENT` (PFP section 10.2.3): three addresses and lengths, then the path's length and the path.
pub(super) fn of_image(event: &[u8]) -> Option<&[u8]> {
    let mut cursor = Cursor::new(event);
    let _location_length_link: [u8; 24] = cursor.array()?;
    let length = cursor.length_u64_le()?;
    cursor.bytes(length)
}
