use super::*;
use ::bhttp::{Message, Mode};
use proptest::prelude::*;
use std::io::Cursor;

/// All of a message, its content joined.
#[derive(Debug, Default, PartialEq)]
struct Decoded {
    control: Option<[String; 4]>,
    status: Option<u16>,
    fields: Fields,
    content: Vec<u8>,
    trailers: Fields,
}

impl Decoded {
    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Request { control, fields } => {
                self.control = Some(control);
                self.fields = fields;
            }
            Event::Response { status, fields } => {
                self.status = Some(status);
                self.fields = fields;
            }
            Event::Content(part) => self.content.extend_from_slice(part),
            Event::Trailers(fields) => self.trailers = fields,
        }
    }
}

fn decode<'a>(
    mut decoder: Decoder,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Decoded, BhttpError> {
    let mut decoded = Decoded::default();
    for mut piece in pieces {
        while let Some(event) = decoder.next(&mut piece)? {
            decoded.take(event);
        }
    }
    if let Some(event) = decoder.finish()? {
        decoded.take(event);
    }
    Ok(decoded)
}

fn request(bytes: &[u8]) -> Result<Decoded, BhttpError> {
    decode(Decoder::request(), [bytes])
}

fn response(bytes: &[u8]) -> Result<Decoded, BhttpError> {
    decode(Decoder::response(), [bytes])
}

fn line(name: &str, value: &str) -> (String, Vec<u8>) {
    (name.into(), value.into())
}

fn string(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    crate::varint::write_len(text.len(), &mut out);
    out.extend_from_slice(text.as_bytes());
    out
}

/// RFC 9292 section 5.1: the request of RFC 9112 section 2.1, known-length.
fn rfc_request() -> Vec<u8> {
    let lines = [
        string("user-agent"),
        string("curl/7.16.3 libcurl/7.16.3 OpenSSL/0.9.7l zlib/1.2.3"),
        string("host"),
        string("www.example.com"),
        string("accept-language"),
        string("en, mi"),
    ];
    let control = [
        string("GET"),
        string("https"),
        string(""),
        string("/hello.txt"),
    ];
    [
        &[0],
        control.concat().as_slice(),
        &[0x40, 0x6c],
        &lines.concat(),
        &[0, 0],
    ]
    .concat()
}

/// RFC 9292 section 5.2: a response with two informational ones before it, indeterminate-length, padded.
fn rfc_response() -> Vec<u8> {
    let mut out = vec![3];
    out.extend([0x40, 0x66]);
    out.extend([string("running"), string("\"sleep 15\""), vec![0]].concat());
    out.extend([0x40, 0x67]);
    let link = "</style.css>; rel=preload; as=style";
    out.extend([string("link"), string(link), vec![0]].concat());
    out.extend([0x40, 0xc8]);
    out.extend([string("server"), string("Apache"), vec![0]].concat());
    out.extend(
        [
            string("Hello World! My content includes a trailing CRLF.\r\n"),
            vec![0],
        ]
        .concat(),
    );
    out.extend([0; 12]);
    out
}

#[test]
fn rfc_9292_section_5_1() {
    let decoded = request(&rfc_request()).unwrap();
    let control = ["GET", "https", "", "/hello.txt"].map(str::to_owned);
    assert_eq!(decoded.control, Some(control));
    let agent = "curl/7.16.3 libcurl/7.16.3 OpenSSL/0.9.7l zlib/1.2.3";
    let expected = [
        line("user-agent", agent),
        line("host", "www.example.com"),
        line("accept-language", "en, mi"),
    ];
    assert_eq!(decoded.fields, expected);
    assert!(decoded.content.is_empty() && decoded.trailers.is_empty());
}

#[test]
fn rfc_9292_section_5_2() {
    let decoded = response(&rfc_response()).unwrap();
    assert_eq!(decoded.status, Some(200));
    assert_eq!(decoded.fields, [line("server", "Apache")]);
    let content = b"Hello World! My content includes a trailing CRLF.\r\n";
    assert_eq!(decoded.content, content);
}

