//! Binary HTTP: whole or byte by byte, the decoder says the same; what it accepts has parts within their limits.
#![no_main]

use narthex_fuzz::seeds;
use protocol::bhttp::{BhttpError, Decoder, Event, MAX_FIELDS};

libfuzzer_sys::fuzz_target!(init: plant(), |data: &[u8]| check(data));

fn check(data: &[u8]) {
    for decoder in [Decoder::request, Decoder::response] {
        let whole = decode(decoder(), [data]);
        assert_eq!(whole, decode(decoder(), data.chunks(1)));
    }
}

fn plant() {
    let request = b"\0\x04POST\x05https\x07narthex\x01/\x04\x01a\x01b\x04body\0\0\0";
    let response = b"\x03\x40\x64\x01a\x01b\0\x40\xc8\0\x04body\x02of\0\x01c\x01d\0\0\0";
    seeds::plant([request.to_vec(), response.to_vec()]);
}

/// What a decoder gave: lines of all sections, content.
type Decoded = (Vec<(String, Vec<u8>)>, Vec<u8>);

fn decode<'a>(
    mut decoder: Decoder,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Decoded, BhttpError> {
    let mut decoded = Decoded::default();
    for mut piece in pieces {
        while let Some(event) = decoder.next(&mut piece)? {
            take(&mut decoded, event);
        }
    }
    if let Some(event) = decoder.finish()? {
        take(&mut decoded, event);
    }
    Ok(decoded)
}

fn take((lines, content): &mut Decoded, event: Event<'_>) {
    match event {
        Event::Request { fields, .. }
        | Event::Response { fields, .. }
        | Event::Trailers(fields) => {
            assert!(fields.len() <= MAX_FIELDS);
            lines.extend(fields);
        }
        Event::Content(part) => {
            assert!(!part.is_empty());
            content.extend_from_slice(part);
        }
    }
}
