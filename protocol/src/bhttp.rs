//! Binary HTTP (RFC 9292): an encoder of the indeterminate-length form, and an incremental decoder of both forms.

mod decode;
mod encode;
mod items;
mod section;
mod syntax;
#[cfg(test)]
mod tests;

pub use decode::{Decoder, Event};
pub use encode::{encode_content_len, encode_end, encode_request, encode_response};

/// Field lines in their order: lower-case name, value.
pub type Fields = Vec<(String, Vec<u8>)>;

/// Most bytes of one header or trailer section.
pub const MAX_SECTION_BYTES: usize = 16_384;
/// Most field lines of one section.
pub const MAX_FIELDS: usize = 64;
/// Most bytes of one string of a request's control data.
pub const MAX_CONTROL_BYTES: usize = 4_096;
/// Most informational responses before the final one.
pub const MAX_INFORMATIONAL: usize = 8;

/// Request control data (section 3.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestControl<'a> {
    /// An HTTP token.
    pub method: &'a str,
    /// `https`.
    pub scheme: &'a str,
    /// Host, may be empty.
    pub authority: &'a str,
    /// Path and query.
    pub path: &'a str,
}

/// Why bytes are not the binary HTTP message that was expected, or a message cannot be encoded; `code()` is stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BhttpError {
    /// The framing indicator is unknown, or a response where a request is due or the other way round.
    #[error("the framing indicator is not one of a message of this kind")]
    Framing,
    /// Method, scheme, authority or path.
    #[error("the control data is malformed: {0}")]
    Control(&'static str),
    /// A status that is not in 100 to 599, 101 (nothing is upgraded inside a seal), or informational where final is due.
    #[error("the status code is malformed")]
    Status,
    /// A field line's name or value, or a section that does not end where it says.
    #[error("a field line is malformed")]
    Field,
    /// A section, string or number of lines above this module's limits.
    #[error("a part of the message is above its limit")]
    TooLarge,
    /// The message ends inside a part.
    #[error("the message is truncated")]
    Truncated,
    /// Bytes other than zero after the message's end.
    #[error("the message goes on after its end")]
    Padding,
}

impl BhttpError {
    /// Stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Framing => "bhttp.framing",
            Self::Control(_) => "bhttp.control",
            Self::Status => "bhttp.status",
            Self::Field => "bhttp.field",
            Self::TooLarge => "bhttp.too_large",
            Self::Truncated => "bhttp.truncated",
            Self::Padding => "bhttp.padding",
        }
    }
}