/// R6.3.
#[test]
fn rfc_9292_section_3_8_truncation_and_padding() {
    let full = rfc_request();
    for length in [full.len() - 2, full.len() - 1] {
        assert_eq!(request(&full[..length]), request(&full));
    }
    assert_eq!(
        request(&[full.as_slice(), &[0; 100]].concat()),
        request(&full)
    );
    let minimal = hex::decode("00034745540568747470730b6578616d706c652e636f6d012f").unwrap();
    assert_eq!(
        request(&minimal).unwrap().control.unwrap()[2],
        "example.com"
    );
    assert_eq!(response(&[1, 0x40, 0xc8]).unwrap().status, Some(200));
    assert_eq!(response(&[3, 0x40, 0xc8]).unwrap().status, Some(200));
}

#[test]
fn a_message_cut_inside_a_part_is_truncated() {
    let full = rfc_request();
    for length in 0..full.len() - 2 {
        let headers_end = length == full.len() - 2 - 0x6c - 2;
        let result = request(&full[..length]);
        match headers_end {
            true => assert!(result.is_ok(), "no header section is an empty one"),
            false => assert_eq!(result, Err(BhttpError::Truncated), "cut at {length}"),
        }
    }
    let full = rfc_response();
    let end = full.len() - 13;
    let whole = ["server", "Apache"].map(string).concat().len();
    let content = string("Hello World! My content includes a trailing CRLF.\r\n").len();
    let starts = [end - content - 1 - whole, end - content, end + 1];
    for length in 0..end + 1 {
        let result = response(&full[..length]);
        match starts.contains(&length) {
            true => assert!(result.is_ok(), "cut at {length}"),
            false => assert_eq!(result, Err(BhttpError::Truncated), "cut at {length}"),
        }
    }
}

#[test]
fn framing_of_another_kind_or_unknown_is_refused() {
    for indicator in [1, 3, 4, 63] {
        assert_eq!(request(&[indicator]), Err(BhttpError::Framing));
    }
    for indicator in [0, 2, 4, 63] {
        assert_eq!(response(&[indicator]), Err(BhttpError::Framing));
    }
    assert_eq!(request(&[]), Err(BhttpError::Truncated));
}

#[test]
fn malformed_control_data_is_refused() {
    let encoded = |parts: [&str; 4]| [vec![2], parts.map(string).concat()].concat();
    let refused = [
        (["", "https", "a", "/"], "method"),
        (["GE T", "https", "a", "/"], "method"),
        (["GET", "", "a", "/"], "scheme"),
        (["GET", "1s", "a", "/"], "scheme"),
        (["GET", "https", "a b", "/"], "authority"),
        (["GET", "https", "a", ""], "path"),
        (["GET", "https", "a", "/\r\n"], "path"),
        (["GET", "https", "a", "/\u{e4}"], "path"),
    ];
    for (parts, part) in refused {
        assert_eq!(request(&encoded(parts)), Err(BhttpError::Control(part)));
        let [method, scheme, authority, path] = parts;
        let control = RequestControl {
            method,
            scheme,
            authority,
            path,
        };
        let result = encode_request(&control, &[], &mut Vec::new());
        assert_eq!(result, Err(BhttpError::Control(part)));
    }
    let not_text = [2, 1, 0xff];
    assert_eq!(request(&not_text), Err(BhttpError::Control("text")));
}

#[test]
fn malformed_statuses_are_refused() {
    for status in [0, 99, 101, 600, 1000, 0x3fff] {
        let mut bytes = vec![3];
        crate::varint::write(status, &mut bytes);
        assert_eq!(response(&bytes), Err(BhttpError::Status));
    }
    for status in [100, 101, 199, 600] {
        let result = encode_response(status, &[], &mut Vec::new());
        assert_eq!(result, Err(BhttpError::Status));
    }
    let informational_only = [3, 0x40, 0x64, 0];
    assert_eq!(response(&informational_only), Err(BhttpError::Truncated));
    assert_eq!(
        response(&informational_only[..3]),
        Err(BhttpError::Truncated)
    );
}

