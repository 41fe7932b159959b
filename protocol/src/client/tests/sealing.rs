//! Who can seal, what, and to which bytes.

use super::*;

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
