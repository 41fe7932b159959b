//! Answers under a padding profile: one size of chunk and nothing else for whatever is said.

use super::*;
use crate::{
    PaddingProfile, ResponseEvent,
    padding::{RECORD_LEN, SEALED_RECORD_LEN},
};

const PADDED: [PaddingProfile; 2] = [PaddingProfile::Default, PaddingProfile::Strict];
const STREAM: (&str, &[u8]) = ("content-type", b"text/event-stream");
const JSON: (&str, &[u8]) = ("content-type", b"application/json");
/// max(Nn, Nk) of AES-128-GCM.
const NONCE: usize = 16;

/// An answer as it was sent, and what its client read.
struct Answer {
    /// Bytes of the pieces given out by head, parts, flushes and end.
    pieces: Vec<usize>,
    outer: Vec<u8>,
    body: Vec<u8>,
}

/// Answers with `parts`, flushing after each as often as it says.
fn answer(padding: PaddingProfile, headers: &[(&str, &[u8])], parts: &[(&[u8], usize)]) -> Answer {
    let node = Node::with_padding(padding).x25519_only();
    let (envelope, mut opener) = node.seal();
    let (request, mut responder) = node.open(&envelope);
    let mut outer = responder.head(200, headers);
    let mut pieces = vec![outer.len()];
    for (part, flushes) in parts {
        let start = outer.len();
        responder.body_into(part, &mut outer);
        (0..*flushes).for_each(|_| responder.flush_into(&mut outer));
        pieces.push(outer.len() - start);
    }
    let receipt = node.receipt(&request, &responder).sign(&node.identity);
    let end = responder.finish(&receipt);
    pieces.push(end.len());
    outer.extend(end);
    let mut events = opener.push(&outer).unwrap();
    // Verifies the receipt, whose response digest covers the body as it was sealed.
    events.extend(opener.finish().unwrap());
    let body = events.into_iter().filter_map(|event| match event {
        ResponseEvent::Body(part) => Some(part),
        _ => None,
    });
    Answer {
        pieces,
        body: body.flatten().collect(),
        outer,
    }
}

/// Number of chunks; they all have one size.
fn records(outer: &[u8]) -> usize {
    let (rest, last) = outer[NONCE..]
        .split_last_chunk::<{ SEALED_RECORD_LEN - 1 }>()
        .unwrap();
    assert_eq!(last[0], 0, "the last chunk");
    for chunk in rest.chunks(SEALED_RECORD_LEN) {
        assert_eq!(chunk.len(), SEALED_RECORD_LEN);
        assert_eq!(
            chunk[..2],
            ((RECORD_LEN as u16 + 16) | 0x4000).to_be_bytes()
        );
    }
    rest.len() / SEALED_RECORD_LEN + 1
}

/// The data of each event, by the steps of HTML's section 9.2.6; no event goes on at the end of the stream.
fn events(stream: &[u8]) -> Vec<Vec<u8>> {
    let (mut events, mut data) = (Vec::new(), Vec::new());
    let unix = String::from_utf8(stream.to_vec())
        .unwrap()
        .replace("\r\n", "\n");
    let lines = unix.split_terminator(['\n', '\r']);
    for line in lines {
        if line.is_empty() && !data.is_empty() {
            data.pop();
            events.push(std::mem::take(&mut data));
        } else if let Some(value) = line.strip_prefix("data:") {
            data.extend(value.strip_prefix(' ').unwrap_or(value).bytes());
            data.push(b'\n');
        }
    }
    events
}

/// R10.4.
#[test]
fn a_document_is_kept_until_its_end_and_has_a_bucket() {
    for (padding, short, long) in [
        (PaddingProfile::Default, 8, 16),
        (PaddingProfile::Strict, 16, 16),
    ] {
        for (length, expected) in [
            (0, short),
            (1, short),
            (63, short),
            (64, short),
            (2000, short),
            (5000, long),
            (100_000, 256),
        ] {
            let body = vec![b'x'; length];
            let answer = answer(padding, &[JSON], &[(&body, 1)]);
            assert_eq!(answer.body, body);
            assert_eq!(
                records(&answer.outer),
                expected,
                "{padding:?}, {length} bytes"
            );
            assert_eq!(answer.pieces[..2], [0, 0], "nothing before the end");
        }
    }
}

