//! Text comes out the same however the bytes are cut, and a stop string never.

use engine::text::{StopError, TextAssembler};
use proptest::prelude::*;

/// All text, and whether a stop string ended it.
fn assemble(pieces: &[&[u8]], stop: &[Vec<u8>]) -> (String, bool) {
    let mut assembler = TextAssembler::new(stop).unwrap();
    let mut text = String::new();
    for piece in pieces {
        let assembled = assembler.push(piece);
        text += &assembled.text;
        if assembled.stopped {
            return (text, true);
        }
    }
    (text + &assembler.finish(), false)
}

/// The definition: the stop string that is completed first wins, of those completed together the longest.
fn defined(bytes: &[u8], stop: &[Vec<u8>]) -> (String, bool) {
    for end in 1..=bytes.len() {
        let complete = stop.iter().filter(|s| bytes[..end].ends_with(s));
        if let Some(longest) = complete.map(Vec::len).max() {
            let before = String::from_utf8_lossy(&bytes[..end - longest]);
            return (before.into_owned(), true);
        }
    }
    (String::from_utf8_lossy(bytes).into_owned(), false)
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    bytes_up_to(40)
}

fn bytes_up_to(most: usize) -> impl Strategy<Value = Vec<u8>> {
    let letters = prop::sample::select(b"abab\xe2\x82\xac\xf0\x9f\x98\x80\xff\xc3".to_vec());
    prop::collection::vec(letters, 0..most)
}

proptest! {
    #[test]
    fn any_cut_gives_the_defined_text(
        bytes in bytes(),
        stop in prop::collection::vec(prop::collection::vec(prop::sample::select(b"ab\xe2\x82\xac".to_vec()), 1..5), 0..4),
        cut in 1usize..7,
    ) {
        let pieces: Vec<&[u8]> = bytes.chunks(cut).collect();
        prop_assert_eq!(assemble(&pieces, &stop), defined(&bytes, &stop));
    }

    /// Tokens of any length, the empty ones of control tokens among them; stop strings that begin and end alike.
    #[test]
    fn any_tokens_give_the_defined_text(
        tokens in prop::collection::vec(bytes_up_to(5), 0..24),
        stop in prop::collection::vec(prop::sample::select(vec!["a", "ab", "aba", "bab", "abab", "baab", "€", "\u{fffd}"]), 0..5),
    ) {
        let pieces: Vec<&[u8]> = tokens.iter().map(Vec::as_slice).collect();
        let stop: Vec<Vec<u8>> = stop.into_iter().map(|s| s.as_bytes().to_vec()).collect();
        prop_assert_eq!(assemble(&pieces, &stop), defined(&tokens.concat(), &stop));
    }

    /// What was sent can never turn out to be wrong, whatever follows.
    #[test]
    fn what_was_sent_begins_every_text(
        sent in bytes(), one in bytes(), other in bytes(),
        stop in prop::collection::vec(prop::sample::select(vec!["ab", "ba", "aab"]), 0..3),
    ) {
        let stop: Vec<Vec<u8>> = stop.into_iter().map(|s| s.as_bytes().to_vec()).collect();
        let now = TextAssembler::new(&stop).unwrap().push(&sent).text;
        for rest in [one, other] {
            let (text, _) = defined(&[sent.clone(), rest].concat(), &stop);
            prop_assert!(text.starts_with(&now), "{now:?} {text:?}");
        }
    }
}

#[test]
fn a_stop_string_may_be_the_first_thing_said() {
    assert_eq!(assemble(&[b"ab"], &[b"a".to_vec()]), (String::new(), true));
    let both = [b"ab".to_vec(), b"abc".to_vec()];
    assert_eq!(assemble(&[b"abc"], &both), (String::new(), true));
    let both = [b"abcd".to_vec(), b"bc".to_vec()];
    assert_eq!(
        assemble(&[b"a", b"bc", b"d"], &both),
        ("a".to_owned(), true)
    );
}

#[test]
fn bytes_that_never_become_a_character_are_shown_at_the_end() {
    let byte_tokens: [&[u8]; 4] = [b"a", b"\xf0", b"\x9f", b"\x98"];
    assert_eq!(assemble(&byte_tokens, &[]), ("a\u{fffd}".to_owned(), false));
    let broken: [&[u8]; 4] = [b"\xf0", b"\x9f", b"b", b"\xff"];
    assert_eq!(
        assemble(&broken, &[]),
        ("\u{fffd}b\u{fffd}".to_owned(), false)
    );
}

#[test]
fn incomplete_characters_are_held_back() {
    let mut assembler = TextAssembler::new(&[]).unwrap();
    assert_eq!(assembler.push(b"a\xf0\x9f").text, "a");
    assert_eq!(assembler.push(b"\x98").text, "");
    assert_eq!(assembler.push(b"\x80b").text, "😀b");
    assert_eq!(assembler.push(b"\xe2\x82").text, "");
    assert_eq!(assembler.finish(), "\u{fffd}");
}

#[test]
fn partial_stop_strings_are_held_back() {
    let mut assembler = TextAssembler::new(&[b"\n\nUser:".to_vec()]).unwrap();
    assert_eq!(assembler.push(b"hi\n").text, "hi");
    assert_eq!(assembler.push(b"\n").text, "");
    assert_eq!(assembler.push(b"\nUs").text, "\n");
    assert_eq!(assembler.push(b"age").text, "\n\nUsage");
    let last = assembler.push(b"!\n\nUser: more");
    assert_eq!((last.text.as_str(), last.stopped), ("!", true));
    assert_eq!(assembler.push(b"nothing").text, "");
    assert_eq!(assembler.finish(), "");
}

#[test]
fn a_stop_string_may_begin_within_a_character() {
    let (text, stopped) = assemble(&["a😀b".as_bytes()], &[b"\x98\x80b".to_vec()]);
    assert_eq!((text.as_str(), stopped), ("a\u{fffd}", true));
}

#[test]
fn impossible_stop_strings_are_refused() {
    let refusal = |stop: &[Vec<u8>]| TextAssembler::new(stop).err();
    assert_eq!(refusal(&vec![b"x".to_vec(); 17]), Some(StopError::Count));
    assert_eq!(
        refusal(&[b"x".to_vec(), Vec::new()]),
        Some(StopError::Length)
    );
    assert_eq!(refusal(&[vec![0; 4097]]), Some(StopError::Length));
    assert_eq!(refusal(&[vec![0; 4096]]), None);
}
