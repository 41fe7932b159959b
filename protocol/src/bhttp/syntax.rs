//! What HTTP allows in names, values and control data (RFC 9110 sections 5.1, 5.5 and 9.1; RFC 9292 section 3.6).

use super::{BhttpError, RequestControl};

/// Checks control data.
pub(super) fn check_control(control: &RequestControl<'_>) -> Result<(), BhttpError> {
    let parts = [
        ("method", is_token(control.method.as_bytes())),
        ("scheme", is_scheme(control.scheme.as_bytes())),
        ("authority", is_visible(control.authority.as_bytes())),
        ("path", is_path(control.path.as_bytes())),
    ];
    match parts.iter().find(|(_, valid)| !valid) {
        Some((part, _)) => Err(BhttpError::Control(part)),
        None => Ok(()),
    }
}

/// A field name: a token in lower case; pseudo-fields (`:name`) are none.
pub(super) fn is_field_name(name: &[u8]) -> bool {
    is_token(name) && !name.iter().any(u8::is_ascii_uppercase)
}

/// A field value: visible characters, obs-text, and spaces or tabs inside.
pub(super) fn is_field_value(value: &[u8]) -> bool {
    let blank = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    let allowed = |byte: &u8| matches!(byte, b'\t' | b' '..=b'~' | 0x80..);
    value.iter().all(allowed) && !blank(value.first()) && !blank(value.last())
}

/// A final or informational status that this form can carry.
pub(super) fn status(value: u64) -> Result<u16, BhttpError> {
    match value {
        101 => Err(BhttpError::Status),
        100..=599 => Ok(value as u16),
        _ => Err(BhttpError::Status),
    }
}

fn is_token(bytes: &[u8]) -> bool {
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    !bytes.is_empty() && bytes.iter().all(allowed)
}

fn is_scheme(bytes: &[u8]) -> bool {
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
    bytes.first().is_some_and(u8::is_ascii_alphabetic) && bytes.iter().all(allowed)
}

fn is_visible(bytes: &[u8]) -> bool {
    bytes.iter().all(u8::is_ascii_graphic)
}

fn is_path(bytes: &[u8]) -> bool {
    !bytes.is_empty() && is_visible(bytes)
}