#[test]
fn a_default_stream_gives_what_waits_and_nothing_when_nothing_does() {
    let event = b"data: one\n\n".as_slice();
    let long = [b"data: ".as_slice(), &[b'x'; 600], b"\n\n"].concat();
    let parts: [(&[u8], usize); 4] = [(event, 1), (b"", 1), (&long, 1), (b"", 0)];
    let answer = answer(PaddingProfile::Default, &[STREAM], &parts);
    let one = SEALED_RECORD_LEN;
    assert_eq!(answer.pieces[..5], [0, NONCE + one, 0, 2 * one, 0]);
    assert_eq!(answer.pieces[5], 8 * one - 1);
    assert_eq!(events(&answer.body).len(), 2);
}

#[test]
fn the_head_goes_out_with_a_first_flush_even_if_nothing_is_said() {
    for padding in PADDED {
        let answer = answer(padding, &[STREAM], &[(b"", 1)]);
        assert_eq!(answer.pieces[1], NONCE + SEALED_RECORD_LEN);
        assert_eq!(events(&answer.body), Vec::<Vec<u8>>::new());
    }
}

#[test]
fn a_strict_stream_gives_one_record_for_each_flush() {
    let long = [b"data: ".as_slice(), &[b'x'; 1500], b"\n\n"].concat();
    let parts: [(&[u8], usize); 3] = [(&long, 1), (b"", 1), (b"data: two\n\n", 7)];
    let answer = answer(PaddingProfile::Strict, &[STREAM], &parts);
    let one = SEALED_RECORD_LEN;
    assert_eq!(answer.pieces[..4], [0, NONCE + one, one, 7 * one]);
    assert_eq!(records(&answer.outer), 16);
    assert_eq!(events(&answer.body), [vec![b'x'; 1500], b"two".to_vec()]);
}

#[test]
fn the_receipts_length_does_not_show() {
    for padding in PADDED {
        let lengths = ["m", &"m".repeat(200)].map(|model| {
            let node = Node::with_padding(padding);
            let (envelope, _) = node.seal();
            let pieces = node.respond_with(&envelope, &[b"data: a\n\n"], |receipt| {
                model.clone_into(&mut receipt.model)
            });
            pieces.concat().len()
        });
        assert_eq!(lengths[0], lengths[1]);
    }
}

#[test]
fn padding_tells_no_event_from_another_by_its_length() {
    for padding in PADDED {
        let length = |text: &[u8]| {
            let event = [b"data: ".as_slice(), text, b"\n\n"].concat();
            answer(padding, &[STREAM], &[(&event, 1), (&event, 1)])
                .outer
                .len()
        };
        assert_eq!(length(b"no"), length(&[b'y'; 400]));
    }
}

/// Pieces of events, some of them broken.
fn texts() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just("\n\n".to_owned()),
        Just("data: ".to_owned()),
        Just("\r\n".to_owned()),
        "[a-z: \n\r]{0,40}",
        "data: [a-z]{0,900}\n\n",
    ];
    prop::collection::vec(piece, 0..20).prop_map(|pieces| pieces.concat().into_bytes())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// R10.2.
    #[test]
    fn every_chunk_of_a_stream_has_one_size_wherever_it_is_cut(
        text in texts(),
        cuts in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..3), 0..12),
    ) {
        let mut cuts: Vec<(usize, usize)> = cuts.iter().map(|(cut, flushes)| (cut.index(text.len() + 1), *flushes)).collect();
        cuts.extend([(0, 0), (text.len(), 1)]);
        cuts.sort_unstable();
        let pairs = cuts.windows(2);
        let parts: Vec<(&[u8], usize)> = pairs.map(|pair| (&text[pair[0].0..pair[1].0], pair[1].1)).collect();
        for padding in PADDED {
            let answer = answer(padding, &[STREAM], &parts);
            let total = records(&answer.outer);
            prop_assert!(padding == PaddingProfile::Default || (total.is_power_of_two() && total >= 16));
            prop_assert_eq!(events(&answer.body), events(&text));
        }
    }

    #[test]
    fn every_document_comes_back_whole(body in prop::collection::vec(any::<u8>(), 0..6000)) {
        for padding in PADDED {
            let answer = answer(padding, &[JSON], &[(&body, 0)]);
            prop_assert!(records(&answer.outer).is_power_of_two());
            prop_assert_eq!(&answer.body, &body);
        }
    }
}
