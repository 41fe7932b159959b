use super::*;
use crate::{
    IdentitySecret,
    test_exchange::{BODY, Change, Node},
};

const RESPONSE: &[u8] = b"data: one\n\ndata: [DONE]\n\n";

/// A receipt, its opening, and its node.
fn exchange() -> (Node, Receipt, Opening) {
    let node = Node::new();
    let (envelope, opener) = node.seal();
    let (request, mut responder) = node.open(&envelope);
    let _ = responder.head(200, &[]);
    let (first, second) = RESPONSE.split_at(7);
    let _ = responder.body(first);
    let _ = responder.body(second);
    let receipt = node.receipt(&request, &responder);
    (node, receipt, opener.opening())
}

fn disclosed() -> DisclosedExchange<'static> {
    DisclosedExchange {
        method: "POST",
        path: "/v1/chat/completions",
        request_body: BODY,
        status: 200,
        response_body: RESPONSE,
        tokens: Some(&[1, 2, 3]),
    }
}

#[test]
fn a_signed_receipt_comes_back() {
    let (node, mut receipt, _) = exchange();
    for (aibom, residency) in [(None, None), (Some([1; 32]), Some("DE".to_owned()))] {
        receipt.aibom_digest = aibom;
        receipt.residency = residency;
        let signed = receipt.sign(&node.identity);
        assert_eq!(signed.verify(&node.identity.public()), Ok(receipt.clone()));
    }
}

const GPU: GpuKernels = GpuKernels {
    cubins_digest: [14; 32],
    arithmetic: Arithmetic::Fast,
};

#[test]
fn a_receipt_says_what_computed_on_gpus() {
    let (node, mut receipt, _) = exchange();
    for arithmetic in [Arithmetic::Exact, Arithmetic::Fast] {
        receipt.gpu = Some(GpuKernels { arithmetic, ..GPU });
        let signed = receipt.sign(&node.identity);
        assert_eq!(signed.verify(&node.identity.public()), Ok(receipt.clone()));
    }
}

/// R7.1.
#[test]
fn the_fields_of_gpus_come_together() {
    let fields = gpu_fields(&GPU).map(|(key, value)| (Value::from(key), value));
    let [arithmetic, digest] = fields;
    let with = |more: Vec<(Value, Value)>| reencoded(|map| map.extend(more)).is_ok();
    assert!(with(vec![arithmetic.clone(), digest.clone()]));
    assert!(!with(vec![arithmetic.clone()]));
    assert!(!with(vec![digest.clone()]));
    let other = |field: &(Value, Value), value: Value| (field.0.clone(), value);
    for value in ["", "Exact", "exact "] {
        assert!(!with(vec![
            other(&arithmetic, value.into()),
            digest.clone()
        ]));
    }
    let short = other(&digest, Value::Bytes(vec![14; 31]));
    assert!(!with(vec![arithmetic, short]));
}

#[test]
fn another_identitys_receipt_is_refused() {
    let (node, receipt, _) = exchange();
    let signed = receipt.sign(&IdentitySecret::generate());
    let result = signed.verify(&node.identity.public());
    assert_eq!(result, Err(ReceiptError::Signature));
    assert_eq!(signed.read_unverified(), Ok(receipt));
}

#[test]
fn a_signed_key_list_is_no_receipt() {
    let node = Node::new();
    let list = SignedReceipt::from_bytes(node.keys().as_bytes().to_vec());
    let result = list.verify(&node.identity.public());
    assert_eq!(result, Err(ReceiptError::Malformed));
    assert_eq!(list.read_unverified(), Err(ReceiptError::Malformed));
}

