//! The one field of a TDX quote that a provider looks at before it hands the quote out (Intel DCAP quote generation library, appendix
//! A.3). Nothing is verified here: that is the peers' business.

use attestation::ReportData;

/// Bytes of the quote's header.
const HEADER_BYTES: usize = 48;
/// Bytes of the body's descriptor in version 5: type and size.
const DESCRIPTOR_BYTES: usize = 6;
/// Offset of REPORTDATA in the body of every type.
const REPORT_DATA: usize = 520;

/// Whether `quote` carries exactly `expected`.
pub(crate) fn carries(quote: &[u8], expected: &ReportData) -> bool {
    let body = match quote {
        [4, 0, ..] => HEADER_BYTES,
        [5, 0, ..] => HEADER_BYTES + DESCRIPTOR_BYTES,
        _ => return false,
    };
    let field = quote.get(body + REPORT_DATA..);
    field.and_then(<[u8]>::first_chunk) == Some(&expected.0)
}
