//! The inside of an envelope: binary HTTP to a request, under its size limit.

use super::{Plaintext, ReceiverError, Terms};
use crate::{
    SealedHeaders,
    bhttp::{Decoder, Event, Fields, MAX_SECTION_BYTES},
    sealed_headers::{AUTHORITY, FieldLines, SCHEME},
    wipe,
};
use zeroize::Zeroizing;

/// Plaintext bytes accepted beside the body: control data, sections, lengths, and what padding is left.
const OVERHEAD: usize = 4 * MAX_SECTION_BYTES;

/// Reads one request.
pub(super) struct Intake {
    decoder: Decoder,
    head: Option<([String; 4], Fields)>,
    body: Zeroizing<Vec<u8>>,
    total: usize,
    max_body: usize,
    max_total: usize,
}

impl Intake {
    pub(super) fn new(terms: Terms) -> Self {
        let max_body = terms.max_request_bytes;
        let unpadded = max_body.saturating_add(OVERHEAD);
        Self {
            decoder: Decoder::request(),
            head: None,
            body: Zeroizing::default(),
            total: 0,
            max_body,
            max_total: terms.padding.request_len(unpadded),
        }
    }

    /// Takes plaintext.
    pub(super) fn accept(&mut self, mut text: &[u8]) -> Result<(), ReceiverError> {
        self.total = self.total.saturating_add(text.len());
        if self.total > self.max_total {
            return Err(ReceiverError::TooLarge);
        }
        while let Some(event) = self.decoder.next(&mut text)? {
            take(event, &mut self.head, &mut self.body);
            if self.body.len() > self.max_body {
                return Err(ReceiverError::TooLarge);
            }
        }
        Ok(())
    }

    /// The plaintext has ended: the request.
    pub(super) fn finish(mut self) -> Result<Plaintext, ReceiverError> {
        if let Some(event) = self.decoder.finish()? {
            take(event, &mut self.head, &mut self.body);
        }
        let (control, fields) = self.head.ok_or(ReceiverError::Bhttp)?;
        plaintext(control, &fields, self.body).map_err(ReceiverError::SealedHeader)
    }
}

fn take(event: Event<'_>, head: &mut Option<([String; 4], Fields)>, body: &mut Zeroizing<Vec<u8>>) {
    match event {
        Event::Request { control, fields } => *head = Some((control, fields)),
        Event::Content(part) => wipe::append(body, part),
        Event::Trailers(_) | Event::Response { .. } => {}
    }
}

fn plaintext(
    [method, scheme, authority, path]: [String; 4],
    fields: &Fields,
    body: Zeroizing<Vec<u8>>,
) -> Result<Plaintext, &'static str> {
    if scheme != SCHEME {
        return Err("scheme");
    }
    if authority != AUTHORITY {
        return Err("authority");
    }
    let text = |value: &str| Some(value.to_owned());
    Ok(Plaintext {
        headers: SealedHeaders::from_fields(&method, &path, fields)?,
        content_type: FieldLines(fields).optional("content-type", text)?,
        method,
        path,
        body,
    })
}