/// The answer to a receipt with its map changed before it was signed.
fn reencoded(change: impl FnOnce(&mut Vec<(Value, Value)>)) -> Result<Receipt, ReceiptError> {
    let (node, receipt, _) = exchange();
    let identity = node.identity.public();
    let signed = receipt.sign(&node.identity);
    let payload = cose::open(
        CONTENT_TYPE,
        signed.as_bytes(),
        MAX_SIGNED_RECEIPT,
        &identity,
    );
    let map = cbor::decode(&payload.unwrap(), MAX_SIGNED_RECEIPT).unwrap();
    let mut map = map.into_map().unwrap();
    change(&mut map);
    let payload = cbor::encode(&Value::Map(map));
    let signed = cose::sign(CONTENT_TYPE, payload, &node.identity);
    SignedReceipt::from_bytes(signed).verify(&identity)
}

/// R7.1.
#[test]
fn every_field_is_needed_and_none_is_unknown() {
    let mut fields = 0;
    assert!(reencoded(|map| fields = map.len()).is_ok());
    for at in 0..fields {
        let mut optional = false;
        let absent = reencoded(|map| {
            optional = map[at].0.as_text() == Some("residency");
            map.remove(at);
        });
        assert_eq!(absent.is_ok(), optional, "field {at}");
        let mistyped = reencoded(|map| map[at].1 = Value::Null);
        assert_eq!(mistyped, Err(ReceiptError::Malformed), "field {at}");
    }
    let unknown = reencoded(|map| map.push(("x".into(), 1.into())));
    assert_eq!(unknown, Err(ReceiptError::Malformed));
    let version = |map: &mut Vec<(Value, Value)>| {
        let field = map.iter_mut().find(|(key, _)| key.as_text() == Some("v"));
        field.unwrap().1 = 2.into();
    };
    assert_eq!(reencoded(version), Err(ReceiptError::Malformed));
}

#[test]
fn an_auditor_opens_the_digests_with_the_secret() {
    let (_, receipt, opening) = exchange();
    let opening = Opening::from_bytes(*opening.as_bytes());
    assert_eq!(receipt.opens(&opening, &disclosed()), Ok(()));
    let without_tokens = DisclosedExchange {
        tokens: None,
        ..disclosed()
    };
    assert_eq!(receipt.opens(&opening, &without_tokens), Ok(()));
}

#[test]
fn another_exchange_or_secret_does_not_open() {
    let (_, receipt, opening) = exchange();
    let changes: [Change<DisclosedExchange<'static>>; 6] = [
        ("request", |exchange| exchange.method = "GET"),
        ("request", |exchange| exchange.path = "/v1/completions"),
        ("request", |exchange| exchange.request_body = b"other"),
        ("status", |exchange| exchange.status = 500),
        ("response", |exchange| exchange.response_body = b"other"),
        ("tokens", |exchange| exchange.tokens = Some(&[1, 2])),
    ];
    for (name, change) in changes {
        let mut exchange = disclosed();
        change(&mut exchange);
        let result = receipt.opens(&opening, &exchange);
        assert_eq!(result, Err(ReceiptError::Mismatch(name)));
    }
    let other = Opening::from_bytes([0; 32]);
    let result = receipt.opens(&other, &disclosed());
    assert_eq!(result, Err(ReceiptError::Mismatch("request")));
}

/// R7.2.
#[test]
fn digests_have_the_documented_layout() {
    let opening = Opening::from_bytes([7; 32]);
    let body = attestation::crypto::sha256(b"body");
    let field = |bytes: &[u8]| [&(bytes.len() as u64).to_be_bytes(), bytes].concat();
    let mac = |fields: &[&[u8]]| {
        let input: Vec<u8> = fields.iter().flat_map(|bytes| field(bytes)).collect();
        *crate::crypto::hmac_sha256(&[7; 32], &[&input])
    };
    let request = mac(&[b"narthex/1/request", b"POST", b"/", &body]);
    assert_eq!(opening.request_digest("POST", "/", b"body"), request);
    let status = 200_u64.to_be_bytes();
    let response = mac(&[b"narthex/1/response", &status, &body]);
    assert_eq!(opening.response_digest(200, b"body"), response);
    let tokens = mac(&[b"narthex/1/tokens", &[1, 0, 0, 0, 2, 1, 0, 0]]);
    assert_eq!(opening.tokens_digest(&[1, 0x102]), tokens);
}
