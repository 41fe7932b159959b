//! Responses that are not what the node sent, or that no node may send.

use super::*;

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
