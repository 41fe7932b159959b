//! The encoder: indeterminate-length form (RFC 9292 section 3.2).

use super::{
    BhttpError, MAX_CONTROL_BYTES, MAX_FIELDS, MAX_SECTION_BYTES, RequestControl,
    syntax::{check_control, is_field_name, is_field_value, status},
};
use crate::varint;

const INDETERMINATE_REQUEST: u64 = 2;
const INDETERMINATE_RESPONSE: u64 = 3;

/// Appends framing indicator, control data and header section of a request.
pub fn encode_request(
    control: &RequestControl<'_>,
    fields: &[(&str, &[u8])],
    out: &mut Vec<u8>,
) -> Result<(), BhttpError> {
    check_control(control)?;
    varint::write(INDETERMINATE_REQUEST, out);
    for part in [
        control.method,
        control.scheme,
        control.authority,
        control.path,
    ] {
        if part.len() > MAX_CONTROL_BYTES {
            return Err(BhttpError::TooLarge);
        }
        write_string(part.as_bytes(), out);
    }
    encode_section(fields, out)
}

/// Appends framing indicator, final status and header section of a response.
pub fn encode_response(
    final_status: u16,
    fields: &[(&str, &[u8])],
    out: &mut Vec<u8>,
) -> Result<(), BhttpError> {
    if status(final_status.into())? < 200 {
        return Err(BhttpError::Status);
    }
    varint::write(INDETERMINATE_RESPONSE, out);
    varint::write(final_status.into(), out);
    encode_section(fields, out)
}

/// Appends what goes before `length` bytes of content; a length of zero would end the content, and [`encode_end`] writes that.
pub fn encode_content_len(length: usize, out: &mut Vec<u8>) {
    if length > 0 {
        varint::write_len(length, out);
    }
}

/// Appends the end of the content and the trailer section.
pub fn encode_end(trailers: &[(&str, &[u8])], out: &mut Vec<u8>) -> Result<(), BhttpError> {
    varint::write(0, out);
    encode_section(trailers, out)
}

fn encode_section(fields: &[(&str, &[u8])], out: &mut Vec<u8>) -> Result<(), BhttpError> {
    let start = out.len();
    for (name, value) in fields {
        if !is_field_name(name.as_bytes()) || !is_field_value(value) {
            return Err(BhttpError::Field);
        }
        write_string(name.as_bytes(), out);
        write_string(value, out);
    }
    if fields.len() > MAX_FIELDS || out.len() - start > MAX_SECTION_BYTES {
        return Err(BhttpError::TooLarge);
    }
    varint::write(0, out);
    Ok(())
}

fn write_string(string: &[u8], out: &mut Vec<u8>) {
    varint::write_len(string.len(), out);
    out.extend_from_slice(string);
}
