//! A small tokenizer: what it refuses to load, what text can and cannot become, and that it bears any input.
#![allow(clippy::single_range_in_vec_init, reason = "tests")]

use std::ops::Range;

use engine::tokenizer::{SpecialTokens, Tokenizer, TokenizerError, TokenizerSource};
use proptest::prelude::*;

/// `a` to `c`, space, two merges, two control tokens, one user-defined.
fn source() -> TokenizerSource<'static> {
    TokenizerSource {
        model: "gpt2",
        pre_tokenizer: "smollm",
        tokens: vec![
            "a", "b", "c", "Ġ", "<", ">", "e", "ab", "abc", "<e>", "<b>", "<c>", "Ã", "©",
        ],
        kinds: vec![1, 1, 1, 1, 1, 1, 1, 1, 1, 3, 3, 4, 1, 1],
        merges: vec!["a b", "ab c"],
        bos: Some(10),
        eos: Some(9),
        ..TokenizerSource::default()
    }
}

fn refusal(change: impl FnOnce(&mut TokenizerSource<'static>)) -> TokenizerError {
    let mut changed = source();
    change(&mut changed);
    Tokenizer::new(&changed).err().unwrap()
}

fn tokenizer() -> Tokenizer {
    Tokenizer::new(&source()).unwrap()
}

fn plain(text: &str) -> Vec<u32> {
    tokenizer().encode(text, SpecialTokens::Never)
}

fn outside(text: &str, words: &[Range<usize>]) -> Vec<u32> {
    tokenizer().encode(text, SpecialTokens::Outside(words))
}

#[test]
fn unsupported_kinds_are_refused() {
    assert_eq!(refusal(|s| s.model = "t5").code(), "tokenizer.model");
    let unknown = refusal(|s| s.pre_tokenizer = "qwen35");
    assert_eq!(unknown, TokenizerError::PreTokenizer("qwen35".to_owned()));
    assert_eq!(unknown.code(), "tokenizer.pre_tokenizer");
    assert_eq!(TokenizerError::Normalizer.code(), "tokenizer.normalizer");
    assert_eq!(refusal(|s| s.add_eos = true).code(), "tokenizer.add_eos");
}

#[test]
fn broken_vocabularies_are_refused() {
    let empty = refusal(|s| (s.tokens, s.kinds) = (Vec::new(), Vec::new()));
    assert_eq!(empty.code(), "tokenizer.token_count");
    assert_eq!(refusal(|s| s.kinds.push(1)).code(), "tokenizer.token_count");
    let (id, kind) = (2, 7);
    assert_eq!(
        refusal(|s| s.kinds[2] = 7),
        TokenizerError::TokenKind { id, kind }
    );
    assert_eq!(refusal(|s| s.tokens[1] = ""), TokenizerError::TokenText(1));
    assert_eq!(
        refusal(|s| s.tokens[1] = "b c"),
        TokenizerError::TokenText(1)
    );
    assert_eq!(
        refusal(|s| s.tokens[9] = "a"),
        TokenizerError::DuplicateToken(9)
    );
}

#[test]
fn merges_must_join_ordinary_tokens_into_ordinary_tokens() {
    for bad in ["ab", "a x", "a c", "a b", " a", "< e>", "a b c"] {
        let refused = refusal(|s| s.merges.push(bad));
        assert_eq!(refused, TokenizerError::Merge(2), "{bad}");
        assert_eq!(refused.code(), "tokenizer.merge");
    }
    // A merge may not make a special token out of ordinary ones.
    let forging = refusal(|s| {
        s.tokens[7] = "e>";
        s.merges = vec!["e >", "< e>"];
    });
    assert_eq!(forging, TokenizerError::Merge(1));
}

#[test]
fn special_ids_must_exist() {
    assert_eq!(refusal(|s| s.eos = Some(14)), TokenizerError::SpecialId);
    assert_eq!(
        refusal(|s| s.eot = Some(u32::MAX)),
        TokenizerError::SpecialId
    );
    let headless = refusal(|s| (s.bos, s.add_bos) = (None, true));
    assert_eq!(headless.code(), "tokenizer.special_id");
}

#[test]
fn the_digest_covers_every_part() {
    let changes: [fn(&mut TokenizerSource<'static>); 7] = [
        |_| {},
        |s| s.tokens.swap(0, 1),
        |s| s.kinds[11] = 3,
        |s| s.merges.truncate(1),
        |s| s.bos = None,
        |s| s.eot = Some(9),
        |s| s.add_bos = true,
    ];
    let digest = |change: &fn(&mut TokenizerSource<'static>)| {
        let mut changed = source();
        change(&mut changed);
        Tokenizer::new(&changed).unwrap().digest()
    };
    let digests: std::collections::BTreeSet<_> = changes.iter().map(digest).collect();
    assert_eq!(digests.len(), changes.len());
}

#[test]
fn urgent_merges_come_first_and_of_equals_the_leftmost() {
    assert_eq!(plain("abcab"), [8, 7]);
    assert_eq!(plain("aab"), [0, 7]);
}

#[test]
fn words_never_become_special_tokens() {
    assert_eq!(plain("<e>"), [4, 6, 5]);
    assert_eq!(
        plain("a<c>"),
        [0, 4, 2, 5],
        "not even those that are user-defined"
    );
    assert_eq!(outside("<e>a<e>", &[]), [9, 0, 9]);
    assert_eq!(outside("<e><e><e>", &[3..6]), [9, 4, 6, 5, 9]);
}

#[test]
fn words_cannot_complete_what_the_template_began() {
    // `<` of the template, `e>` of a message; `<e` of a message, `>` of the template; two messages side by side.
    assert_eq!(outside("<e>", &[1..3]), [4, 6, 5]);
    assert_eq!(outside("<e>", &[0..2]), [4, 6, 5]);
    assert_eq!(outside("<e>", &[0..1, 1..3]), [4, 6, 5]);
    assert_eq!(outside("<e>", &[1..2]), [4, 6, 5]);
    assert_eq!(outside("<e>", &[1..1]), [9], "no word at all");
}

#[test]
fn special_tokens_with_white_space_are_never_found() {
    // A template that trims no message puts its outer white space beside the template's own text.
    let mut spaced = source();
    spaced.tokens[10] = "<b >";
    let ids = Tokenizer::new(&spaced)
        .unwrap()
        .encode("<b ><e>", SpecialTokens::Outside(&[]));
    assert_eq!(ids, [4, 1, 3, 5, 9]);
}

#[test]
fn prompts_begin_with_one_beginning() {
    let mut wanting = source();
    wanting.add_bos = true;
    let wanting = Tokenizer::new(&wanting).unwrap();
    assert_eq!(wanting.encode_prompt("a", SpecialTokens::Never), [10, 0]);
    assert_eq!(
        wanting.encode_prompt("<b>a", SpecialTokens::Outside(&[])),
        [10, 0]
    );
    assert_eq!(
        wanting.encode_prompt("<b>", SpecialTokens::Never),
        [10, 4, 1, 5]
    );
    assert_eq!(tokenizer().encode_prompt("a", SpecialTokens::Never), [0]);
}

#[test]
fn tokens_give_bytes_and_special_tokens_none() {
    let tokenizer = tokenizer();
    assert_eq!(tokenizer.token_bytes(8), b"abc");
    assert_eq!(tokenizer.token_bytes(3), b" ");
    assert_eq!(tokenizer.token_bytes(9), b"");
    assert_eq!(tokenizer.token_bytes(u32::MAX), b"");
    assert_eq!((tokenizer.bos_text(), tokenizer.eos_text()), ("<b>", "<e>"));
    assert!(tokenizer.is_end(9) && !tokenizer.is_end(10));
}

#[test]
fn bytes_without_a_token_are_left_out_and_part_their_neighbours() {
    assert_eq!(plain("aXb"), [0, 1]);
    assert_eq!(plain("é"), [12, 13]);
    assert_eq!(plain("ñ"), [12], "c3 b1: the second byte has no token");
}

#[test]
fn one_mebibyte_of_anything_is_linear() {
    for unit in ["a", "ab", " ", "<", "\n", "1", "'", "😀", "<e>"] {
        let text = unit.repeat((1 << 20) / unit.len());
        let ids = outside(&text, &[]);
        assert!(ids.len() <= text.len(), "{unit}");
    }
}

proptest! {
    #[test]
    fn any_text_gives_known_ids_and_its_bytes_back(text in "[abc <>e©]{0,60}") {
        let tokenizer = tokenizer();
        let ids = tokenizer.encode(&text, SpecialTokens::Never);
        let special = |id: &u32| matches!(id, 9..=11);
        prop_assert!(!ids.iter().any(special));
        let bytes: Vec<u8> = ids.iter().flat_map(|id| tokenizer.token_bytes(*id).to_vec()).collect();
        let known: Vec<u8> = text.bytes().filter(|b| *b != 0xc2).collect();
        prop_assert_eq!(bytes, known);
    }

    #[test]
    fn any_ranges_are_borne(text in "\\PC{0,40}", words in prop::collection::vec((0usize..60, 0usize..60), 0..4)) {
        let mut at = 0;
        let ascending: Vec<Range<usize>> = words.iter().map(|(gap, len)| {
            let range = at + gap..at + gap + len;
            at = range.end;
            range
        }).collect();
        outside(&text, &ascending);
    }
}

/// How GPT-2 writes each byte: itself where it is visible, and the next characters from U+0100 on where it is not.
fn byte_alphabet() -> Vec<String> {
    let mut hidden = 0x100..;
    let visible = |byte: &u8| matches!(byte, b'!'..=b'~' | 0xa1..=0xac | 0xae..);
    let character = |byte: u8| match visible(&byte) {
        true => char::from(byte),
        false => hidden.next().and_then(char::from_u32).unwrap(),
    };
    (0..=u8::MAX).map(character).map(String::from).collect()
}

/// Every byte, two merges, a control token of five bytes at the beginning.
fn of_all_bytes(alphabet: &[String]) -> Tokenizer {
    let tokens = alphabet.iter().map(String::as_str);
    let source = TokenizerSource {
        tokens: tokens.chain(["ab", "abc", "<bos>"]).collect(),
        kinds: [vec![1; 258], vec![3]].concat(),
        merges: vec!["a b", "ab c"],
        bos: Some(258),
        add_bos: true,
        ..source()
    };
    Tokenizer::new(&source).unwrap()
}

fn check_bound(tokenizer: &Tokenizer, text: &str, most: usize) -> Result<(), TestCaseError> {
    for special in [SpecialTokens::Never, SpecialTokens::Outside(&[])] {
        let whole = tokenizer.encode_prompt(text, special);
        let within = tokenizer.encode_prompt_within(text, special, most);
        prop_assert_eq!(within, (whole.len() <= most).then_some(whole));
    }
    Ok(())
}

#[test]
fn a_text_that_just_fits_is_taken() {
    let tokenizer = of_all_bytes(&byte_alphabet());
    let within = |text: &str, most| {
        let outside = SpecialTokens::Outside(&[]);
        let ids = tokenizer.encode_prompt_within(text, outside, most);
        ids.map(|ids| ids.len())
    };
    let longest = "<bos>".repeat(8);
    assert_eq!(within(&longest, 8), Some(8), "a doubled beginning is one");
    assert_eq!(within(&longest, 7), None);
    assert_eq!(within(&"x".repeat(1 << 20), 8), None);
}

proptest! {
    #[test]
    fn a_bound_refuses_only_what_is_longer(text in "(<bos>|[a-c ]|é){0,40}", most in 0..50usize) {
        check_bound(&tokenizer(), &text, most)?;
        check_bound(&of_all_bytes(&byte_alphabet()), &text, most)?;
    }
}