#[test]
fn malformed_field_lines_are_refused() {
    let lines = [
        ("Name", "upper case"),
        (":path", "/"),
        ("a b", "space"),
        ("name", " leading"),
        ("name", "trailing\t"),
        ("name", "line\nbreak"),
        ("name", "carriage\rreturn"),
        ("name", "nul\0"),
        ("name", "delete\x7f"),
        ("n\u{e4}me", "not a token"),
    ];
    for (name, value) in lines {
        let section = [string(name), string(value)].concat();
        let indeterminate = [&[3, 0x40, 0xc8], section.as_slice(), &[0, 0, 0]].concat();
        assert_eq!(
            response(&indeterminate),
            Err(BhttpError::Field),
            "{name}: {value}"
        );
        let trailer = [&[3, 0x40, 0xc8, 0, 0], section.as_slice(), &[0]].concat();
        assert_eq!(
            response(&trailer),
            Err(BhttpError::Field),
            "{name}: {value}"
        );
        let known = [
            &[1, 0x40, 0xc8, section.len() as u8],
            section.as_slice(),
            &[0, 0],
        ]
        .concat();
        assert_eq!(response(&known), Err(BhttpError::Field), "{name}: {value}");
        let result = encode_response(200, &[(name, value.as_bytes())], &mut Vec::new());
        assert_eq!(result, Err(BhttpError::Field), "{name}: {value}");
    }
}

#[test]
fn a_known_length_section_ends_where_it_says() {
    let section = [string("a"), string("b")].concat();
    let of_length = |length: u8| [&[1, 0x40, 0xc8, length], section.as_slice(), &[0, 0]].concat();
    assert!(response(&of_length(4)).is_ok());
    for length in [1, 2, 3] {
        assert_eq!(response(&of_length(length)), Err(BhttpError::Field));
    }
    let empty_name = [1, 0x40, 0xc8, 2, 0, 0];
    assert_eq!(response(&empty_name), Err(BhttpError::Field));
}

#[test]
fn parts_above_their_limits_are_refused() {
    let mut section = vec![1, 0x40, 0xc8];
    crate::varint::write_len(MAX_SECTION_BYTES + 1, &mut section);
    assert_eq!(response(&section), Err(BhttpError::TooLarge));

    let mut name = vec![3, 0x40, 0xc8];
    crate::varint::write(crate::varint::MAX, &mut name);
    assert_eq!(response(&name), Err(BhttpError::TooLarge));

    let lines = [string("a"), string("b")].concat().repeat(MAX_FIELDS);
    let head = [3, 0x40, 0xc8];
    assert!(response(&[&head, lines.as_slice(), &[0]].concat()).is_ok());
    let one_more = [&head, lines.as_slice(), &string("a"), &string("b"), &[0]].concat();
    assert_eq!(response(&one_more), Err(BhttpError::TooLarge));

    let half = "x".repeat(MAX_SECTION_BYTES / 2);
    let lines = [string("a"), string(&half), string("b"), string(&half)].concat();
    assert_eq!(
        response(&[&head, lines.as_slice(), &[0]].concat()),
        Err(BhttpError::TooLarge)
    );

    let path = "/".repeat(MAX_CONTROL_BYTES + 1);
    let control = [string("GET"), string("https"), string("a"), string(&path)].concat();
    assert_eq!(
        request(&[&[2], control.as_slice()].concat()),
        Err(BhttpError::TooLarge)
    );

    let informational = [0x40, 0x64, 0].repeat(MAX_INFORMATIONAL);
    let last = [0x40, 0xc8];
    assert!(response(&[&[3], informational.as_slice(), &last].concat()).is_ok());
    let one_more = [&[3], informational.as_slice(), &[0x40, 0x64, 0], &last].concat();
    assert_eq!(response(&one_more), Err(BhttpError::TooLarge));
}

#[test]
fn the_encoder_keeps_the_limits() {
    let control = |path| RequestControl {
        method: "GET",
        scheme: "https",
        authority: "a",
        path,
    };
    let path = "/".repeat(MAX_CONTROL_BYTES + 1);
    let result = encode_request(&control(&path), &[], &mut Vec::new());
    assert_eq!(result, Err(BhttpError::TooLarge));
    let fields = vec![("a", b"b".as_slice()); MAX_FIELDS + 1];
    let result = encode_request(&control("/"), &fields, &mut Vec::new());
    assert_eq!(result, Err(BhttpError::TooLarge));
    let value = vec![b'x'; MAX_SECTION_BYTES];
    let result = encode_end(&[("a", &value)], &mut Vec::new());
    assert_eq!(result, Err(BhttpError::TooLarge));
}

#[test]
fn bytes_after_the_end_are_refused() {
    for tail in [[1].as_slice(), &[0, 0, 7], &[0, 1, 0]] {
        let bytes = [rfc_request().as_slice(), tail].concat();
        assert_eq!(request(&bytes), Err(BhttpError::Padding));
    }
}

