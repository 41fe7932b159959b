//! Requests, and responses as they arrive.

use super::*;

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
