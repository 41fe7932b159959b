mod oracle;
mod padded;

use super::*;
use crate::{
    Sealer, SignedReceipt,
    bhttp::{self, RequestControl},
    chunk::{ChunkSealer, MAX_RECEIVED_CHUNK, MAX_SENT_CHUNK},
    client::Peer,
    envelope::Header,
    hpke::setup_sender,
    sealed_headers::{AUTHORITY, SCHEME},
    test_exchange::request,
    test_exchange::{BODY, MAX_REQUEST, NOW, Node},
};
use proptest::prelude::*;

/// Pushes `pieces`, then finishes.
fn open<'a>(
    node: &Node,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Plaintext, ReceiverError> {
    let mut opener = node.receiver.open();
    for piece in pieces {
        opener.push(piece)?;
    }
    opener.finish().map(|(plaintext, _)| plaintext)
}

fn refusal(node: &Node, envelope: &[u8]) -> ReceiverError {
    open(node, [envelope]).map(|_| ()).unwrap_err()
}

/// An envelope with `message` inside, in chunks of `size`, by a client that need not keep to the protocol.
fn envelope(node: &Node, message: &[u8], size: usize) -> Vec<u8> {
    let config = node.configs.preferred().unwrap();
    let header = Header {
        key_id: config.key_id,
        suite: config.suite,
    };
    let (enc, context) = setup_sender(config.suite, &config.public_key, &header.info()).unwrap();
    let mut out = [header.encode().as_slice(), &enc].concat();
    let mut sealer = ChunkSealer::new(context.aead);
    for chunk in message.chunks(size) {
        sealer.seal(&[chunk], &mut out).unwrap();
    }
    sealer.seal_final(&[], &mut out).unwrap();
    out
}

/// A request with `fields` and `body`, encoded.
fn message(control: &RequestControl<'_>, fields: &[(&str, &[u8])], body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    bhttp::encode_request(control, fields, &mut out).unwrap();
    bhttp::encode_content_len(body.len(), &mut out);
    out.extend_from_slice(body);
    bhttp::encode_end(&[], &mut out).unwrap();
    out
}

const CONTROL: RequestControl<'_> = RequestControl {
    method: "POST",
    scheme: SCHEME,
    authority: AUTHORITY,
    path: "/v1/chat/completions",
};

/// The header lines of an honest request.
fn lines() -> Vec<(&'static str, String)> {
    let headers = SealedHeaders {
        binding_id: attestation::BindingId([3; 32]),
        policy_version: 4,
        policy_digest: [4; 32],
        client_policy: [5; 32],
        request_id: [9; 16],
        issued_at: NOW,
        node: "node-1".into(),
        model: Some("m".into()),
        residency: None,
        tenant: None,
        cache_secret: None,
    };
    headers.to_lines(CONTROL.method, CONTROL.path).unwrap()
}

fn encoded(control: &RequestControl<'_>, lines: &[(&str, String)], body: &[u8]) -> Vec<u8> {
    let fields = lines.iter().map(|(name, value)| (*name, value.as_bytes()));
    message(control, &fields.collect::<Vec<_>>(), body)
}

#[test]
fn an_honest_envelope_opens() {
    let node = Node::new();
    let message = encoded(&CONTROL, &lines(), BODY);
    let plaintext = open(&node, [envelope(&node, &message, 100).as_slice()]).unwrap();
    assert_eq!(&*plaintext.body, BODY);
    assert_eq!(plaintext.content_type, None);
    assert_eq!(plaintext.headers.check(&node.context(), NOW), Ok(()));
}

#[test]
fn every_installed_epoch_opens_and_a_retired_one_does_not() {
    let node = Node::new();
    let (old, _) = node.seal();
    node.receiver.install(KeyEpoch::generate(0x108, 10));
    assert_eq!(node.open(&old).1.epoch(), 0x107);
    let (under_way, _) = node.seal();
    let mut opener = node.receiver.open();
    opener.push(&under_way[..1200]).unwrap();
    node.receiver.retire(0x107);
    opener.push(&under_way[1200..]).unwrap();
    opener.finish().unwrap();
    let (late, _) = node.seal();
    let error = node.receiver.open().push(&late).unwrap_err();
    assert_eq!(error, ReceiverError::UnknownKey);
}