/// Any request that the encoder takes, in both forms.
fn any_fields() -> impl Strategy<Value = Vec<(String, Vec<u8>)>> {
    prop::collection::vec(("[a-z][a-z0-9-]{0,10}", "[!-~]{0,20}"), 0..5).prop_map(|lines| {
        lines
            .into_iter()
            .map(|(n, v)| (n, v.into_bytes()))
            .collect()
    })
}

fn borrowed(fields: &[(String, Vec<u8>)]) -> Vec<(&str, &[u8])> {
    fields
        .iter()
        .map(|(n, v)| (n.as_str(), v.as_slice()))
        .collect()
}

fn encoded_response(
    status: u16,
    fields: &[(String, Vec<u8>)],
    content: &[Vec<u8>],
    trailers: &[(String, Vec<u8>)],
) -> Vec<u8> {
    let mut out = Vec::new();
    encode_response(status, &borrowed(fields), &mut out).unwrap();
    for part in content {
        encode_content_len(part.len(), &mut out);
        out.extend_from_slice(part);
    }
    encode_end(&borrowed(trailers), &mut out).unwrap();
    out
}

fn owned(section: &::bhttp::FieldSection) -> Fields {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let lines = section.iter();
    lines
        .map(|line| (text(line.name()), line.value().to_vec()))
        .collect()
}

proptest! {
    #[test]
    fn responses_survive_any_cut_and_agree_with_the_crate_bhttp(
        status in 200_u16..600,
        fields in any_fields(),
        content in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..4),
        trailers in any_fields(),
        padding in 0_usize..20,
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let mut bytes = encoded_response(status, &fields, &content, &trailers);
        bytes.resize(bytes.len() + padding, 0);
        let expected = Decoded {
            control: None,
            status: Some(status),
            fields: fields.clone(),
            content: content.concat(),
            trailers: trailers.clone(),
        };
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let pieces = cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]);
        prop_assert_eq!(&decode(Decoder::response(), pieces).unwrap(), &expected);
        let single = bytes.chunks(1);
        prop_assert_eq!(&decode(Decoder::response(), single).unwrap(), &expected);

        let theirs = Message::read_bhttp(&mut Cursor::new(&bytes)).unwrap();
        prop_assert_eq!(theirs.control().status().unwrap().code(), status);
        prop_assert_eq!(owned(theirs.header()), fields);
        prop_assert_eq!(theirs.content(), content.concat());
        prop_assert_eq!(owned(theirs.trailer()), trailers);
        for mode in [Mode::KnownLength, Mode::IndeterminateLength] {
            let mut bytes = Vec::new();
            theirs.write_bhttp(mode, &mut bytes).unwrap();
            prop_assert_eq!(&response(&bytes).unwrap(), &expected);
        }
    }

    #[test]
    fn requests_agree_with_the_crate_bhttp(
        path in "/[!-~]{0,30}",
        fields in any_fields(),
        content in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let control = RequestControl { method: "POST", scheme: "https", authority: "narthex", path: &path };
        let mut bytes = Vec::new();
        encode_request(&control, &borrowed(&fields), &mut bytes).unwrap();
        encode_content_len(content.len(), &mut bytes);
        bytes.extend_from_slice(&content);
        encode_end(&[], &mut bytes).unwrap();

        let ours = request(&bytes).unwrap();
        let expected = ["POST", "https", "narthex", &path].map(str::to_owned);
        prop_assert_eq!(ours.control.as_ref(), Some(&expected));
        prop_assert_eq!(&ours.content, &content);
        let theirs = Message::read_bhttp(&mut Cursor::new(&bytes)).unwrap();
        prop_assert_eq!(theirs.control().path().unwrap(), path.as_bytes());
        prop_assert_eq!(theirs.content(), content);
        for mode in [Mode::KnownLength, Mode::IndeterminateLength] {
            let mut bytes = Vec::new();
            theirs.write_bhttp(mode, &mut bytes).unwrap();
            prop_assert_eq!(&request(&bytes).unwrap(), &ours);
        }
    }

    #[test]
    fn arbitrary_bytes_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = request(&bytes);
        let _ = response(&bytes);
        let _ = response(&[&[3, 0x40, 0xc8], bytes.as_slice()].concat());
    }
}
