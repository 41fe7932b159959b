//! Receipts that are not those of the exchange.

use super::*;

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
    let changes: [Change<Receipt>; 21] = [
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
        ("engine", |receipt| receipt.engine.push('x')),
        ("isa", |receipt| receipt.isa.push('x')),
        ("kernels-digest", |receipt| receipt.kernels_digest[0] ^= 1),
        ("cubins-digest", |receipt| receipt.gpu = Some(GPU)),
        ("tenant", |receipt| receipt.tenant = Some([1; 32])),
    ];
    for (name, change) in changes {
        let expected = OpenError::Receipt(ReceiptError::Mismatch(name));
        assert_eq!(with_receipt(change), Err(expected));
    }
}

/// R7.3, of a node that computes on GPUs.
#[test]
fn a_receipt_of_other_code_for_gpus_is_refused() {
    let mut other = GPU;
    other.cubins_digest[0] ^= 1;
    let fast = GpuKernels {
        arithmetic: Arithmetic::Fast,
        ..GPU
    };
    for (gpu, expected) in [
        (Some(GPU), None),
        (None, Some("cubins-digest")),
        (Some(other), Some("cubins-digest")),
        (Some(fast), Some("arithmetic")),
    ] {
        let node = Node::new();
        let mut peer = node.peer();
        peer.computes.gpu = Some(GPU);
        let sealer = Sealer::to(peer, &node.keys(), NOW).unwrap();
        let (sealed, mut opener) = sealer.seal(&request(), NOW).unwrap();
        let change = |receipt: &mut Receipt| receipt.gpu = gpu;
        let pieces = node.respond_with(&sealed.envelope, &PARTS, change);
        let found = read(&mut opener, &pieces).err();
        let expected = expected.map(|name| OpenError::Receipt(ReceiptError::Mismatch(name)));
        assert_eq!(found, expected);
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