/// R10.1.
#[test]
fn requests_are_padded_to_their_bucket() {
    let node = Node::new();
    let lengths = PaddingProfile::ALL.map(|padding| {
        let peer = Peer {
            padding,
            ..node.peer()
        };
        let sealer = Sealer::to(peer, &node.keys(), NOW).unwrap();
        let (sealed, _) = sealer.seal(&request(), NOW).unwrap();
        let (plaintext, _) = node.open(&sealed.envelope);
        assert_eq!(&*plaintext.body, BODY);
        sealed.envelope.len()
    });
    let overhead = 7 + 1120 + 1 + 16;
    assert!(lengths[0] < lengths[1]);
    assert_eq!(lengths[1..], [overhead + 1024; 2]);
}

#[test]
fn an_envelope_may_be_cut_at_any_byte() {
    for node in [Node::new(), Node::with_x25519_only()] {
        let length = node.seal().0.len();
        for cut in 0..=length {
            let (sealed, _) = node.seal();
            let (first, second) = sealed.split_at(cut);
            assert!(open(&node, [first, second]).is_ok(), "cut at {cut}");
        }
        let (sealed, _) = node.seal();
        assert!(open(&node, sealed.chunks(1)).is_ok(), "byte by byte");
    }
}

#[test]
fn an_envelope_for_another_key_is_told_so() {
    let node = Node::new();
    let (mut envelope, _) = node.seal();
    envelope[0] ^= 1;
    let error = refusal(&node, &envelope);
    assert_eq!(error, ReceiverError::UnknownKey);
    assert_eq!(
        (error.status(), error.problem_type().is_some()),
        (400, true)
    );
}

#[test]
fn an_envelope_of_a_suite_that_is_not_offered_is_refused() {
    let node = Node::new();
    let headers: [[u8; 6]; 5] = [
        [0x64, 0x7b, 0, 1, 0, 2],
        [0x64, 0x7a, 0, 2, 0, 2],
        [0x64, 0x7a, 0, 1, 0, 3],
        [0x64, 0x7a, 0, 1, 0, 1],
        [0x00, 0x20, 0, 1, 0, 2],
    ];
    for suite in headers {
        let (mut envelope, _) = node.seal();
        envelope[1..7].copy_from_slice(&suite);
        assert_eq!(refusal(&node, &envelope), ReceiverError::Header);
    }
}

#[test]
fn a_point_of_low_order_is_refused() {
    let node = Node::with_x25519_only();
    let (mut envelope, _) = node.seal();
    envelope[7..39].fill(0);
    assert_eq!(refusal(&node, &envelope), ReceiverError::Header);
}

#[test]
fn an_envelope_for_another_node_does_not_open() {
    let (node, other) = (Node::new(), Node::new());
    let (envelope, _) = other.seal();
    assert_eq!(refusal(&node, &envelope), ReceiverError::Authentication);
}

#[test]
fn an_envelope_cut_at_any_byte_is_refused() {
    let node = Node::with_x25519_only();
    let (whole, _) = node.seal();
    for length in 0..whole.len() {
        let error = refusal(&node, &whole[..length]);
        let short_of_a_tag = length < 7 + 32 + 1 + 16;
        let expected = match short_of_a_tag {
            true => ReceiverError::Truncated,
            false => ReceiverError::Authentication,
        };
        assert_eq!(error, expected, "cut at {length}");
    }
    let message = encoded(&CONTROL, &lines(), BODY);
    let chunked = envelope(&node, &message, 50);
    for length in (0..chunked.len()).step_by(3) {
        let error = refusal(&node, &chunked[..length]);
        let cut = [ReceiverError::Truncated, ReceiverError::Replayed];
        assert!(cut.contains(&error), "cut at {length}: {error}");
    }
}

#[test]
fn no_flipped_bit_opens() {
    let node = Node::with_x25519_only();
    let (whole, _) = node.seal();
    for bit in 0..whole.len() * 8 {
        let mut changed = whole.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        // The highest bit of an X25519 point is ignored (RFC 7748 section 5), but the encapsulation is in the key schedule.
        assert!(open(&node, [changed.as_slice()]).is_err(), "bit {bit}");
    }
    assert!(
        open(&node, [whole.as_slice()]).is_ok(),
        "none of them was reserved"
    );
}

