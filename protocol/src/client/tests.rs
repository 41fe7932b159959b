use super::*;
use crate::{
    Receipt, ReceiptError, SignedReceipt,
    test_exchange::{BODY, NOW, Node, request},
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
