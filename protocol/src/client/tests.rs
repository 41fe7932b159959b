use super::*;
use crate::{
    Outcome, PaddingProfile, Receipt, ReceiptError, SignedReceipt,
    test_exchange::{BODY, Change, NOW, Node, request},
};
use proptest::prelude::*;

const PARTS: [&[u8]; 3] = [b"data: one\n\n", b"data: two\n\n", b"data: [DONE]\n\n"];

fn head() -> ResponseEvent {
    ResponseEvent::Head {
        status: 200,
        headers: vec![("content-type".into(), b"text/event-stream".to_vec())],
    }
}

/// Pushes `pieces`, then finishes.
fn read(opener: &mut Opener, pieces: &[Vec<u8>]) -> Result<Vec<ResponseEvent>, OpenError> {
    let mut events = Vec::new();
    for piece in pieces {
        events.extend(opener.push(piece)?);
    }
    events.extend(opener.finish()?);
    Ok(events)
}

/// The body and the receipt, of events that begin with a head and end with an end.
fn body_and_receipt(events: &[ResponseEvent]) -> (Vec<u8>, &SignedReceipt) {
    let [first, middle @ .., ResponseEvent::End { receipt }] = events else {
        panic!("no end");
    };
    assert_eq!(*first, head());
    let body = middle.iter().flat_map(|event| match event {
        ResponseEvent::Body(part) => part.clone(),
        other => panic!("{other:?}"),
    });
    (body.collect(), receipt)
}

#[test]
fn a_request_and_its_streamed_response() {
    for node in [Node::new(), Node::with_x25519_only()] {
        let (envelope, mut opener) = node.seal();
        let (request, mut responder) = node.open(&envelope);
        assert_eq!(request.method, "POST");
        assert_eq!(request.path, "/v1/chat/completions");
        assert_eq!(request.content_type.as_deref(), Some("application/json"));
        assert_eq!(&*request.body, BODY);
        assert_eq!(request.headers.check(&node.context(), NOW), Ok(()));

        let sent = responder.head(200, &[("content-type", b"text/event-stream")]);
        assert_eq!(opener.push(&sent).unwrap(), [head()]);
        for part in PARTS {
            let sent = responder.body(part);
            let body = ResponseEvent::Body(part.to_vec());
            assert_eq!(
                opener.push(&sent).unwrap(),
                [body],
                "each part arrives with its chunk"
            );
        }
        let receipt = node.receipt(&request, &responder).sign(&node.identity);
        assert_eq!(opener.push(&responder.finish(&receipt)).unwrap(), []);
        assert_eq!(opener.finish().unwrap(), [ResponseEvent::End { receipt }]);
    }
}

#[test]
fn parts_are_lent_as_their_chunks_arrive() {
    let node = Node::new();
    let (envelope, mut opener) = node.seal();
    let pieces = node.respond(&envelope, &PARTS);
    let mut lent = Vec::new();
    let sent = pieces.concat();
    let mut sink = |part: ResponsePart<'_>| match part {
        ResponsePart::Head { status, headers } => assert_eq!((status, headers.len()), (200, 1)),
        ResponsePart::Body(part) => lent.push(part.to_vec()),
    };
    opener.push_with(&sent, &mut sink).unwrap();
    assert_eq!(lent, PARTS, "each chunk is lent by itself");
    let end = opener.finish().unwrap();
    assert!(matches!(end.as_slice(), [ResponseEvent::End { .. }]));

    let (envelope, mut opener) = node.seal();
    let mut pieces = node.respond(&envelope, &PARTS);
    pieces[1][3] ^= 1;
    let mut lent = 0;
    let refused = opener.push_with(&pieces.concat(), |_| lent += 1);
    assert_eq!(refused, Err(OpenError::Authentication));
    assert_eq!(lent, 1, "the head is lent, nothing behind the change");
    assert_eq!(opener.push_with(&[], |_| ()), refused, "errors are final");
}

#[test]
fn a_response_may_come_byte_by_byte() {
    for node in [Node::new(), Node::with_x25519_only()] {
        let (envelope, mut opener) = node.seal();
        let sent = node.respond(&envelope, &PARTS).concat();
        let bytes: Vec<Vec<u8>> = sent.iter().map(|byte| vec![*byte]).collect();
        let events = read(&mut opener, &bytes).unwrap();
        assert_eq!(body_and_receipt(&events).0, PARTS.concat());
    }
}

