//! Events in words, for people.

use super::{
    Event, EventType, device_path, partition_table,
    variable::{Variable, utf16},
};
use crate::cursor::Cursor;

const MAX_CHARS: usize = 800;

pub(super) fn of(event: &Event) -> String {
    let text = specific(event).unwrap_or_else(|| text(&event.data));
    printable(&text)
}

/// `None` where the data is not what the type promises.
fn specific(event: &Event) -> Option<String> {
    let data = event.data.as_slice();
    match event.kind {
        EventType::SEPARATOR => Some(separator(data)),
        EventType::EFI_VARIABLE_DRIVER_CONFIG
        | EventType::EFI_VARIABLE_BOOT
        | EventType::EFI_VARIABLE_BOOT2
        | EventType::EFI_VARIABLE_AUTHORITY => Variable::parse(data).map(|it| variable(&it)),
        EventType::EFI_BOOT_SERVICES_APPLICATION
        | EventType::EFI_BOOT_SERVICES_DRIVER
        | EventType::EFI_RUNTIME_SERVICES_DRIVER => image(data),
        EventType::EFI_GPT_EVENT => partition_table::names(data).map(|names| partitions(&names)),
        EventType::EFI_PLATFORM_FIRMWARE_BLOB2 | EventType::EFI_HANDOFF_TABLES2 => {
            counted(data).map(text)
        }
        EventType::EVENT_TAG => tagged(data).map(text),
        EventType::PLATFORM_CONFIG_FLAGS => td_shim(data),
        _ => None,
    }
}

fn separator(data: &[u8]) -> String {
    match data {
        [0, 0, 0, 0] | [0xFF, 0xFF, 0xFF, 0xFF] => "end of the firmware's measurements".into(),
        _ => format!("an error was measured: {}", text(data)),
    }
}

fn variable(variable: &Variable<'_>) -> String {
    let value = match variable.data {
        [] => "empty".into(),
        short @ ([_] | [_, _] | [_, _, _, _]) => {
            let digits: Vec<String> = short.iter().map(|byte| format!("{byte:02x}")).collect();
            digits.concat()
        }
        long => match device_path_option(long) {
            Some(option) => option,
            None => format!("{} bytes", long.len()),
        },
    };
    format!("{}: {value}", variable.name)
}

/// The description of an `EFI_LOAD_OPTION` (UEFI 2.10 section 3.1.3): attributes, length of the path, text, path.
fn device_path_option(data: &[u8]) -> Option<String> {
    let mut cursor = Cursor::new(data);
    let _attributes = cursor.u32_le()?;
    let path_bytes = usize::from(cursor.u16_le()?);
    let description = utf16(cursor.rest());
    cursor.bytes(
        description
            .encode_utf16()
            .count()
            .checked_mul(2)?
            .checked_add(2)?,
    )?;
    let path = cursor.bytes(path_bytes)?;
    path.ends_with(&[0x7F, 0xFF, 4, 0]).then_some(description)
}

fn image(data: &[u8]) -> Option<String> {
    let path = device_path::of_image(data)?;
    Some(device_path::file(path).unwrap_or_else(|| "an image with no file name".into()))
}

fn partitions(names: &[String]) -> String {
    format!("{} partitions: {}", names.len(), names.join(", "))
}

/// A description after its length in one byte.
fn counted(data: &[u8]) -> Option<&[u8]> {
    let mut cursor = Cursor::new(data);
    let length = cursor.u8()?;
    cursor.bytes(length.into())
}

/// `TCG_PCClientTaggedEvent`: identifier, length, data.
fn tagged(data: &[u8]) -> Option<&[u8]> {
    let mut cursor = Cursor::new(data);
    let _tag = cursor.u32_le()?;
    let length = cursor.length_u32_le()?;
    let text = cursor.bytes(length)?;
    cursor.is_empty().then_some(text)
}

/// `TdShimPlatformConfigInfoHeader` of td-shim: a name of 16 bytes, a length, and the HOB list or the command line.
fn td_shim(data: &[u8]) -> Option<String> {
    let mut cursor = Cursor::new(data);
    let name: [u8; 16] = cursor.array()?;
    let length = cursor.length_u32_le()?;
    let content = cursor.bytes(length)?;
    let is_whole = cursor.is_empty();
    is_whole.then(|| format!("{} {}", text(&name), text(content)))
}

/// ASCII or UTF-16 text up to its first zero; how many bytes there are, if it is neither.
fn text(data: &[u8]) -> String {
    let ascii: Vec<u8> = data.iter().copied().take_while(|byte| *byte != 0).collect();
    let wide = utf16(data);
    match String::from_utf8(ascii) {
        Ok(text) if text.len() > 1 || data.len() <= 2 => text,
        _ if is_words(&wide) => wide,
        _ => format!("{} bytes", data.len()),
    }
}

fn is_words(text: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|character| character.is_ascii_graphic() || character == ' ')
}

/// Control characters escaped, cut where it grows too long.
fn printable(text: &str) -> String {
    let escaped = text.chars().flat_map(|character| {
        let is_plain = character == '"' || character == '\'' || character == '\\';
        let escape = (!is_plain).then(|| character.escape_debug());
        escape
            .into_iter()
            .flatten()
            .chain(is_plain.then_some(character))
    });
    let mut shown: String = escaped.take(MAX_CHARS).collect();
    if text.chars().count() > MAX_CHARS {
        shown.push_str("..");
    }
    shown
}
