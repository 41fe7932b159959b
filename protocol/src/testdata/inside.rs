//! What is inside the seal: binary HTTP, sealed headers, padding.

use super::*;
use crate::{
    PaddingProfile, ReceiverError, SealedHeaders,
    bhttp::{BhttpError, Decoder, Event, Fields},
};

#[test]
fn binary_http() {
    let suite = Suite::parse(include_str!("../../testdata/bhttp.json"));
    suite.run(|case| {
        let message = decode(case).map_err(|error| error.code())?;
        assert_eq!(message.fields, case.fields("fields"));
        assert_eq!(message.content, case.bytes("body"));
        assert_eq!(message.trailers, case.fields("trailers"));
        assert_eq!(&message.control, case.value("control"));
        Ok(())
    });
}

#[derive(Default)]
struct Message {
    control: Value,
    fields: Fields,
    content: Vec<u8>,
    trailers: Fields,
}

impl Message {
    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Request { control, fields } => {
                self.control = control.to_vec().into();
                self.fields = fields;
            }
            Event::Response { status, fields } => {
                self.control = status.into();
                self.fields = fields;
            }
            Event::Content(part) => self.content.extend_from_slice(part),
            Event::Trailers(fields) => self.trailers = fields,
        }
    }
}

fn decode(case: &Case<'_>) -> Result<Message, BhttpError> {
    let mut decoder = match case.text("kind") {
        "request" => Decoder::request(),
        _ => Decoder::response(),
    };
    let (bytes, mut message) = (case.bytes("message"), Message::default());
    let mut input = bytes.as_slice();
    while let Some(event) = decoder.next(&mut input)? {
        message.take(event);
    }
    if let Some(event) = decoder.finish()? {
        message.take(event);
    }
    Ok(message)
}

#[test]
fn sealed_headers() {
    let suite = Suite::parse(include_str!("../../testdata/sealed-headers.json"));
    suite.run(|case| {
        let fields = case.fields("fields");
        let read = SealedHeaders::from_fields(case.text("method"), case.text("path"), &fields);
        read.map(|_| ()).map_err(|header| {
            assert_eq!(header, case.text("header"), "{}", case.text("title"));
            ReceiverError::SealedHeader(header).code()
        })
    });
}

#[test]
fn padding() {
    let suite = Suite::parse(include_str!("../../testdata/padding.json"));
    for case in suite.cases() {
        let profile = PaddingProfile::parse(case.text("profile")).unwrap();
        let padded = profile.request_len(case.number("length") as usize);
        assert_eq!(
            padded as u64,
            case.number("padded"),
            "{}",
            case.text("title")
        );
    }
}