/// A second exchange's pieces with the receipt changed; what the client of the first makes of it.
fn with_receipt(change: impl FnOnce(&mut Receipt)) -> Result<Vec<ResponseEvent>, OpenError> {
    let node = Node::new();
    let (envelope, mut opener) = node.seal();
    let pieces = node.respond_with(&envelope, &PARTS, change);
    read(&mut opener, &pieces)
}

/// R7.3.
#[test]
fn a_receipt_about_another_exchange_is_refused() {
    assert!(with_receipt(|_| {}).is_ok());
    let changes: [Change<Receipt>; 17] = [
        ("status", |receipt| receipt.status = 500),
        ("response", |receipt| receipt.digests.response[0] ^= 1),
        ("request-id", |receipt| receipt.request_id[0] ^= 1),
        ("request", |receipt| receipt.digests.request[0] ^= 1),
        ("binding", |receipt| receipt.binding_id.0[0] ^= 1),
        ("manifest", |receipt| receipt.manifest[0] ^= 1),
        ("policy-version", |receipt| receipt.policy_version += 1),
        ("policy-digest", |receipt| receipt.policy_digest[0] ^= 1),
        ("client-policy", |receipt| receipt.client_policy[0] ^= 1),
        ("model", |receipt| receipt.model.push('x')),
        ("node", |receipt| receipt.node.push('x')),
        ("epoch", |receipt| receipt.epoch += 1),
        ("residency", |receipt| receipt.residency = None),
        ("tokenizer", |receipt| receipt.tokenizer_digest[0] ^= 1),
        ("template", |receipt| receipt.template_digest[0] ^= 1),
        ("padding", |receipt| {
            receipt.padding = PaddingProfile::Strict
        }),
        ("tenant", |receipt| receipt.tenant = Some([1; 32])),
    ];
    for (name, change) in changes {
        let expected = OpenError::Receipt(ReceiptError::Mismatch(name));
        assert_eq!(with_receipt(change), Err(expected));
    }
}

/// R7.4.
#[test]
fn an_authentic_end_of_an_answer_that_is_not_whole_is_no_answer() {
    for outcome in [Outcome::Failed, Outcome::Abandoned] {
        let node = Node::new();
        let (envelope, mut opener) = node.seal();
        let pieces = node.respond_with(&envelope, &PARTS, |receipt| receipt.outcome = outcome);
        assert_eq!(read(&mut opener, &pieces), Err(OpenError::Outcome(outcome)));
        assert_eq!(opener.finish(), Err(OpenError::Outcome(outcome)));
        let receipt = opener.unfinished().unwrap();
        let receipt = receipt.verify(&node.identity.public()).unwrap();
        assert_eq!(receipt.outcome, outcome);
    }
}

#[test]
fn the_receipt_of_a_whole_answer_and_of_another_exchange_is_not_that_of_an_unfinished_one() {
    let node = Node::new();
    let (envelope, mut opener) = node.seal();
    let pieces = node.respond_with(&envelope, &PARTS, |receipt| {
        receipt.outcome = Outcome::Failed;
        receipt.request_id[0] ^= 1;
    });
    let expected = OpenError::Receipt(ReceiptError::Mismatch("request-id"));
    assert_eq!(read(&mut opener, &pieces), Err(expected));
    assert_eq!(opener.unfinished(), None);
}

#[test]
fn the_tenant_of_a_receipt_is_the_one_that_was_sealed() {
    for (named, expected) in [
        (true, Ok(())),
        (
            false,
            Err(OpenError::Receipt(ReceiptError::Mismatch("tenant"))),
        ),
    ] {
        let node = Node::new();
        let tenant = crate::IdentitySecret::generate();
        let request = ClientRequest {
            tenant: Some(&tenant),
            ..request()
        };
        let (sealed, mut opener) = node.sealer().unwrap().seal(&request, NOW).unwrap();
        let pieces = node.respond_with(&sealed.envelope, &PARTS, |receipt| {
            receipt.tenant = named.then_some(tenant.public().0);
        });
        assert_eq!(read(&mut opener, &pieces).map(drop), expected);
    }
}

#[test]
fn a_refusal_states_the_runtimes_own_model_country_tenant_and_policy() {
    for (status, accepted) in [(421, true), (404, true), (400, false)] {
        let node = Node::new();
        let (envelope, mut opener) = node.seal();
        let (request, mut responder) = node.open(&envelope);
        let head = responder.head(status, &[]);
        let mut receipt = node.receipt(&request, &responder);
        receipt.status = status;
        receipt.model = "another".into();
        receipt.residency = None;
        receipt.tenant = Some([1; 32]);
        (receipt.policy_version, receipt.policy_digest) = (6, [6; 32]);
        let end = responder.finish(&receipt.sign(&node.identity));
        assert_eq!(
            read(&mut opener, &[head, end]).is_ok(),
            accepted,
            "{status}"
        );
    }
}