#[test]
fn bytes_after_the_end_are_refused() {
    let node = Node::new();
    let (mut longer, _) = node.seal();
    longer.push(0);
    assert_eq!(refusal(&node, &longer), ReceiverError::Authentication);
    let mut message = encoded(&CONTROL, &lines(), BODY);
    message.extend([0, 0, 0]);
    assert!(open(&node, [envelope(&node, &message, 1000).as_slice()]).is_ok());
    message.push(1);
    let error = refusal(&node, &envelope(&node, &message, 1000));
    assert_eq!(error, ReceiverError::AfterEnd);
}

#[test]
fn an_empty_chunk_is_refused() {
    let node = Node::new();
    let config = node.configs.preferred().unwrap();
    let header = Header {
        key_id: config.key_id,
        suite: config.suite,
    };
    let (enc, mut context) =
        setup_sender(config.suite, &config.public_key, &header.info()).unwrap();
    let mut tag = [0; 16];
    context.aead.seal(b"", b"", &mut tag).unwrap();
    let envelope = [header.encode().as_slice(), &enc, &[16], &tag].concat();
    assert_eq!(refusal(&node, &envelope), ReceiverError::EmptyChunk);
}

#[test]
fn a_request_above_the_limit_is_refused() {
    let node = Node::new();
    let of_length = |length| encoded(&CONTROL, &lines(), &vec![b'x'; length]);
    let seal = |message: &[u8]| envelope(&node, message, MAX_SENT_CHUNK);
    let plaintext = open(&node, [seal(&of_length(MAX_REQUEST)).as_slice()]).unwrap();
    assert_eq!(plaintext.body.len(), MAX_REQUEST);
    let error = refusal(&node, &seal(&of_length(MAX_REQUEST + 1)));
    assert_eq!(error, ReceiverError::TooLarge);
    let mut padded = of_length(1);
    padded.resize(MAX_REQUEST + 70_000, 0);
    assert_eq!(refusal(&node, &seal(&padded)), ReceiverError::TooLarge);

    let (sealed, _) = node.seal();
    let mut prefix = Vec::new();
    crate::varint::write_len(MAX_RECEIVED_CHUNK + 17, &mut prefix);
    let oversized = [&sealed[..7 + 1120], prefix.as_slice()].concat();
    assert_eq!(refusal(&node, &oversized), ReceiverError::TooLarge);
}

#[test]
fn an_envelope_opens_once() {
    let node = Node::new();
    let (envelope, _) = node.seal();
    assert!(open(&node, [envelope.as_slice()]).is_ok());
    assert_eq!(refusal(&node, &envelope), ReceiverError::Replayed);
}

#[test]
fn a_chunked_envelope_is_reserved_with_its_first_chunk() {
    let node = Node::new();
    let message = encoded(&CONTROL, &lines(), BODY);
    let envelope = envelope(&node, &message, 50);
    let first_chunk = 7 + 1120 + 2 + 50 + 16;
    let mut first = node.receiver.open();
    first.push(&envelope[..first_chunk - 1]).unwrap();
    let mut second = node.receiver.open();
    second.push(&envelope[..first_chunk]).unwrap();
    assert_eq!(
        first.push(&envelope[first_chunk - 1..]),
        Err(ReceiverError::Replayed)
    );
    assert_eq!(
        first.push(b""),
        Err(ReceiverError::Replayed),
        "errors are final"
    );
    assert_eq!(first.finish().map(|_| ()), Err(ReceiverError::Replayed));
    second.push(&envelope[first_chunk..]).unwrap();
    assert!(second.finish().is_ok());
}

/// R6.8.
#[test]
fn of_concurrent_duplicates_one_opens() {
    let node = Node::new();
    for size in [50, 10_000] {
        let message = encoded(&CONTROL, &lines(), BODY);
        let envelope = envelope(&node, &message, size);
        let opened = std::thread::scope(|scope| {
            let open = || open(&node, [envelope.as_slice()]).map(|_| ());
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(open)).collect();
            let results = threads.into_iter().map(|thread| thread.join().unwrap());
            let (opened, refused): (Vec<_>, Vec<_>) = results.partition(Result::is_ok);
            assert!(
                refused
                    .iter()
                    .all(|result| *result == Err(ReceiverError::Replayed))
            );
            opened.len()
        });
        assert_eq!(opened, 1);
    }
}

