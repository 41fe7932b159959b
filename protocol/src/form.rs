//! The two forms in which a request and its answer are encapsulated; runtimes take both, our clients send the chunked one.

use crate::envelope::Header;

/// Chunked (draft-ietf-ohai-chunked-ohttp-08) or one-shot (RFC 9458); the answer has the form of its request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Form {
    /// Any number of chunks, read as they come.
    #[default]
    Chunked,
    /// One ciphertext of at most [`MAX_ONE_SHOT`] plaintext bytes: nothing of it is known before all of it is here.
    OneShot,
}

/// Most plaintext bytes of a one-shot message.
pub const MAX_ONE_SHOT: usize = 1_048_576;

impl Form {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Chunked, Self::OneShot];

    /// Media type of a sealed request.
    #[must_use]
    pub const fn request_media_type(self) -> &'static str {
        match self {
            Self::Chunked => crate::REQUEST_MEDIA_TYPE,
            Self::OneShot => "message/ohttp-req",
        }
    }

    /// Media type of its answer.
    #[must_use]
    pub const fn response_media_type(self) -> &'static str {
        match self {
            Self::Chunked => crate::RESPONSE_MEDIA_TYPE,
            Self::OneShot => "message/ohttp-res",
        }
    }

    /// HPKE's info: RFC 9458 section 4.3, draft-ietf-ohai-chunked-ohttp-08 section 6.1.
    pub(crate) fn info(self, header: &Header) -> Vec<u8> {
        let label: &[u8] = match self {
            Self::Chunked => b"message/bhttp chunked request\0",
            Self::OneShot => b"message/bhttp request\0",
        };
        [label, &header.encode()].concat()
    }

    /// The exporter context of the answer's secret: RFC 9458 section 4.4, draft-ietf-ohai-chunked-ohttp-08 section 6.2.
    pub(crate) const fn response_label(self) -> &'static [u8] {
        match self {
            Self::Chunked => b"message/bhttp chunked response",
            Self::OneShot => b"message/bhttp response",
        }
    }

    /// The additional data of the last ciphertext, and of a one-shot's only one.
    pub(crate) const fn last_aad(self) -> &'static [u8] {
        match self {
            Self::Chunked => b"final",
            Self::OneShot => b"",
        }
    }
}