#[test]
fn the_receipt_of_the_same_request_sealed_again_is_refused() {
    let node = Node::new();
    let (first, _) = node.seal();
    let (request, mut responder) = node.open(&first);
    let _ = responder.head(200, &[]);
    let receipt = node.receipt(&request, &responder).sign(&node.identity);

    let (second, mut opener) = node.seal();
    let (_, mut responder) = node.open(&second);
    let pieces = [responder.head(200, &[]), responder.finish(&receipt)];
    let expected = OpenError::Receipt(ReceiptError::Mismatch("response"));
    assert_eq!(read(&mut opener, &pieces), Err(expected));
}

/// The answer to a response whose trailer is `receipt`.
fn with_signed(receipt: impl FnOnce(&Node, &Receipt) -> SignedReceipt) -> OpenError {
    let node = Node::new();
    let (envelope, mut opener) = node.seal();
    let (request, mut responder) = node.open(&envelope);
    let head = responder.head(200, &[]);
    let honest = node.receipt(&request, &responder);
    let receipt = receipt(&node, &honest);
    read(&mut opener, &[head, responder.finish(&receipt)]).unwrap_err()
}

#[test]
fn a_receipt_by_another_identity_or_malformed_is_refused() {
    let forged = with_signed(|_, receipt| receipt.sign(&crate::IdentitySecret::generate()));
    assert_eq!(forged, OpenError::Receipt(ReceiptError::Signature));
    let malformed = with_signed(|_, _| SignedReceipt::from_bytes(vec![1, 2, 3]));
    assert_eq!(malformed, OpenError::Receipt(ReceiptError::Malformed));
    let empty = with_signed(|_, _| SignedReceipt::from_bytes(Vec::new()));
    assert_eq!(empty, OpenError::Receipt(ReceiptError::Malformed));
}

/// The answer to a response whose inside is `message`, sealed by a node that does not keep to the protocol.
fn inside(message: &[u8]) -> Result<Vec<ResponseEvent>, OpenError> {
    let node = Node::new();
    let (envelope, mut opener) = node.seal();
    let (_, responder) = node.open(&envelope);
    let (mut sent, sealer) = responder.into_raw();
    sealer.seal_final(&[message], &mut sent).unwrap();
    read(&mut opener, &[sent])
}

/// R6.10.
#[test]
fn a_response_without_exactly_one_receipt_is_refused() {
    let mut head = Vec::new();
    bhttp::encode_response(200, &[], &mut head).unwrap();
    let absent = Err(OpenError::Receipt(ReceiptError::Absent));
    assert_eq!(inside(&head), absent);
    let with_trailers = |trailers: &[(&str, &[u8])]| {
        let mut message = head.clone();
        bhttp::encode_end(trailers, &mut message).unwrap();
        inside(&message)
    };
    assert_eq!(with_trailers(&[]), absent);
    assert_eq!(with_trailers(&[("other", b"AAAA")]), absent);
    let malformed = Err(OpenError::Receipt(ReceiptError::Malformed));
    let line = ("narthex-receipt", b"AAAA".as_slice());
    assert_eq!(with_trailers(&[line, line]), malformed);
    assert_eq!(
        with_trailers(&[("narthex-receipt", b"AAAA====")]),
        malformed
    );
    assert_eq!(with_trailers(&[("narthex-receipt", b"+/+/")]), malformed);
}

#[test]
fn an_inside_that_is_no_response_is_refused() {
    assert_eq!(inside(b""), Err(OpenError::Bhttp));
    assert_eq!(inside(&[2]), Err(OpenError::Bhttp));
    assert_eq!(inside(&[3, 0x40, 0x64, 0]), Err(OpenError::Bhttp));
    let mut message = Vec::new();
    bhttp::encode_response(200, &[], &mut message).unwrap();
    bhttp::encode_end(&[], &mut message).unwrap();
    message.push(1);
    assert_eq!(inside(&message), Err(OpenError::AfterEnd));
}