/// R6.9.
#[test]
fn a_full_replay_set_refuses_and_asks_for_time() {
    let node = Node::with_replay_capacity(1);
    let (first, _) = node.seal();
    let (second, _) = node.seal();
    assert!(open(&node, [first.as_slice()]).is_ok());
    let error = refusal(&node, &second);
    assert_eq!(error, ReceiverError::ReplaySetFull(0x107));
    assert_eq!((error.status(), error.problem_type()), (503, None));
    assert_eq!(refusal(&node, &first), ReceiverError::Replayed);
}

#[test]
fn an_inside_that_is_no_request_is_refused() {
    let node = Node::new();
    let honest = encoded(&CONTROL, &lines(), BODY);
    let insides = [
        b"\x03\x40\xc8".as_slice(),
        b"GET / HTTP/1.1\r\n\r\n",
        &honest[..30],
    ];
    for inside in insides {
        let error = refusal(&node, &envelope(&node, inside, 1000));
        assert_eq!(error, ReceiverError::Bhttp);
    }
    assert_eq!(
        refusal(&node, &envelope(&node, b"", 1)),
        ReceiverError::Bhttp
    );
}

#[test]
fn sealed_headers_and_target_are_demanded() {
    let node = Node::new();
    let answer = |control: &RequestControl<'_>, lines: &[(&str, String)]| {
        let message = encoded(control, lines, BODY);
        refusal(&node, &envelope(&node, &message, 1000))
    };
    let expected = ReceiverError::SealedHeader;
    let mut without = lines();
    without.remove(0);
    assert_eq!(answer(&CONTROL, &without), expected("narthex-binding"));
    let mut doubled = lines();
    doubled.push(doubled[0].clone());
    assert_eq!(answer(&CONTROL, &doubled), expected("narthex-binding"));
    let mut types = lines();
    types.extend([
        ("content-type", "a/b".to_owned()),
        ("content-type", "a/b".to_owned()),
    ]);
    assert_eq!(answer(&CONTROL, &types), expected("content-type"));
    let http = RequestControl {
        scheme: "http",
        ..CONTROL
    };
    assert_eq!(answer(&http, &lines()), expected("scheme"));
    let elsewhere = RequestControl {
        authority: "example.com",
        ..CONTROL
    };
    assert_eq!(answer(&elsewhere, &lines()), expected("authority"));
}

#[test]
fn a_responder_out_of_order_gives_nothing() {
    let node = Node::new();
    let responder = || node.open(&node.seal().0).1;
    let receipt = SignedReceipt::from_bytes(Vec::new());

    let mut body_first = responder();
    assert!(body_first.body(b"part").is_empty());
    assert!(body_first.head(200, &[]).is_empty());
    assert!(responder().finish(&receipt).is_empty());

    let mut two_heads = responder();
    assert!(!two_heads.head(200, &[]).is_empty());
    assert!(two_heads.body(b"").is_empty(), "an empty part is no chunk");
    assert!(!two_heads.body(b"part").is_empty());
    assert!(two_heads.head(200, &[]).is_empty());
    assert!(two_heads.body(b"part").is_empty());
    assert!(two_heads.finish(&receipt).is_empty());

    let mut injected = responder();
    assert!(injected.head(200, &[("a", b"b\r\nc: d")]).is_empty());
    assert!(injected.body(b"part").is_empty());
    let mut informational = responder();
    assert!(informational.head(100, &[]).is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn envelopes_survive_any_cut(
        body in prop::collection::vec(any::<u8>(), 0..40_000),
        size in 1_usize..MAX_SENT_CHUNK,
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let node = Node::with_x25519_only();
        let sealed = envelope(&node, &encoded(&CONTROL, &lines(), &body), size.max(200));
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(sealed.len() + 1)).collect();
        cuts.extend([0, sealed.len()]);
        cuts.sort_unstable();
        let pieces = cuts.windows(2).map(|pair| &sealed[pair[0]..pair[1]]);
        prop_assert_eq!(&*open(&node, pieces).unwrap().body, body.as_slice());
    }

    #[test]
    fn arbitrary_envelopes_do_not_open(bytes in prop::collection::vec(any::<u8>(), 0..1400)) {
        let node = Node::with_x25519_only();
        prop_assert!(open(&node, [bytes.as_slice()]).is_err());
        let addressed = [&[7, 0, 0x20, 0, 1, 0, 1], bytes.as_slice()].concat();
        prop_assert!(open(&node, [addressed.as_slice()]).is_err());
    }
}
