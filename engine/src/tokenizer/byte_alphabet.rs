//! GPT-2's byte alphabet: every byte as one printable character, so that tokens of any bytes are text.
//!
//! A byte that is a visible Latin-1 character stands for itself; the other 68 are U+0100, U+0101 .. in ascending order.

/// The byte that `character` stands for.
pub(super) fn byte(character: char) -> Option<u8> {
    let point = u32::from(character);
    match u8::try_from(point) {
        Ok(byte) if is_visible(byte) => Some(byte),
        Ok(_) => None,
        Err(_) => hidden_byte(point.checked_sub(0x100)?),
    }
}

/// The character that stands for `byte`.
pub(super) fn character(byte: u8) -> char {
    let point = u32::from(byte);
    let hidden = match byte {
        _ if is_visible(byte) => return char::from(byte),
        0..=0x20 => point,
        0xad => 0x43,
        _ => point.saturating_sub(0x7f - 0x21),
    };
    char::from_u32(hidden.saturating_add(0x100)).unwrap_or(char::REPLACEMENT_CHARACTER)
}

fn is_visible(byte: u8) -> bool {
    matches!(byte, 0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff)
}

/// The `index`th byte that is not visible.
fn hidden_byte(index: u32) -> Option<u8> {
    let byte = match index {
        0..=0x20 => index,
        0x21..=0x42 => index.checked_add(0x7f - 0x21)?,
        0x43 => 0xad,
        _ => return None,
    };
    u8::try_from(byte).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_exactly_one_character() {
        let mut bytes: Vec<u8> = (0..=char::MAX as u32)
            .filter_map(char::from_u32)
            .filter_map(byte)
            .collect();
        bytes.sort_unstable();
        assert_eq!(bytes, (0..=255).collect::<Vec<u8>>());
    }

    #[test]
    fn characters_give_their_bytes_back() {
        for wanted in 0..=255 {
            assert_eq!(byte(character(wanted)), Some(wanted));
        }
    }

    #[test]
    fn hidden_bytes_come_in_ascending_order() {
        let expected: Vec<u8> = (0..=255).filter(|b| !is_visible(*b)).collect();
        let hidden: Vec<u8> = ('\u{100}'..='\u{143}').filter_map(byte).collect();
        assert_eq!(hidden, expected);
        assert_eq!(byte('Ġ'), Some(b' '));
        assert_eq!(byte('Ċ'), Some(b'\n'));
    }
}
