mod damaged;
mod exchange;
mod receipts;
mod sealing;

use super::*;
use crate::{
    Outcome, PaddingProfile, Receipt, ReceiptError, SignedReceipt,
    test_exchange::{BODY, Change, NOW, Node, request},
};
use attestation::manifest::{Arithmetic, GpuKernels};
use proptest::prelude::*;

const GPU: GpuKernels = GpuKernels {
    cubins_digest: [12; 32],
    arithmetic: Arithmetic::Exact,
};
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