#[test]
fn a_response_cut_anywhere_is_refused() {
    let node = Node::new();
    let (envelope, _) = node.seal();
    let length = node.respond(&envelope, &PARTS).concat().len();
    let last_chunk = node_last_chunk_len(&node);
    for cut in (0..length).step_by(7).chain(length - 20..length) {
        let (envelope, mut opener) = node.seal();
        let sent = node.respond(&envelope, &PARTS).concat();
        let result = read(&mut opener, &[sent[..cut].to_vec()]);
        let expected = match cut {
            cut if cut < length - last_chunk + 1 + 16 => OpenError::Truncated,
            _ => OpenError::Authentication,
        };
        assert_eq!(result, Err(expected), "cut at {cut}");
    }
}

fn node_last_chunk_len(node: &Node) -> usize {
    let (envelope, _) = node.seal();
    node.respond(&envelope, &PARTS).last().unwrap().len()
}

#[test]
fn a_bit_flipped_in_any_piece_is_refused() {
    let node = Node::with_x25519_only();
    let (envelope, _) = node.seal();
    let lengths: Vec<usize> = node
        .respond(&envelope, &PARTS)
        .iter()
        .map(Vec::len)
        .collect();
    for (piece, length) in lengths.into_iter().enumerate() {
        for at in [0, 1, length / 2, length - 1] {
            let (envelope, mut opener) = node.seal();
            let mut pieces = node.respond(&envelope, &PARTS);
            pieces[piece][at] ^= 0x01;
            assert!(
                read(&mut opener, &pieces).is_err(),
                "piece {piece}, byte {at}"
            );
        }
    }
}

#[test]
fn pieces_dropped_doubled_or_swapped_are_refused() {
    let node = Node::new();
    let changes: [fn(&mut Vec<Vec<u8>>); 3] = [
        |pieces| drop(pieces.remove(2)),
        |pieces| pieces.insert(2, pieces[2].clone()),
        |pieces| pieces.swap(2, 3),
    ];
    for change in changes {
        let (envelope, mut opener) = node.seal();
        let mut pieces = node.respond(&envelope, &PARTS);
        change(&mut pieces);
        assert_eq!(read(&mut opener, &pieces), Err(OpenError::Authentication));
    }
}

#[test]
fn empty_and_oversized_chunks_are_refused() {
    let node = Node::new();
    let (envelope, mut opener) = node.seal();
    let head = node.respond(&envelope, &[]).remove(0);
    opener.push(&head).unwrap();
    let empty = [vec![16], vec![0; 16]].concat();
    assert_eq!(opener.push(&empty), Err(OpenError::EmptyChunk));

    let (envelope, mut opener) = node.seal();
    let head = node.respond(&envelope, &[]).remove(0);
    opener.push(&head).unwrap();
    assert_eq!(
        opener.push(&[0xbf, 0xff, 0xff, 0xff]),
        Err(OpenError::ChunkTooLarge)
    );
}

#[test]
fn errors_and_the_end_are_final() {
    let node = Node::new();
    let (envelope, mut opener) = node.seal();
    let pieces = node.respond(&envelope, &PARTS);
    read(&mut opener, &pieces).unwrap();
    assert_eq!(opener.push(b"x"), Err(OpenError::AfterEnd));
    assert_eq!(opener.finish(), Err(OpenError::AfterEnd));

    let (envelope, mut opener) = node.seal();
    let pieces = node.respond(&envelope, &PARTS);
    opener.push(&pieces[0]).unwrap();
    assert_eq!(opener.push(&pieces[2]), Err(OpenError::Authentication));
    assert_eq!(opener.push(&pieces[1]), Err(OpenError::Authentication));
    assert_eq!(opener.finish(), Err(OpenError::Authentication));
}

#[test]
fn the_opening_opens_the_receipt_that_arrived() {
    let node = Node::new();
    let (envelope, mut opener) = node.seal();
    let events = read(&mut opener, &node.respond(&envelope, &PARTS)).unwrap();
    let (body, receipt) = body_and_receipt(&events);
    let receipt = receipt.verify(opener.identity()).unwrap();
    let exchange = crate::DisclosedExchange {
        method: "POST",
        path: "/v1/chat/completions",
        request_body: BODY,
        status: 200,
        response_body: &body,
        tokens: Some(&[1, 2, 3]),
    };
    assert_eq!(receipt.opens(&opener.opening(), &exchange), Ok(()));
}

