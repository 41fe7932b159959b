//! The inside of a sealed response: binary HTTP to events, its digest kept, its receipt taken from the trailer.

use super::opener::{OpenError, ResponsePart};
use crate::{
    Opening, ReceiptError, SignedReceipt,
    bhttp::{Decoder, Event, Fields},
    exchange::ResponseDigest,
    receipt::TRAILER,
};
use attestation::Digest;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

/// Reads one response.
pub(super) struct ResponseReader {
    decoder: Decoder,
    digest: Option<ResponseDigest>,
    trailers: Fields,
}

impl ResponseReader {
    pub(super) fn new() -> Self {
        Self {
            decoder: Decoder::response(),
            digest: None,
            trailers: Fields::new(),
        }
    }

    /// Takes plaintext; gives the parts that it completes to `sink`.
    pub(super) fn accept(
        &mut self,
        mut text: &[u8],
        sink: &mut impl FnMut(ResponsePart<'_>),
    ) -> Result<(), OpenError> {
        while let Some(event) = self.decoder.next(&mut text)? {
            self.take(event, sink);
        }
        Ok(())
    }

    /// The plaintext has ended.
    pub(super) fn finish(
        &mut self,
        sink: &mut impl FnMut(ResponsePart<'_>),
    ) -> Result<(), OpenError> {
        let decoder = std::mem::replace(&mut self.decoder, Decoder::response());
        if let Some(event) = decoder.finish()? {
            self.take(event, sink);
        }
        Ok(())
    }

    fn take(&mut self, event: Event<'_>, sink: &mut impl FnMut(ResponsePart<'_>)) {
        match event {
            Event::Response { status, fields } => {
                self.digest = Some(ResponseDigest::new(status));
                sink(ResponsePart::Head {
                    status,
                    headers: &fields,
                });
            }
            Event::Content(part) => {
                if let Some(digest) = &mut self.digest {
                    digest.update(part);
                }
                sink(ResponsePart::Body(part));
            }
            Event::Trailers(fields) => self.trailers = fields,
            Event::Request { .. } => {}
        }
    }

    /// Status and digest of what was read.
    pub(super) fn digest(&self, opening: &Opening) -> Option<(u16, Digest)> {
        let digest = self.digest.as_ref()?;
        Some((digest.status(), digest.digest(opening)))
    }

    /// The one receipt of the trailer section (R6.10).
    pub(super) fn receipt(&self) -> Result<SignedReceipt, ReceiptError> {
        let mut lines = self.trailers.iter().filter(|(name, _)| name == TRAILER);
        let (_, value) = lines.next().ok_or(ReceiptError::Absent)?;
        if lines.next().is_some() {
            return Err(ReceiptError::Malformed);
        }
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(value);
        let bytes = bytes.map_err(|_| ReceiptError::Malformed)?;
        Ok(SignedReceipt::from_bytes(bytes))
    }
}
