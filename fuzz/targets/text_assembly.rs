//! Any bytes, any stop strings, any cut: the text is the one that the definition gives, and every piece of it is certain.
#![no_main]

use engine::text::TextAssembler;
use narthex_fuzz::{joined, parts, seeds};

libfuzzer_sys::fuzz_target!(init: plant(), |data: &[u8]| check(data));

fn check(data: &[u8]) {
    let Some([cut, one, two, answer]) = parts(data) else {
        return;
    };
    let stop: Vec<Vec<u8>> = [one, two]
        .into_iter()
        .filter(|s| !s.is_empty())
        .map(<[u8]>::to_vec)
        .collect();
    let Ok(assembler) = TextAssembler::new(&stop) else {
        return;
    };
    let cut = usize::from(cut.first().copied().unwrap_or(0)).max(1);
    assert_eq!(
        assembled(assembler, answer.chunks(cut)),
        defined(answer, &stop)
    );
}

fn assembled<'a>(mut assembler: TextAssembler, pieces: impl Iterator<Item = &'a [u8]>) -> String {
    let mut text = String::new();
    for piece in pieces {
        let assembled = assembler.push(piece);
        text += &assembled.text;
        if assembled.stopped {
            return text;
        }
    }
    text + &assembler.finish()
}

/// The stop string that is completed first wins, of those completed together the longest.
fn defined(answer: &[u8], stop: &[Vec<u8>]) -> String {
    let end = |end: usize| {
        let complete = stop.iter().filter(move |s| answer[..end].ends_with(s));
        complete.map(Vec::len).max().map(|length| end - length)
    };
    let kept = (1..=answer.len()).find_map(end).unwrap_or(answer.len());
    String::from_utf8_lossy(&answer[..kept]).into_owned()
}

fn plant() {
    let seeds: [[&[u8]; 4]; 3] = [
        [b"\x01", b"ab", b"abab", b"aabxabab"],
        [b"\x02", b"\n\nUser:", b"", b"hi\n\nUsage\n\nUser: more"],
        [b"\x03", b"\x98\x80", b"\xe2", "a😀€\u{fffd}".as_bytes()],
    ];
    seeds::plant(seeds.map(|parts| joined(&parts)));
}