#[test]
fn a_sealer_needs_an_admission_and_a_list_in_their_time() {
    let node = Node::new();
    let sealer = node.sealer().unwrap();
    assert_eq!(sealer.node(), "node-1");
    assert_eq!(sealer.not_after(), UnixTime(NOW.0 + 599));
    let seal = |now| sealer.seal(&request(), now).map(|_| ());
    assert_eq!(seal(sealer.not_after()), Ok(()));
    let expired = SealError::KeyConfig(KeyConfigError::Expired);
    assert_eq!(seal(sealer.not_after().plus(1)), Err(expired));
    let early = SealError::KeyConfig(KeyConfigError::NotYetValid);
    assert_eq!(seal(UnixTime(0)), Err(early));

    let mut peer = node.peer();
    peer.not_after = NOW;
    let sealer = Sealer::to(peer, &node.keys(), NOW).unwrap();
    assert_eq!(sealer.not_after(), NOW);
    let result = sealer.seal(&request(), NOW.plus(1)).map(|_| ());
    assert_eq!(result, Err(SealError::AdmissionExpired));
    let mut peer = node.peer();
    peer.not_after = UnixTime(NOW.0 - 1);
    let result = Sealer::to(peer, &node.keys(), NOW).map(|_| ());
    assert_eq!(result, Err(SealError::AdmissionExpired));
}

#[test]
fn another_identitys_keys_make_no_sealer() {
    let (node, other) = (Node::new(), Node::new());
    let result = Sealer::to(node.peer(), &other.keys(), NOW).map(|_| ());
    assert_eq!(result, Err(SealError::KeyConfig(KeyConfigError::Signature)));
}

#[test]
fn a_public_key_that_is_none_seals_nothing() {
    let mut node = Node::with_x25519_only();
    node.configs.configs[5..37].fill(0);
    let sealer = node.sealer().unwrap();
    let result = sealer.seal(&request(), NOW).map(|_| ());
    assert_eq!(result, Err(SealError::Encapsulation));
}

#[test]
fn a_request_that_the_runtime_would_refuse_is_not_sealed() {
    let sealer = Node::new().sealer().unwrap();
    let seal = |request: ClientRequest<'_>| sealer.seal(&request, NOW).map(|_| ()).unwrap_err();
    let header = |request| matches!(seal(request), SealError::Header(_));
    assert!(header(ClientRequest {
        model: None,
        ..request()
    }));
    assert!(header(ClientRequest {
        model: Some(""),
        ..request()
    }));
    assert!(header(ClientRequest {
        residency: Some("Germany"),
        ..request()
    }));
    let encoding = |request| matches!(seal(request), SealError::Request(_));
    assert!(encoding(ClientRequest {
        model: Some("m\r\nx: y"),
        ..request()
    }));
    assert!(encoding(ClientRequest {
        content_type: Some("a\nb"),
        ..request()
    }));
    assert!(encoding(ClientRequest {
        method: "",
        ..request()
    }));
    assert!(encoding(ClientRequest {
        path: "/ x",
        ..request()
    }));
}

#[test]
fn debug_shows_no_prompt_and_no_answer() {
    let shown = format!(
        "{:?} {:?}",
        request(),
        ResponseEvent::Body(b"answer".to_vec())
    );
    assert!(shown.contains("/v1/chat/completions"));
    assert!(!shown.contains("messages") && !shown.contains("answer"));
    let bytes = format!("{:?}", &BODY[2..6]);
    assert!(!shown.contains(bytes.trim_matches(['[', ']'])));
}

/// R6.4.
#[test]
fn the_same_request_is_never_sealed_to_the_same_bytes() {
    let node = Node::new();
    let (first, second) = (node.seal().0, node.seal().0);
    assert_eq!(first[..7], second[..7], "the header names key and suite");
    assert_ne!(first[7..], second[7..]);
    let marker = b"messages";
    assert!(!first.windows(marker.len()).any(|window| window == marker));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn responses_survive_any_cut(
        parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40_000), 0..4),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let node = Node::with_x25519_only();
        let (envelope, mut opener) = node.seal();
        let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        let sent = node.respond(&envelope, &parts).concat();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(sent.len() + 1)).collect();
        cuts.extend([0, sent.len()]);
        cuts.sort_unstable();
        let pieces: Vec<Vec<u8>> =
            cuts.windows(2).map(|pair| sent[pair[0]..pair[1]].to_vec()).collect();
        let events = read(&mut opener, &pieces).unwrap();
        prop_assert_eq!(body_and_receipt(&events).0, parts.concat());
    }

    #[test]
    fn arbitrary_responses_do_not_open(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let (_, mut opener) = Node::with_x25519_only().seal();
        prop_assert!(read(&mut opener, &[bytes]).is_err());
    }
}
